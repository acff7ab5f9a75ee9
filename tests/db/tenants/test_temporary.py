"""Temporary access: warned a week and a day before, over at its minute, with its keys and a line in the audit."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from core import effects
from core.models import AuditEntry
from core.relay import relay
from core.scope import Scope, enter, work
from core.tasks import system_scope
from messaging.composers import Ready, Skip
from messaging.models import Message
from messaging.staff import compose_ending
from tenants.models import ApiKey, Membership
from tenants.services import members
from tests.conftest import seat
from tests.db.api.conftest import Program, key_of

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
UNTIL = datetime(2026, 12, 20, 23, 0, tzinfo=UTC)


@pytest.fixture
def now(committed_acorn: Scope) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def vic() -> Membership:
    with work():
        return Membership.objects.select_related("user").get(user__name="Vic")


def until(end: datetime | None) -> None:
    with work():
        members.set_time(vic().public_id, starts=None, ends=end)


def work_off(scope: Scope) -> None:
    """What a worker does: effects that are due, then the events they gave."""
    with enter(system_scope(scope.organization_id)):
        for _ in range(2):
            effects.work_off([])
            relay([])


def mails() -> list[tuple[str, str]]:
    with work():
        rows = Message.objects.filter(kind="access_ending").order_by("id")
        return [(row.to_address, row.dedupe.split(":")[-2]) for row in rows]


def test_the_end_is_announced_twice_to_both_sides(
    committed_acorn: Scope, now: time_machine.Traveller
) -> None:
    until(UNTIL)
    work_off(committed_acorn)
    assert mails() == []
    now.move_to(UNTIL - timedelta(days=7))
    for _ in range(2):
        work_off(committed_acorn)
    assert mails() == [("ana@acorn.example", "7"), ("vic@acorn.example", "7")]
    now.move_to(UNTIL - timedelta(days=1))
    work_off(committed_acorn)
    assert len(mails()) == 4
    with work():
        theirs, own = (
            compose_ending(row)
            for row in Message.objects.filter(kind="access_ending").order_by("-id")[:2][::-1]
        )
    assert isinstance(own, Ready)
    assert isinstance(theirs, Ready)
    assert (own.letter.last_day, own.letter.member) == ("20 December 2026", "")  # type: ignore[attr-defined]
    assert theirs.letter.member == "Vic"  # type: ignore[attr-defined]


def test_an_end_that_was_moved_is_announced_anew_and_shuts_nobody_out(
    committed_acorn: Scope, now: time_machine.Traveller
) -> None:
    until(UNTIL)
    until(UNTIL + timedelta(days=30))
    now.move_to(UNTIL)
    work_off(committed_acorn)
    assert mails() == []
    assert vic().disabled_at is None
    until(None)
    now.move_to(UNTIL + timedelta(days=31))
    work_off(committed_acorn)
    assert (mails(), vic().disabled_at) == ([], None)


def test_a_mail_about_access_that_was_prolonged_meanwhile_is_not_sent(
    committed_acorn: Scope, now: time_machine.Traveller
) -> None:
    until(UNTIL)
    now.move_to(UNTIL - timedelta(days=1))
    work_off(committed_acorn)
    until(None)
    with work():
        assert {type(compose_ending(row)) for row in Message.objects.filter(kind="access_ending")} == {Skip}


def test_at_its_minute_pages_and_keys_are_shut(committed_acorn: Scope, now: time_machine.Traveller) -> None:
    """Also when no worker runs."""
    until(UNTIL)
    now.move_to(UNTIL - timedelta(seconds=1))
    page, program = Client(), Program(key_of(seat("acorn", "vic@acorn.example")))
    page.force_login(vic().user)
    assert page.get("/o/acorn/").status_code == 200
    assert program("GET", "/me").status_code == 200
    now.move_to(UNTIL)
    assert page.get("/o/acorn/").status_code == 404
    assert program("GET", "/me").status_code == 401


def test_the_end_is_in_the_audit_and_its_keys_stay_dead(
    committed_acorn: Scope, now: time_machine.Traveller
) -> None:
    until(UNTIL)
    key_of(seat("acorn", "vic@acorn.example"))
    now.move_to(UNTIL)
    for _ in range(2):
        work_off(committed_acorn)
    with work():
        assert ApiKey.objects.get().revoked_at == UNTIL
        entries = AuditEntry.objects.filter(changes__has_key="disabled_at", additional_data__origin="worker")
        assert [entry.object_id for entry in entries] == [vic().pk]
    until(UNTIL + timedelta(days=5))
    assert vic().disabled_at is None
    with work():
        assert ApiKey.objects.get().revoked_at == UNTIL


def test_who_was_shut_out_before_stays_out_when_prolonged(
    committed_acorn: Scope, now: time_machine.Traveller
) -> None:
    until(UNTIL)
    with work():
        members.set_disabled(vic().public_id, disabled=True)
    now.move_to(UNTIL + timedelta(days=1))
    work_off(committed_acorn)
    until(UNTIL + timedelta(days=5))
    assert vic().disabled_at == NOW

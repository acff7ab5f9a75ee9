"""Each happening of the product, made by its own service, reaches those it concerns and nobody else."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client

from billing.models import BulkChange
from billing.services import bulk_jobs
from billing.services.bulk_change import Wish
from billing.services.run import give_up, open_run
from core import clock
from core.effects import due
from core.events import emit
from core.imports import work as imports
from core.models import Effect, Job, OutboxEvent
from core.scope import enter, work
from integrations.models import Endpoint
from integrations.services import endpoints
from invoicing.listing import DocumentFilter
from invoicing.services import bulk
from messaging.models import Message, Notification
from messaging.services.seen import choose
from tenants.events import AccessEnding
from tenants.permissions import ADMINISTRATOR, VIEWER
from tenants.services import keys, members
from tests import factories
from tests.db.cashapp import lines
from tests.db.core.imports import checked, csv
from tests.db.messaging.notices import give, happen, mails, member, scope_of, told, turn

CUSTOMERS = csv(("Number", "Name"), [("K-1", "Kestrel Freight"), ("K-2", "Bluestem")])


@pytest.fixture(autouse=True)
def quiet(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.tasks.wake", lambda _kind: None)


@pytest.fixture
def now() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(clock.wall(), tick=False) as traveller:
        yield traveller


def emitted(name: str) -> int:
    with enter(scope_of("Ana")), work():
        return int(OutboxEvent.objects.filter(name=name).count())


def test_a_key_is_told_to_its_member_and_its_end_to_who_looks_after_keys(now: time_machine.Traveller) -> None:
    give("Vic", ADMINISTRATOR)
    with enter(scope_of("Ana")), work():
        key = keys.make(name="Nightly", expires_at=clock.wall() + timedelta(days=10)).key
        gone = keys.make(name="Gone", expires_at=clock.wall() + timedelta(days=10)).key
        keys.revoke(gone.public_id)
    happen()
    turn()
    assert told("Ana") == [("api_key.changed", 1)] * 3
    assert told("Ben") == told("Vic") == []
    assert mails() == [("ana", "Acorn Instruments: 3 new notifications")]
    assert "An API key of yours was made: Nightly" in str(mail.outbox[0].body)
    now.shift(timedelta(days=3, seconds=1))
    turn()
    now.shift(timedelta(days=6))
    turn()
    assert told("Vic") == [("api_key.ending", 1)] * 2
    assert told("Ana")[3:] == [("api_key.ending", 1)] * 2
    assert told("Ben") == []
    with enter(scope_of("Ana")), work():
        assert set(Notification.objects.filter(kind="api_key.ending").values_list("about", flat=True)) == {
            key.public_id
        }


def test_an_import_is_told_to_who_started_it() -> None:
    with enter(scope_of("Ben")):
        source = checked("customers", CUSTOMERS)
        assert emitted("import.ended") == 0, "what was only checked is no news"
        with work():
            imports.start(source.public_id, queued=False)
    with enter(scope_of("Ana")):
        imports.work_off(source.public_id)
    happen()
    assert told("Ben") == [("import.ended", 1)]
    assert told("Ana") == []
    with enter(scope_of("Ana")), work():
        imports.undo(source.public_id, queued=False)
    with enter(scope_of("Ben")):
        imports.work_off(source.public_id)
    happen()
    assert told("Ana") == [("import.ended", 1)], "Ana had it undone"
    assert told("Ben") == [("import.ended", 1)]


def test_an_import_that_is_stopped_by_hand_is_no_news() -> None:
    with enter(scope_of("Ben")):
        source = checked("customers", CUSTOMERS)
        with work():
            imports.start(source.public_id, queued=False)
            imports.stop(source.public_id)
        imports.work_off(source.public_id)
    assert emitted("import.ended") == 0


@pytest.mark.parametrize("may", [True, False])
def test_an_act_on_many_is_told_to_who_asked(may: bool) -> None:
    with enter(scope_of("Ben")), work():
        owner = factories.customer(email="ap@kestrel.example")
        factories.invoice(owner)
        job = bulk.start("send", DocumentFilter(), today=clock.today("Europe/Berlin"), key="k")
    if not may:
        give("Ben", VIEWER)
    with enter(scope_of("Ana")):
        while bulk.step(job):
            pass
        bulk.step(job)
    happen()
    assert told("Ben") == [("job.ended", 1)]
    assert told("Ana") == []
    with enter(scope_of("Ana")), work():
        assert Job.objects.get(public_id=job).state == ("done" if may else "failed")


@pytest.mark.parametrize("may", [True, False])
def test_a_bulk_change_is_told_to_who_asked_when_it_was_looked_at_and_when_it_is_done(may: bool) -> None:
    today = clock.today("Europe/Berlin")
    with enter(scope_of("Ben")):
        with work():
            sub = factories.subscription(factories.customer(), today)
            name = bulk_jobs.start(Wish("end"), {"ids": [sub.public_id]}, today=today, key="k")
            look = BulkChange.objects.get().look.public_id
        while bulk_jobs.LOOKING.step(look):
            pass
        with work():
            run = bulk_jobs.confirm(name, today=today).run.public_id
    if not may:
        give("Ben", VIEWER)
    with enter(scope_of("Ana")):
        while bulk_jobs.RUNNING.step(run):
            pass
    happen()
    assert told("Ben") == [("subscriptions.bulk", 1), ("subscriptions.bulk", 1)]
    assert told("Ana") == []
    client = Client()
    client.force_login(member("Ben").user)
    page = client.get("/o/acorn/notifications/?show=all").content.decode()
    assert "Many subscriptions are looked at" in page
    assert ("Changing many subscriptions is done" if may else "Ben may not do this any more.") in page


def test_bank_lines_that_wait_are_told_once_for_the_newest() -> None:
    def match() -> None:
        with enter(scope_of("Ana")), work():
            Effect.objects.filter(kind="cashapp.match").update(due_at=clock.wall())
        turn()

    with enter(scope_of("Ana")), work():
        lines.line(5_000, payer="Nobody we know")
    match()
    assert told("Ana") == told("Ben") == [("bank_lines.left", 1)]
    assert told("Vic") == []
    with enter(scope_of("Ana")), work():
        due("cashapp.match", [("an invoice was issued", {})])
    match()
    assert emitted("bank_lines.left") == 1, "nothing new waits"
    with enter(scope_of("Ana")), work():
        lines.line(6_000, payer="Nobody either")
    match()
    assert told("Ana") == [("bank_lines.left", 2)]
    with enter(scope_of("Ana")), work():
        assert Notification.objects.filter(member__user__name="Ana").get().facts["lines"] == 2


def test_a_run_that_is_given_up_is_told_once() -> None:
    day = date(2026, 11, 26)
    with enter(scope_of("Ana")):
        open_run(day)
        with work():
            give_up(day, "It keeps failing.")
            give_up(day, "It keeps failing.")
    happen()
    assert told("Ana") == told("Ben") == [("billing.stopped", 1)]


def test_a_change_of_role_is_told_to_the_member(now: time_machine.Traveller) -> None:
    with enter(scope_of("Ana")), work():
        from tenants.models import Role

        members.change_role(member("Vic").public_id, role=Role.objects.get(key="auditor"))
    happen()
    turn()
    assert told("Vic") == [("member.changed", 1)]
    assert mails() == [("vic", "Your role was changed")]


def test_letters_of_their_own_are_not_doubled_and_not_sent_to_who_lost_the_right() -> None:
    for name in ("Ben", "Vic"):
        give(name, ADMINISTRATOR)
    with enter(scope_of("Ana")), work():
        made = endpoints.add(url="https://hooks.example/in", events=["invoice.issued"])
        endpoints.switch_off(Endpoint.objects.get(public_id=made.endpoint.public_id), why="It is gone.")
        vic = member("Vic")
        vic.valid_until = clock.wall() + timedelta(days=1)
        vic.save(update_fields=["valid_until"])
        emit(AccessEnding(vic.public_id, vic.version, vic.valid_until.isoformat(), 1))
    happen()
    assert ("webhook.disabled", 1) in told("Ben")
    assert ("access.ending", 1) in told("Vic")
    assert ("member.ending", 1) in told("Ben")
    give("Ben", VIEWER)
    turn()
    kinds = {(each.to_address.partition("@")[0], each.kind, each.state) for each in _messages()}
    assert ("ben", "webhook_disabled", "skipped") in kinds
    assert ("ben", "access_ending", "skipped") in kinds
    assert {each for each in kinds if each[2] == "sent"} == {
        ("ana", "webhook_disabled", "sent"),
        ("vic", "webhook_disabled", "sent"),
        ("ana", "access_ending", "sent"),
        ("vic", "access_ending", "sent"),
    }


def _messages() -> list[Message]:
    with enter(scope_of("Ana")), work():
        return list(Message.objects.all())


def test_money_is_told_to_who_asked_for_it() -> None:
    with enter(scope_of("Vic")), work():
        choose({"payment.received": "mail"})
    with enter(scope_of("Ana")), work():
        owner = factories.customer(name="Kestrel Freight")
        factories.payment(owner, 11_900)
    happen()
    turn()
    assert told("Vic") == [("payment.received", 1)]
    assert told("Ana") == told("Ben") == []
    assert ("vic", "Kestrel Freight paid EUR 119.00") in mails()

"""Invoices that come wake the matching of lines that wait: once for many, and for nobody who waits for nothing."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cashapp.domain.states import LineState
from cashapp.models import BankLine, Payment
from cashapp.services import matching
from cashapp.services.lines import MATCH, match_soon
from core import clock, effects, relay
from core.models import Effect
from core.scope import Scope, enter, work
from tests import factories
from tests.db.cashapp.lines import line, opening

MONEY = 11_900


def settled() -> None:
    """Tell all events and do all that is due by then, pauses being over."""
    relay.relay([])
    with work():
        Effect.objects.filter(kind=MATCH, done_at=None).update(due_at=clock.wall())
    effects.work_off([])


def waits(memo: str, payer: str = "Kestrel Freight", minor: int = MONEY) -> BankLine:
    """A line that was looked at and found nothing. Inside work()."""
    row = line(minor, payer=payer, memo=memo)
    Effect.objects.filter(kind=MATCH).update(done_at=clock.wall())
    return row


def asked() -> int:
    with work():
        return Effect.objects.filter(kind=MATCH, done_at=None).count()


def state_of(row: BankLine) -> str:
    with work():
        return str(BankLine.objects.get(pk=row.pk).state)


def test_an_invoice_that_is_issued_finds_the_money_that_waits_for_it(acorn: Scope) -> None:
    with work():
        owner = factories.customer(name="Kestrel Freight")
        row = waits("INV-2026-00001")
    settled()
    assert state_of(row) == LineState.OPEN
    with work():
        factories.invoice(owner, ("1", "100.00"))
    settled()
    assert state_of(row) == LineState.BOOKED


def test_an_invoice_that_is_imported_finds_it_too(acorn: Scope) -> None:
    with work():
        owner = factories.customer(name="Kestrel Freight")
        row = waits("2025-1187")
        opening(owner, MONEY, "2025-1187")
    settled()
    assert state_of(row) == LineState.BOOKED


def test_where_no_line_waits_nothing_is_asked(acorn: Scope) -> None:
    with work():
        factories.invoice(factories.customer())
    relay.relay([])
    assert asked() == 0


def test_many_at_once_ask_once_and_not_at_once(acorn: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "BATCH", 3)
    with work():
        waits("nothing")
        owner = factories.customer()
        for n in range(10):
            opening(owner, 100 + n)
    relay.relay([])
    assert asked() == 1
    with work():
        assert Effect.objects.get(kind=MATCH, done_at=None).due_at > clock.wall()


def test_what_comes_while_it_runs_or_fails_is_asked_for_again(acorn: Scope) -> None:
    with work():
        waits("nothing")
        owner = factories.customer()
        opening(owner, 100)
    relay.relay([])
    with work():  # begun: it may have read what was there before the next one
        Effect.objects.filter(kind=MATCH, done_at=None).update(attempts=1)
        opening(owner, 200)
    relay.relay([])
    assert asked() == 2
    with work():
        Effect.objects.filter(kind=MATCH, done_at=None).update(parked_at=clock.wall(), attempts=0)
        opening(owner, 300)
    relay.relay([])
    assert asked() == 3


def test_asked_for_many_times_it_is_done_once(acorn: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that come in chunks ask each time; who is first leaves it to the last, which sees all."""
    looked: list[int] = []
    match_all = matching.match_all
    monkeypatch.setattr(matching, "match_all", lambda **given: looked.append(1) or match_all(**given))
    with work():
        owner = factories.customer(name="Kestrel Freight")
        for n in range(5):
            opening(owner, MONEY + n, f"2025-118{n}")
            line(MONEY + n, payer="Kestrel Freight", memo=f"2025-118{n}")
        match_soon("page:x")
    assert asked() == 6
    effects.work_off([])
    assert asked() == 0
    assert len(looked) == 1
    with work():
        assert Payment.objects.count() == 5


def test_the_last_one_parked_leaves_it_to_nobody(acorn: Scope) -> None:
    with work():
        owner = factories.customer(name="Kestrel Freight")
        opening(owner, MONEY, "2025-1187")
        row = line(MONEY, payer="Kestrel Freight", memo="2025-1187")
        match_soon("page:x")
        Effect.objects.filter(key="page:x").update(parked_at=clock.wall())
    effects.work_off([])
    assert state_of(row) == LineState.BOOKED


def test_another_organization_is_not_woken(acorn: Scope, birch: Scope) -> None:
    with enter(birch), work():
        line(MONEY, payer="birchcanary")
        Effect.objects.filter(kind=MATCH).update(done_at=clock.wall())
    with work():
        opening(factories.customer(), MONEY)
    relay.relay([])
    assert asked() == 0
    with enter(birch):
        assert asked() == 0


def test_it_costs_the_same_for_many_as_for_few(acorn: Scope) -> None:
    from cashapp.handlers import match_imported
    from core.models import OutboxEvent

    def statements(count: int) -> int:
        with work():
            owner = factories.customer()
            for _ in range(count):
                opening(owner, 100)
            rows: list[Any] = list(
                OutboxEvent.objects.filter(name="invoice.imported").order_by("-id")[:count]
            )
            with CaptureQueriesContext(connection) as captured:
                match_imported(rows)
        return len(captured)

    with work():
        waits("nothing")
    first = statements(1)
    with work():
        Effect.objects.filter(kind=MATCH).update(done_at=clock.wall())
    assert statements(20) <= first <= 6

"""Runs and senders at once: what is counted while its period is billed is in that bill or a later one, never lost."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from threading import Event

import pytest
import time_machine
from django.db import connection

from billing.expectation import Expectation
from billing.models import BilledPeriod, CorrectedPeriod, LateUsage, Meter, Subscription
from billing.selectors import billable, billable_again
from billing.services import run as runs
from billing.services.run import open_run, run_billing
from billing.services.subscriptions import end
from billing.services.usage_voids import void
from core.books import verify
from core.locks import claim
from core.scope import Scope, enter, work
from tests.billed import proven
from tests.db.billing.test_metered import counted, sold, used
from tests.db.billing.test_usage_at_once import at_once, open_elsewhere
from tests.metering import meter

FIRST, NEXT, AFTER = date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)


@pytest.fixture(autouse=True)
def _early_in_december() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 12, 3, 12, tzinfo=UTC), tick=True):
        yield


@pytest.fixture
def calls(committed_acorn: Scope) -> tuple[Meter, Subscription]:
    """A subscription whose November is due to be billed at 2.00 a call."""
    with work():
        by = meter("sum")
        sub = sold(counted(by, model="per_unit", unit_price=Decimal(2)))
    run_billing(FIRST)
    return by, sub


def event(by: Meter, sub: Subscription, name: str, amount: str = "3") -> Callable[[], None]:
    return lambda: used(by, sub, amount, "2026-11-10T10:00Z", name)


def batch(day: date) -> Callable[[], None]:
    """One batch of a run, as it bills it."""
    open_run(day)

    def bill() -> None:
        again = not (rows := claim(billable(day), 500))
        rows = rows or claim(billable_again(day), 500)
        assert rows
        runs._bill(open_run(day), [row.pk for row in rows], Expectation(day), again=again)

    return bill


def elsewhere(scope: Scope, job: Callable[[], None]) -> None:
    """The job in another connection, done before five seconds are over: it waits for nobody."""

    def run() -> None:
        try:
            with enter(scope), work():
                job()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(run).result(5)


def amounts() -> tuple[list[int], list[int]]:
    with work():
        rows = BilledPeriod.objects.exclude(item__price__meter=None).order_by("id")
        steps = CorrectedPeriod.objects.order_by("id")
        return (
            list(rows.values_list("amount_minor", flat=True)),
            list(steps.values_list("difference_minor", flat=True)),
        )


@pytest.mark.parametrize("known", [True, False])
def test_an_event_while_a_run_bills_its_period_is_billed_by_the_next(
    committed_acorn: Scope, calls: tuple[Meter, Subscription], known: bool
) -> None:
    by, sub = calls
    if known:
        with work():
            event(by, sub, "early", "1")()
    with open_elsewhere(committed_acorn, batch(NEXT)):
        elsewhere(committed_acorn, event(by, sub, "meanwhile"))
    first = 200 if known else 0
    assert amounts() == ([first], [])
    run_billing(NEXT)
    assert amounts() == ([first], [])
    run_billing(AFTER)
    assert amounts() == ([first, 0], [600])
    proven()


@pytest.mark.parametrize("known", [True, False])
def test_a_period_billed_while_an_event_is_written_is_looked_at_again(
    committed_acorn: Scope, calls: tuple[Meter, Subscription], known: bool
) -> None:
    by, sub = calls
    if known:
        with work():
            event(by, sub, "early", "1")()
    with open_elsewhere(committed_acorn, event(by, sub, "meanwhile")):
        elsewhere(committed_acorn, batch(NEXT))
        elsewhere(committed_acorn, batch(AFTER))  # and one more, which cannot see it either
    first = 200 if known else 0
    assert amounts() == ([first, 0], [])
    run_billing(date(2027, 2, 1))
    assert amounts() == ([first, 0, 0], [600])
    with work():
        assert not LateUsage.objects.exists()
    proven()


@pytest.mark.parametrize("first", ["void", "run"])
def test_a_void_while_a_run_bills_is_credited_by_the_next(
    committed_acorn: Scope, calls: tuple[Meter, Subscription], first: str
) -> None:
    by, sub = calls
    with work():
        event(by, sub, "wrong")()
    take_back = lambda: void(["wrong"])  # noqa: E731
    one, other = (take_back, batch(NEXT)) if first == "void" else (batch(NEXT), take_back)
    with open_elsewhere(committed_acorn, one):
        elsewhere(committed_acorn, other)
    assert amounts() == ([600], [])
    run_billing(AFTER)
    assert amounts() == ([600, 0], [-600])
    proven()


@pytest.mark.parametrize("first", ["event", "run"])
def test_an_event_while_a_run_corrects_is_in_a_later_correction(
    committed_acorn: Scope, calls: tuple[Meter, Subscription], first: str
) -> None:
    """Of one that has ended, for which a run comes once no more can come: and once more for what it missed."""
    by, sub = calls
    with work():
        end(sub.public_id, on=NEXT, today=NEXT)
    run_billing(NEXT)
    with work():
        event(by, sub, "late")()
    day = date(2027, 1, 6)
    more = event(by, sub, "later", "1")
    one, other = (more, batch(day)) if first == "event" else (batch(day), more)
    with open_elsewhere(committed_acorn, one):
        elsewhere(committed_acorn, other)
    run_billing(day)
    last = day + timedelta(days=40)
    run_billing(last)
    billed, more_billed = amounts()
    assert (billed, sum(more_billed)) == ([0], 800)
    with work():
        assert not LateUsage.objects.exists()
    proven()


def test_a_run_does_not_come_again_and_again_for_what_takes_events_all_the_time(
    committed_acorn: Scope, calls: tuple[Meter, Subscription]
) -> None:
    by, sub = calls
    with work():
        end(sub.public_id, on=NEXT, today=NEXT)
    run_billing(NEXT)
    with work():
        event(by, sub, "late")()
    done = Event()
    with open_elsewhere(committed_acorn, event(by, sub, "open")), ThreadPoolExecutor(1) as pool:

        def run() -> None:
            try:
                with enter(committed_acorn):
                    run_billing(date(2027, 1, 6))
                done.set()
            finally:
                connection.close()

        pool.submit(run).result(20)
    assert done.is_set()
    assert amounts() == ([0], [])
    run_billing(date(2027, 2, 10))
    assert amounts() == ([0], [1200])
    proven()


def test_what_is_put_off_is_due_when_the_next_day_begins_however_long_it_waited(
    committed_acorn: Scope, calls: tuple[Meter, Subscription]
) -> None:
    """Else beat wakes a run for it every few seconds, which passes it over."""
    by, sub = calls
    with work():
        end(sub.public_id, on=NEXT, today=NEXT)
    run_billing(NEXT)
    with work():
        event(by, sub, "late")()
    with open_elsewhere(committed_acorn, event(by, sub, "open")):
        run_billing(date(2027, 1, 11))
    with work():
        first = LateUsage.objects.earliest("id")
        assert (first.due_on, first.due_at) == (date(2027, 1, 12), datetime(2027, 1, 11, 23, tzinfo=UTC))


def test_senders_and_runs_all_at_once_bill_every_event_once(
    committed_acorn: Scope, calls: tuple[Meter, Subscription]
) -> None:
    by, sub = calls

    def sender(n: int) -> Callable[[], None]:
        return lambda: [event(by, sub, f"e{n}-{m}", "1")() for m in range(5)] and None

    for day in (NEXT, AFTER, date(2027, 2, 1)):
        jobs = [sender(day.toordinal() * 10 + n) for n in range(3)]
        at_once(committed_acorn, *jobs, batch(day))
        with work():
            assert verify() == []
    run_billing(date(2027, 3, 1))
    billed, more = amounts()
    assert sum(billed) + sum(more) == 3 * 3 * 5 * 200
    proven()

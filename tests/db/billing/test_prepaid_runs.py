"""Runs that pay what meters counted out of prepaid balances: as previewed, to the cent, once, whoever is beside."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.domain.charges import charge
from billing.domain.prepaid import metered_minor
from billing.expectation import Expectation
from billing.models import BillingRun, Meter, Subscription, UsageEvent
from billing.previews import next_bill
from billing.selectors import billable, subscription_facts, to_bill
from billing.services import run as runs
from billing.services.discounts import discount
from billing.services.run import open_run, run_billing
from billing.services.subscriptions import end, subscribe
from billing.services.usage_voids import void as void_usage
from core.scope import Scope, enter, work
from customers.models import Customer
from invoicing.models import Document, TopUp, TopUpMove
from invoicing.prepaid import balance
from invoicing.services.credit import credit
from invoicing.services.prepaid import expire, top_up
from receivables.models import OpenItem
from receivables.selectors import item_states
from tests import factories
from tests.billed import proven
from tests.db.billing.test_late_at_once import batch
from tests.db.billing.test_metered import counted, sold, used
from tests.db.billing.test_usage_at_once import open_elsewhere
from tests.metering import meter

FIRST, NEXT, AFTER = date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)
IN_NOVEMBER = "2026-11-10T10:00Z"
PRICE = {"model": "per_unit", "unit_price": Decimal("1.37"), "tax_percent": Decimal(19)}


@pytest.fixture(autouse=True)
def _early_in_december() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 12, 3, 12, tzinfo=UTC), tick=True):
        yield


def prepaid(owner: Customer, minor: int, *, expires_on: date | None = None) -> TopUp:
    """A balance that was topped up on the first of November and is paid."""
    with time_machine.travel(datetime(2026, 11, 1, 12, tzinfo=UTC), tick=True):
        row = top_up(
            owner.public_id, minor=minor, expires_on=expires_on, key=f"p{TopUp.objects.count()}", today=FIRST
        )
        factories.pay(row.document, on=FIRST)
    return row


def calling(amount: str = "100") -> tuple[Meter, Subscription]:
    """A subscription at 29.00 whose November is billed but for its calls, of 1.37 each and 19 % tax."""
    with work():
        by = meter("sum")
        sub = sold(counted(by, **PRICE))
    run_billing(FIRST)
    with work():
        used(by, sub, amount, IN_NOVEMBER)
    return by, sub


def left() -> list[int]:
    with work():
        return list(TopUp.objects.order_by("id").values_list("left_minor", flat=True))


def drawn() -> list[int]:
    with work():
        return list(TopUpMove.objects.filter(kind="drawn").order_by("id").values_list("minor", flat=True))


def open_of_newest() -> int:
    with work():
        newest = Document.objects.filter(kind="invoice", prepays=False).order_by("-id")[0]
        return item_states([newest.public_id])[newest.public_id].open_minor


def test_a_run_draws_what_meters_counted_with_its_tax_and_nothing_else(acorn: Scope) -> None:
    _, sub = calling()
    with work():
        prepaid(sub.customer, 50000)
        sub.refresh_from_db()
        seen = next_bill(sub, today=NEXT)
        assert seen.totals is not None
    for _ in range(2):
        run_billing(NEXT)
    assert drawn() == [16303] == [seen.prepaid_minor]  # 137.00 and 26.03 of tax; the plan's 34.51 is owed
    assert open_of_newest() == seen.totals.total_minor - seen.prepaid_minor == 3451
    assert left() == [50000 - 16303]
    proven()


def test_what_is_not_there_is_owed(acorn: Scope) -> None:
    _, sub = calling()
    with work():
        prepaid(sub.customer, 10000)
        sub.refresh_from_db()
        seen = next_bill(sub, today=NEXT)
    run_billing(NEXT)
    assert drawn() == [10000] == [seen.prepaid_minor]
    assert open_of_newest() == 16303 + 3451 - 10000
    with work():
        assert balance(sub.customer_id, today=NEXT) == []
    proven()


def test_a_balance_is_not_drawn_on_its_day(acorn: Scope) -> None:
    _, sub = calling()
    with work():
        prepaid(sub.customer, 50000, expires_on=date(2026, 12, 1))
        row = prepaid(sub.customer, 5000, expires_on=date(2026, 12, 2))
        sub.refresh_from_db()
        assert next_bill(sub, today=NEXT).prepaid_minor == 5000
    run_billing(NEXT)
    assert drawn() == [5000]
    with work():
        expire(row.public_id, today=date(2026, 12, 2))  # nothing is left to end
    proven()


def test_discounts_come_first(acorn: Scope) -> None:
    with work():
        by = meter("sum")
        sub = sold(counted(by, **PRICE))
        discount(sub.public_id, name="Half", percent=Decimal(50), on=FIRST, today=FIRST)
        used(by, sub, "100", IN_NOVEMBER)
        prepaid(sub.customer, 50000)
        sub.refresh_from_db()
        seen = next_bill(sub, today=NEXT)
    run_billing(NEXT)
    assert drawn() == [seen.prepaid_minor] == [8152]  # 68.50 and 13.02 of tax
    proven()


def test_what_came_late_is_drawn_and_what_is_voided_stays_the_customers_credit(acorn: Scope) -> None:
    by, sub = calling()
    with work():
        prepaid(sub.customer, 50000)
    run_billing(NEXT)
    with work():
        used(by, sub, "10", "2026-11-20T10:00Z")
        sub.refresh_from_db()
        seen = next_bill(sub, today=AFTER)
    run_billing(AFTER)
    assert drawn() == [16303, seen.prepaid_minor] == [16303, 1630]  # 13.70 and 2.60
    with time_machine.travel(datetime(2026, 12, 3, 12, tzinfo=UTC), tick=True), work():
        void_usage(_events(sub))
    run_billing(date(2027, 2, 1))
    with work():
        notes = OpenItem.objects.filter(kind="credit_note")
        assert sum(notes.values_list("total_minor", flat=True)) == 16303 + 1630
    assert left() == [50000 - 16303 - 1630]
    proven()


def _events(sub: Subscription) -> list[str]:
    rows = UsageEvent.objects.filter(series__subscription=sub)
    return list(rows.values_list("transaction_id", flat=True))


def test_one_invoice_of_several_draws_once(acorn: Scope) -> None:
    with work():
        by = meter("sum")
        owner = factories.customer(one_invoice=True)
        price = counted(by, **PRICE)
        plan = factories.subscription(owner, FIRST)
        subs = [
            subscribe(
                customer=owner.public_id, price=plan.price, starts_on=FIRST, added=[(price, Decimal(1))]
            )
            for _ in range(2)
        ]
    run_billing(FIRST)
    with work():
        for each in subs:
            used(by, each, "10", IN_NOVEMBER)
        prepaid(owner, 50000)
        seen = next_bill(Subscription.objects.get(pk=subs[0].pk), today=NEXT)
    run_billing(NEXT)
    assert drawn() == [seen.prepaid_minor] == [3260]  # 2 x 13.70, and 5.20 of tax, rounded once
    proven()


def test_customers_who_want_two_invoices_share_one_balance(acorn: Scope) -> None:
    by, sub = calling()
    with work():
        price = counted(by, **PRICE)
        twin = subscribe(
            customer=sub.customer.public_id, price=sub.price, starts_on=FIRST, added=[(price, Decimal(1))]
        )
    run_billing(FIRST)
    with work():
        used(by, twin, "100", IN_NOVEMBER)
        prepaid(sub.customer, 20000)
    run_billing(NEXT, batch=1)
    assert drawn() == [16303, 3697]
    proven()


def test_the_number_of_statements_does_not_grow_with_what_is_drawn(acorn: Scope) -> None:
    by, sub = calling()
    with work():
        price = counted(by, **PRICE)
        for n in range(8):
            owner = factories.customer()
            added = [(price, Decimal(1))]
            twin = subscribe(customer=owner.public_id, price=sub.price, starts_on=FIRST, added=added)
            used(by, twin, "100", IN_NOVEMBER, f"t{n}")
            prepaid(owner, 50000)
            prepaid(owner, 50, expires_on=AFTER)
    run_billing(FIRST)
    with work():
        _statements(NEXT, 1)  # what is read once is read
        few = _statements(NEXT, 1)
        many = _statements(NEXT, 6)
    assert len(drawn()) == 16
    assert few == many, (few, many)


def _statements(day: date, size: int) -> int:
    rows = list(billable(day).order_by("-id")[:size])
    with CaptureQueriesContext(connection) as seen:
        runs._bill(open_run(day), [row.pk for row in rows], Expectation(day))
    return len(seen)


def test_a_held_subscription_draws_nothing(acorn: Scope) -> None:
    by, sub = calling()
    run_billing(NEXT)
    with work():
        used(by, sub, "90000", "2026-12-02T10:00Z")
        prepaid(sub.customer, 50000)
    run = run_billing(AFTER)
    assert (run.held, drawn(), left()) == (1, [], [50000])


def test_the_part_that_is_drawn_is_of_the_whole_invoice(acorn: Scope) -> None:
    """Tax is rounded once for an invoice: what is metered is what the total is more by."""
    _, sub = calling("1")
    with work():
        ((facts,)) = subscription_facts([sub.pk])
        (facts,) = to_bill([facts], NEXT)
        made = charge(facts, NEXT)
    assert metered_minor([made]) == 163  # 1.37 and 0.26
    assert metered_minor([]) == 0


def waits(scope: Scope, job: Callable[[], None]) -> Callable[[], None]:
    """Begin the job in another connection and see it wait for a lock; what is given back waits for its end."""

    def run() -> None:
        try:
            with enter(scope), work():
                job()
        finally:
            connection.close()

    future = ThreadPoolExecutor(1).submit(run)
    for _ in range(200):
        with work(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return lambda: future.result(10)
        assert not future.done(), "it waited for nobody"
        time.sleep(0.01)
    raise AssertionError("it waited for nobody")


def test_two_runs_at_once_never_draw_more_than_there_is(committed_acorn: Scope) -> None:
    by, sub = calling()
    with work():
        price = counted(by, **PRICE)
        for _ in range(5):
            twin = subscribe(
                customer=sub.customer.public_id, price=sub.price, starts_on=FIRST, added=[(price, Decimal(1))]
            )
            used(by, twin, "100", IN_NOVEMBER)
        prepaid(sub.customer, 50000)
    run_billing(FIRST)

    def bill(_n: int) -> None:
        try:
            with enter(committed_acorn):
                run_billing(NEXT, batch=1)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(bill, range(3)))
    assert sum(drawn()) == 50000
    with work():
        assert BillingRun.objects.get(as_of=NEXT).held == 0
    proven()


def test_a_credit_of_a_top_up_waits_for_the_run_that_draws_it(committed_acorn: Scope) -> None:
    _, sub = calling()
    with work():
        row = prepaid(sub.customer, 50000)

    def give_back() -> None:
        credit(row.document.public_id, on=NEXT, reason="leaves", key="c")

    with open_elsewhere(committed_acorn, batch(NEXT)):
        done = waits(committed_acorn, give_back)
    done()
    assert (drawn(), left()) == ([16303], [0])
    with work():
        assert TopUpMove.objects.get(kind="credited").minor == 50000 - 16303
    proven()


def test_a_run_waits_for_the_credit_of_a_top_up(committed_acorn: Scope) -> None:
    _, sub = calling()
    with work():
        row = prepaid(sub.customer, 50000)

    def give_back() -> None:
        credit(row.document.public_id, on=NEXT, reason="leaves", key="c", amounts={1: 45000})

    with open_elsewhere(committed_acorn, give_back):
        done = waits(committed_acorn, batch(NEXT))
    done()
    assert (drawn(), left()) == ([5000], [0])
    proven()


def test_an_ended_subscription_draws_for_its_last_usage(acorn: Scope) -> None:
    _, sub = calling()
    with work():
        end(sub.public_id, on=NEXT, today=NEXT)
        prepaid(sub.customer, 50000)
    run_billing(NEXT)
    assert drawn() == [16303]
    proven()

"""What is said of late usage and of common invoices is what runs make of them, to the cent and to the day."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from billing.counted import comes_on
from billing.listing import subscription, subscriptions
from billing.models import Meter, Price, Subscription
from billing.previews import NextBill, next_bill, run_preview
from billing.services.prices import create_price
from billing.services.run import run_billing
from billing.services.subscriptions import end, subscribe
from billing.standing import state_of
from core.scope import Scope, work
from customers.models import Customer
from invoicing.models import Document
from tests import factories
from tests.billed import proven
from tests.db.billing.test_metered import counted, used
from tests.metering import meter

FIRST, NEXT, TODAY, CLOSED = date(2026, 11, 1), date(2026, 12, 1), date(2026, 12, 3), date(2027, 1, 6)
"""No more of November can come from `CLOSED` on."""


@pytest.fixture(autouse=True)
def _early_in_december() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 12, 3, 12, tzinfo=UTC), tick=True):
        yield


def cheap(**given: Any) -> dict[str, Any]:
    """19 % of 0.13 are 0.02, of 0.26 are 0.05, of 0.39 are 0.07: what stands together is seen in its tax."""
    return {"currency": "EUR", "unit_price": Decimal("0.13"), "tax_percent": Decimal(19), **given}


@pytest.fixture
def ended(acorn: Scope) -> tuple[Meter, Price, list[Subscription]]:
    """Three ended ones of a customer who wants one invoice, with a call each that came late."""
    with work():
        by = meter("sum")
        owner = factories.customer(one_invoice=True)
        plan = create_price(name="P", code="p", model="flat", **cheap())
        calls = counted(by, model="per_unit", **cheap())
        subs = [
            subscribe(customer=owner.public_id, price=plan, starts_on=FIRST, added=[(calls, Decimal(1))])
            for _ in range(3)
        ]
    run_billing(NEXT)
    with work():
        for sub in subs:
            end(sub.public_id, on=NEXT, today=NEXT)
    run_billing(NEXT)
    with work():
        for sub in subs:
            used(by, sub, "1", "2026-11-11T10:00Z")
    return by, plan, subs


@pytest.fixture
def yearly(acorn: Scope) -> tuple[Meter, Subscription]:
    """Billed for a year on 1 December, with two calls of 2.00 that came late."""
    with work():
        by = meter("sum")
        calls = counted(by, model="per_unit", unit_price=Decimal(2), unit="year")
        plan = create_price(
            name="Year", code="year", model="flat", unit_price=Decimal(300), currency="EUR", unit="year"
        )
        owner = factories.customer(one_invoice=True)
        sub = subscribe(
            customer=owner.public_id, price=plan, starts_on=date(2025, 12, 1), added=[(calls, Decimal(1))]
        )
        used(by, sub, "30", "2026-11-10T10:00Z")
    run_billing(date(2025, 12, 1))
    run_billing(NEXT)
    with work():
        used(by, sub, "2", "2026-11-11T10:00Z")
    return by, sub


def seen(sub: Subscription, today: date, **given: Any) -> NextBill:
    with work():
        return next_bill(subscription(sub.public_id), today=today, **given)


def made(day: date) -> list[tuple[int, int, int]]:
    """(net, tax, total) of the invoices that a run makes."""
    with work():
        known = set(Document.objects.values_list("pk", flat=True))
    run_billing(day)
    with work():
        rows = Document.objects.exclude(pk__in=known).order_by("id")
        return list(rows.values_list("net_minor", "tax_minor", "total_minor"))


def sums(bill: NextBill) -> tuple[int, int, int]:
    assert bill.totals is not None
    return bill.totals.net_minor, bill.totals.tax_minor, bill.totals.total_minor


def test_late_usage_that_waited_has_an_invoice_beside_the_bill_of_others(
    ended: tuple[Meter, Price, list[Subscription]],
) -> None:
    _, plan, subs = ended
    with work():
        owner = Customer.objects.get(pk=subs[0].customer_id)
        other = subscribe(customer=owner.public_id, price=plan, starts_on=CLOSED)
        (whole,) = run_preview(CLOSED).sums
    assert sums(seen(other, CLOSED)) == (13, 2, 15)
    came = made(CLOSED)
    assert came == [(13, 2, 15), (39, 7, 46)]
    assert (whole.count, whole.net.minor, whole.total.minor) == (2, 52, 61)
    proven()


@pytest.mark.parametrize("today", [TODAY, CLOSED])
def test_what_waited_of_several_is_seen_on_its_common_invoice(
    ended: tuple[Meter, Price, list[Subscription]], today: date
) -> None:
    _, _, subs = ended
    bills = [seen(sub, today) for sub in subs]
    assert {bill.as_of for bill in bills} == {CLOSED}
    assert bills[0].others == [subs[1].public_id, subs[2].public_id]
    assert {sums(bill) for bill in bills} == {(39, 7, 46)}
    assert made(CLOSED) == [(39, 7, 46)]
    proven()


def test_where_the_next_bill_is_far_late_usage_is_what_comes_next(yearly: tuple[Meter, Subscription]) -> None:
    _, sub = yearly
    bill = seen(sub, TODAY)
    assert (bill.as_of, sums(bill)) == (CLOSED, (400, 76, 476))
    with work():
        assert comes_on(subscription(sub.public_id), bill.charge) == CLOSED
    assert made(CLOSED) == [(400, 76, 476)]
    assert seen(sub, CLOSED).as_of == date(2027, 12, 1)
    proven()


def test_the_bill_that_a_change_is_seen_by_is_without_what_a_run_brings_before(
    yearly: tuple[Meter, Subscription],
) -> None:
    _, sub = yearly
    bill = seen(sub, TODAY, settled=True)
    assert (bill.as_of, sums(bill)[0]) == (date(2027, 12, 1), 30000)
    with work():
        end(sub.public_id, on=date(2026, 12, 3), today=TODAY)
    bill = seen(sub, TODAY, settled=True)
    assert (bill.as_of, sums(bill)[0]) == (TODAY, 400), "the run of today brings it with the credit"
    assert [net for net, *_ in made(TODAY)] == [400, sum(each.totals.net_minor for each in bill.credits)]
    proven()


def test_others_bring_to_a_common_invoice_what_was_not_billed_before_it(
    yearly: tuple[Meter, Subscription],
) -> None:
    _, sub = yearly
    with work():
        owner = Customer.objects.get(pk=sub.customer_id)
        other = factories.subscription(owner, date(2027, 12, 1))
    assert sums(seen(other, TODAY))[0] == 30000 + 1450
    made(CLOSED)
    assert made(date(2027, 12, 1)) == [(31450, 5976, 37426)]
    proven()


def test_an_invoice_of_late_usage_alone_that_is_not_paid_makes_it_past_due(
    yearly: tuple[Meter, Subscription],
) -> None:
    with work():
        for each in Document.objects.all():
            factories.pay(each, on=NEXT)
    made(CLOSED)
    with work():
        (last,) = Document.objects.filter(issued_on=CLOSED)
        for paid, word in ((False, "past_due"), (True, "active")):
            if paid:
                factories.pay(last, on=CLOSED)
            for days, said in ((0, "active"), (1, word)):
                day = last.due_on + timedelta(days=days)
                with time_machine.travel(datetime.combine(day, time(12), UTC), tick=False):
                    assert state_of(subscriptions().get()) == said
                    assert subscriptions(state="past_due", today=day).exists() == (said == "past_due")

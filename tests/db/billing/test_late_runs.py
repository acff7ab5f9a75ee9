"""Corrections among all else that runs do: the gate, changes, pauses, discounts, the clock, statements."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.expectation import Expectation
from billing.handlers import bill_due, late_usage
from billing.listing import run_figures, subscription
from billing.models import (
    BilledPeriod,
    BillingRun,
    CorrectedPeriod,
    LateUsage,
    Meter,
    Subscription,
)
from billing.previews import next_bill, run_preview
from billing.selectors import due, still_billed
from billing.services import run as runs
from billing.services.discounts import create_coupon, give_coupon
from billing.services.lifecycle import pause
from billing.services.prices import create_price
from billing.services.replay import replay_billing
from billing.services.run import run_billing
from billing.services.subscriptions import add_item, end, end_item, subscribe
from billing.services.usage_voids import void
from core import doors
from core.books import verify
from core.pages import dry_run
from core.scope import Scope, enter, work
from customers.models import Customer
from invoicing.models import Document
from invoicing.services.correct import void as void_invoice
from invoicing.services.credit import credit
from tests import factories
from tests.billed import proven
from tests.db.billing.test_metered import counted, sold, used
from tests.metering import meter

FIRST, NEXT, AFTER, THEN = date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1), date(2027, 2, 1)
CLOSED = date(2027, 1, 6)
"""No more of November can come from here on."""


@pytest.fixture(autouse=True)
def _early_in_december() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 12, 3, 12, tzinfo=UTC), tick=True):
        yield


def per_call(by: Meter, **given: Any) -> Any:
    return counted(by, **{"model": "per_unit", "unit_price": Decimal(2), **given})


@pytest.fixture
def calls(acorn: Scope) -> tuple[Meter, Subscription]:
    with work():
        by = meter("sum")
        sub = sold(per_call(by))
        used(by, sub, "30", "2026-11-10T10:00Z", "first")
    run_billing(FIRST)
    run_billing(NEXT)
    return by, sub


def steps() -> list[int]:
    with work():
        return list(CorrectedPeriod.objects.order_by("id").values_list("difference_minor", flat=True))


def test_where_the_next_bill_is_far_it_comes_when_no_more_can(acorn: Scope) -> None:
    with work():
        by = meter("sum")
        plan = create_price(
            name="Year", code="year", model="flat", unit_price=Decimal(300), currency="EUR", unit="year"
        )
        sub = subscribe(
            customer=factories.customer().public_id, price=plan, starts_on=date(2025, 12, 1),
            added=[(per_call(by, unit="year"), Decimal(1))],
        )  # fmt: skip
        used(by, sub, "30", "2026-11-10T10:00Z")
    run_billing(date(2025, 12, 1))
    run_billing(NEXT)
    with work():
        used(by, sub, "2", "2026-11-11T10:00Z")
        sub.refresh_from_db()
        assert sub.next_bill_on == date(2027, 12, 1)
        assert run_preview(CLOSED).count == 1
    run_billing(CLOSED - timedelta(days=1))
    assert steps() == []
    assert run_billing(CLOSED).documents == 1
    assert steps() == [400]
    with work():
        sub.refresh_from_db()
        assert (sub.state, sub.next_bill_on) == ("active", date(2027, 12, 1))
        run = BillingRun.objects.get(as_of=CLOSED)
        assert [(n, money.minor) for n, money in run_figures(run).sums] == [(1, 400)]
    proven()


def test_a_price_that_changed_since_corrects_each_of_its_days_by_itself(acorn: Scope) -> None:
    """The same meter by another price from the 15th on."""
    with work():
        by = meter("sum")
        sub = sold(per_call(by))
        old = sub.items.get(role="added")
        end_item(old.public_id, on=date(2026, 11, 15), today=FIRST)
        add_item(sub.public_id, price=per_call(by, unit_price=Decimal(5)), starts_on=date(2026, 11, 15))
    run_billing(FIRST)
    run_billing(date(2026, 11, 15))
    run_billing(NEXT)
    with work():
        used(by, sub, "1", "2026-11-14T10:00Z")
        used(by, sub, "1", "2026-11-15T10:00Z")
    run_billing(AFTER)
    assert sorted(steps()) == [200, 500]
    proven()


def test_a_paused_one_is_corrected_when_no_more_can_come(calls: tuple[Meter, Subscription]) -> None:
    by, sub = calls
    with work():
        pause(sub.public_id, on=date(2026, 12, 3), today=date(2026, 12, 3))
    run_billing(date(2026, 12, 3))
    with work():
        sub.refresh_from_db()
        assert sub.state == "paused"
        used(by, sub, "2", "2026-11-11T10:00Z")
    run_billing(date(2027, 1, 8))
    assert steps() == [400]
    with work():
        sub.refresh_from_db()
        assert sub.state == "paused"
    proven()


def test_a_discount_of_then_is_taken_off_and_one_of_now_is_not(acorn: Scope) -> None:
    with work():
        by = meter("sum")
        sub = sold(per_call(by))
        coupon = create_coupon(code="HALF", name="Half", percent=Decimal(50), periods=1)
        give_coupon(sub.public_id, coupon=coupon.code, on=FIRST, today=FIRST)
        used(by, sub, "3", "2026-11-10T10:00Z")
    run_billing(FIRST)
    run_billing(NEXT)
    with work():
        used(by, sub, "3", "2026-11-11T10:00Z")
    run_billing(AFTER)
    with work():
        rows = BilledPeriod.objects.filter(item__price__meter=by).order_by("id")
        assert [row.amount_minor for row in rows] == [300, 0]
    assert steps() == [300]
    proven()


@pytest.mark.usefixtures("calls")
def test_what_a_person_credited_before_is_not_given_again() -> None:
    with work():
        invoice = Document.objects.filter(kind="invoice").order_by("-id")[0]
        credit(invoice.public_id, on=NEXT, reason="A wrong line", key="by-hand", amounts={2: 5500})
        void(["first"])
    run_billing(AFTER)
    with work():
        row = CorrectedPeriod.objects.get()
        assert (row.difference_minor, row.amount_minor, row.after_minor) == (-6000, -500, 0)
    proven()


@pytest.mark.parametrize(("by_hand", "given"), [(1000, -3000), (4000, 0), (5000, 0)])
def test_what_a_person_credited_of_a_part_is_not_given_again(
    calls: tuple[Meter, Subscription], by_hand: int, given: int
) -> None:
    """Of 100.00 in all 40.00 were never used."""
    by, sub = calls
    with work():
        used(by, sub, "20", "2026-12-02T10:00Z", "second")
        used(by, sub, "30", "2026-12-02T11:00Z")
    run_billing(AFTER)
    with work():
        invoice = Document.objects.filter(kind="invoice").order_by("-id")[0]
        credit(invoice.public_id, on=AFTER, reason="A wrong line", key="by-hand", amounts={2: by_hand})
        void(["second"])
        seen = next_bill(subscription(sub.public_id), today=THEN).credits
    run_billing(THEN)
    with work():
        row = CorrectedPeriod.objects.get()
        assert (row.difference_minor, row.amount_minor, row.after_minor) == (-4000, given, 6000)
        assert [-each.totals.net_minor for each in seen] == [given] * bool(given)
    proven()


def test_a_void_invoice_gives_nothing_back(calls: tuple[Meter, Subscription]) -> None:
    with work():
        invoice = Document.objects.filter(kind="invoice").order_by("-id")[0]
        void_invoice(invoice.public_id, on=NEXT, reason="All wrong")
        void(["first"])
    run_billing(AFTER)
    with work():
        row = CorrectedPeriod.objects.get()
        assert (row.difference_minor, row.amount_minor, row.document_id) == (-6000, 0, None)
    proven()


def test_a_customer_with_late_usage_is_not_archived_yet(calls: tuple[Meter, Subscription]) -> None:
    by, sub = calls
    with work():
        end(sub.public_id, on=NEXT, today=NEXT)
    run_billing(NEXT)
    with work():
        assert still_billed(sub.customer_id) == ""
        used(by, sub, "2", "2026-11-11T10:00Z")
        assert still_billed(sub.customer_id) != ""


def test_beat_comes_for_what_no_bill_comes_for(calls: tuple[Meter, Subscription]) -> None:
    by, sub = calls
    with work():
        end(sub.public_id, on=NEXT, today=NEXT)
    run_billing(NEXT)
    with work():
        used(by, sub, "2", "2026-11-11T10:00Z")
        mark = LateUsage.objects.get()
        assert mark.due_on == CLOSED
        assert late_usage().get() == mark
    for at, expected in ((mark.due_at - timedelta(seconds=1), 0), (mark.due_at, 1)):
        found = doors.due_work("late_usage", max_rows=10, per_tenant=10, wall=at)
        assert sum(map(len, found.values())) == expected
    with time_machine.travel(datetime(2027, 1, 6, 12, tzinfo=UTC)):
        bill_due([])
    assert steps() == [400]
    with work():
        assert not late_usage().exists()


def test_the_usage_of_another_organization_marks_nothing_here(
    calls: tuple[Meter, Subscription], birch: Scope
) -> None:
    with enter(birch), work():
        by = meter("sum")
        plan, price = (
            per_call(each, currency="USD", **given) for each, given in ((by, {}), (by, {"unit": "week"}))
        )
        sub = subscribe(
            customer=factories.customer().public_id, price=plan, starts_on=FIRST, added=[(price, Decimal(1))]
        )
    with enter(birch):
        run_billing(FIRST)
        run_billing(NEXT)
        with work():
            used(by, sub, "2", "2026-11-11T10:00Z")
            assert LateUsage.objects.count() == 1
    with work():
        assert not LateUsage.objects.exists()
    run_billing(AFTER)
    assert steps() == []


def test_a_correction_is_a_fact_that_nobody_changes(calls: tuple[Meter, Subscription]) -> None:
    by, sub = calls
    with work():
        used(by, sub, "2", "2026-11-11T10:00Z")
    run_billing(AFTER)
    with work():
        for act in (lambda rows: rows.update(after_minor=1), lambda rows: rows.delete()):
            with pytest.raises(Exception, match=r"append|denied|never"), transaction.atomic():
                act(CorrectedPeriod.objects.all())
        row = CorrectedPeriod.objects.get()
        row.pk = None
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save(force_insert=True)


ADD_UP = "the corrections of a billed period add up to what it says it comes to as it was counted last"


@pytest.mark.parametrize(("said", "check"), [
    ({"after_minor": 6500}, ADD_UP),
    ({"nth": 3}, ADD_UP),
    ({"quantity_before": 7}, ADD_UP),
    ({}, "what was counted after it was billed stands on an issued invoice of its own amount"),
    ({"difference_minor": -400, "amount_minor": -400, "after_minor": 5600},
     "what was billed and is not counted any more stands on a credit note over an invoice that billed it"),
])  # fmt: skip
def test_the_books_name_what_does_not_add_up(
    calls: tuple[Meter, Subscription], said: dict[str, Any], check: str
) -> None:
    with work(), dry_run():
        period = BilledPeriod.objects.filter(item__price__meter__isnull=False).get()
        CorrectedPeriod.objects.create(
            **{
                "subscription_id": period.subscription_id, "item_id": period.item_id, "run_id": period.run_id,
                "period_id": period.pk, "nth": 1, "document_id": period.document_id, "quantity_before": 30,
                "quantity_now": 32, "difference_minor": 400, "amount_minor": 400, "after_minor": 6400, **said,
            }
        )  # fmt: skip
        found = {each.check for each in verify()}
    assert check in found


def test_late_usage_is_named_by_the_replay_until_it_is_billed(calls: tuple[Meter, Subscription]) -> None:
    by, sub = calls
    with work():
        used(by, sub, "1", "2026-11-11T10:00Z")
    ((late),) = replay_billing().differences
    assert (late.billed_minor, late.would) == (6000, 6200)
    run_billing(AFTER)
    assert replay_billing().differences == []


@pytest.mark.parametrize("late", [False, True])
def test_statements_do_not_grow_with_what_came_late(acorn: Scope, late: bool) -> None:
    def statements(count: int) -> int:
        with work():
            by = meter("sum")
            price = per_call(by)
            subs = [sold(price) for _ in range(count)]
        run_billing(FIRST)
        run_billing(NEXT)
        with work():
            for sub in subs:
                for n in range(3 if late else 0):
                    used(by, sub, "2", f"2026-11-1{n}T10:00Z")
        with work(), dry_run():
            run = BillingRun.objects.get_or_create(as_of=AFTER)[0]
            ids = list(due(AFTER).values_list("id", flat=True))
            with CaptureQueriesContext(connection) as queries:
                runs._bill(run, ids, Expectation(AFTER))
            assert CorrectedPeriod.objects.exists() == late
            return len(queries)

    few, many = statements(2), statements(9)
    assert few == many <= (38 if late else 36)


def test_of_a_customer_who_wants_one_invoice_it_stands_on_the_common_one(acorn: Scope) -> None:
    with work():
        by = meter("sum")
        owner = factories.customer()
        Customer.objects.filter(pk=owner.pk).update(one_invoice=True)
        price = per_call(by)
        plan = create_price(name="P", code="p", model="flat", currency="EUR", unit_price=Decimal(29))
        subs = [
            subscribe(
                customer=owner.public_id, price=plan, starts_on=FIRST, added=[(price, Decimal(1))]
            )
            for _ in range(2)
        ]  # fmt: skip
        used(by, subs[0], "3", "2026-11-10T10:00Z", "wrong")
    run_billing(FIRST)
    run_billing(NEXT)
    with work():
        used(by, subs[1], "2", "2026-11-11T10:00Z")
        void(["wrong"])
        shown = next_bill(subscription(subs[0].public_id), today=AFTER)
        assert shown.totals is not None
    assert run_billing(AFTER).documents == 1
    assert sorted(steps()) == [-600, 400]
    with work():
        last = Document.objects.filter(kind="invoice").order_by("-id")[0]
        assert last.net_minor == shown.totals.net_minor == 2 * 2900 + 400
        end(subs[0].public_id, on=AFTER, today=AFTER)
        end(subs[1].public_id, on=AFTER, today=AFTER)
    run_billing(AFTER)
    with time_machine.travel(datetime(2027, 1, 4, 12, tzinfo=UTC)), work():
        for sub in subs:
            used(by, sub, "1", "2026-12-20T10:00Z")
    assert run_billing(date(2027, 2, 6)).documents == 1
    proven()

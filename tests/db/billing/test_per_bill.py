"""An amount per bill as runs bill it: shared by the lines of a day, kept with each period, once and not more."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.domain.anchors import Rhythm
from billing.models import (
    BilledPeriod,
    CorrectedPeriod,
    DiscountShare,
    HeldSubscription,
    Meter,
    Subscription,
    SubscriptionDiscount,
)
from billing.previews import next_bill
from billing.services.change import change
from billing.services.discounts import create_coupon, discount, end_discount, give_coupon
from billing.services.run import run_billing
from billing.services.subscriptions import add_item, end
from billing.services.usage_voids import void
from core.books import verify
from core.errors import Invalid
from core.scope import Scope, work
from invoicing.models import Document, Line
from tests import factories
from tests.billed import proven
from tests.db.billing.test_discounts import amounts, nothing_held
from tests.db.billing.test_lifecycle import JULY, JUNE, MID, bought, credited, flat
from tests.db.billing.test_metered import counted, sold, used
from tests.metering import meter

AUGUST = date(2026, 8, 1)
NOVEMBER, DECEMBER, JANUARY = date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)


def with_amount(amount: int, *more: int, plan: int = 100, **given: object) -> Subscription:
    """A plan and add-ons from June on, with an amount off each bill."""
    sub = bought(plan)
    for price in more:
        add_item(sub.public_id, price=flat(price), starts_on=JUNE)
    discount(sub.public_id, name="Gift", amount=Decimal(amount), today=JUNE, **given)  # type: ignore[arg-type]
    return sub


def invoices() -> list[int]:
    with work():
        rows = Document.objects.filter(kind="invoice").order_by("id")
        return [int(row.net_minor) for row in rows]


def test_it_is_once_off_a_bill_and_the_lines_share_it(acorn: Scope) -> None:
    with work():
        sub = with_amount(10, 50, 50)
        coming = next_bill(sub, today=JUNE)
        assert coming.totals is not None
        assert coming.totals.net_minor == 19000
    run_billing(JUNE)
    assert amounts() == [9500, 4750, 4750]
    run_billing(JULY)
    assert invoices() == [19000, 19000]
    nothing_held()
    with work():
        kept = DiscountShare.objects.order_by("id").values_list("due_on", "amount_minor")
        assert list(kept) == [(on, minor) for on in (JUNE, JULY) for minor in (500, 250, 250)]
        assert (
            Line.objects.order_by("id").values_list("detail", flat=True)[0]
            == "100.00, 5.00 of 10.00 off (Gift)"
        )
        assert list(BilledPeriod.objects.values_list("discount_minor", flat=True).order_by("id")[:2]) == [
            500,
            250,
        ]
    proven()


def test_three_months_late_it_is_off_each_of_the_three(acorn: Scope) -> None:
    with work():
        with_amount(10, 50)
    run_billing(AUGUST)
    assert sum(amounts()) == 3 * 14000
    nothing_held()
    proven()


def test_off_each_line_where_that_is_agreed(acorn: Scope) -> None:
    with work():
        with_amount(10, 50, per="line")
        assert not DiscountShare.objects.exists()
    run_billing(JUNE)
    assert amounts() == [9000, 4000]
    proven()


def test_what_ends_gives_back_its_share_of_the_rest(acorn: Scope) -> None:
    with work():
        sub = with_amount(30, 50)
    run_billing(JUNE)
    with work():
        end(sub.public_id, on=MID, today=MID)
    run_billing(MID)
    assert amounts() == [8000, 4000]
    assert credited() == [("2026-06-16", "2026-07-01", 4000), ("2026-06-16", "2026-07-01", 2000)]
    proven()


def test_changed_on_the_day_it_was_billed_the_new_plan_has_it(acorn: Scope) -> None:
    with work():
        sub = with_amount(10)
    run_billing(JUNE)
    with work():
        change(sub.public_id, price=flat(200), on=JUNE, today=JUNE)
    run_billing(JUNE)
    assert amounts() == [9000, 19000]
    assert credited() == [("2026-06-01", "2026-07-01", 9000)]
    nothing_held()
    proven()


def test_changed_again_on_that_day_it_is_still_once(acorn: Scope) -> None:
    with work():
        sub = with_amount(10)
    for price in (200, 300):
        run_billing(JUNE)
        with work():
            change(sub.public_id, price=flat(price), on=JUNE, today=JUNE)
    run_billing(JUNE)
    assert amounts() == [9000, 19000, 29000]
    proven()


def test_what_is_added_on_a_billed_day_has_none_of_it(acorn: Scope) -> None:
    with work():
        sub = with_amount(10)
    run_billing(JUNE)
    with work():
        add_item(sub.public_id, price=flat(50), starts_on=JUNE)
    run_billing(JUNE)
    assert amounts() == [9000, 5000]
    nothing_held()
    run_billing(JULY)
    assert amounts()[2:] == [9333, 4667], "from the next day on both share it"
    proven()


def test_a_change_in_the_middle_is_a_bill_of_its_own(acorn: Scope) -> None:
    with work():
        sub = with_amount(10)
    run_billing(JUNE)
    with work():
        change(sub.public_id, price=flat(200), on=MID, today=MID)
    run_billing(MID)
    assert amounts() == [9000, 9000], "15 of 30 days of 200, less 10"
    assert credited() == [("2026-06-16", "2026-07-01", 4500)]
    proven()


def test_it_is_for_the_plans_it_names_alone(acorn: Scope) -> None:
    with work():
        sub = bought(100)
        more = [add_item(sub.public_id, price=flat(each), starts_on=JUNE) for each in (50, 30)]
        codes = [each.price.plan.code for each in more]
        create_coupon(code="BOTH", name="Both", amount=Decimal(16), currency="EUR", plans=codes)
        given = give_coupon(sub.public_id, coupon="BOTH", today=JUNE)
        assert given.per == "bill"
    run_billing(JUNE)
    assert amounts() == [10000, 4000, 2400]
    nothing_held()
    proven()


def test_ended_it_is_off_no_later_bill(acorn: Scope) -> None:
    with work():
        with_amount(10, 50)
    run_billing(JUNE)
    with work():
        end_discount(SubscriptionDiscount.objects.get().public_id, on=JULY, today=JUNE)
    run_billing(JULY)
    assert invoices() == [14000, 15000]
    nothing_held()
    proven()


def test_a_customer_s_first_days_by_the_calendar(acorn: Scope) -> None:
    with work():
        sub = bought(30, date(2026, 6, 11), rhythm=Rhythm(calendar=True))
        discount(sub.public_id, name="Gift", amount=Decimal(5), today=JUNE)
    run_billing(JULY)
    assert amounts() == [1500, 2500], "20 of 30 days, then a month"
    proven()


def test_a_run_again_takes_nothing_more(acorn: Scope) -> None:
    with work():
        with_amount(10, 50)
    for _ in range(2):
        run_billing(JUNE)
    assert invoices() == [14000]
    with work():
        assert DiscountShare.objects.count() == 2


def test_many_with_amounts_take_as_many_statements(acorn: Scope) -> None:
    def bills() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            run_billing(JUNE)
        return len(seen)

    with work():
        with_amount(10, 50)
    one = bills()
    with work():
        for _ in range(5):
            with_amount(10, 50, 20)
    assert bills() <= one + 2


def test_a_share_that_is_lost_is_seen(acorn: Scope) -> None:
    """What was billed is proven by what is kept: without it the replay comes to something else."""
    with work():
        with_amount(10, 50)
    run_billing(JUNE)
    proven()
    with work():
        DiscountShare.objects.order_by("id").last().delete()  # type: ignore[union-attr]
    with pytest.raises(AssertionError):
        proven()


def test_more_than_the_amount_on_one_day_is_seen(acorn: Scope) -> None:
    with work():
        with_amount(10, 50)
    run_billing(JUNE)
    with work():
        share = DiscountShare.objects.order_by("id").first()
        assert share is not None
        DiscountShare.objects.filter(pk=share.pk).update(amount_minor=share.amount_minor + 1)
        found = verify()
        assert [each for each in found if "amount per bill" in str(each)], found
        DiscountShare.objects.filter(pk=share.pk).update(amount_minor=share.amount_minor)


@pytest.mark.parametrize(("said", "field"), [
    ({"percent": Decimal(5), "per": "bill"}, "per"), ({"amount": Decimal(5), "per": "month"}, "per"),
])  # fmt: skip
def test_what_it_cannot_be_off_is_named(acorn: Scope, said: dict[str, object], field: str) -> None:
    with work(), pytest.raises(Invalid) as found:
        discount(bought(100).public_id, name="x", today=JUNE, **said)  # type: ignore[arg-type]
    assert set(found.value.fields) == {field}
    currency = {"currency": "EUR"} if "amount" in said else {}
    with work(), pytest.raises(Invalid) as found:
        create_coupon(code="x", name="x", **currency, **said)  # type: ignore[arg-type]
    assert set(found.value.fields) == {field}


def test_the_gate_holds_a_bill_that_lost_it(acorn: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    with work():
        with_amount(30, 50)
    run_billing(JUNE)
    monkeypatch.setattr("billing.domain.charges.shared_out", lambda _facts, found, _returned: list(found))
    run_billing(JULY)
    assert len(amounts()) == 2
    with work():
        (held,) = HeldSubscription.objects.values_list("reason", flat=True)
    assert "Discounts take off" in held
    monkeypatch.undo()


@pytest.fixture
def metered(acorn: Scope) -> Iterator[tuple[Meter, Subscription]]:
    """29 a month and 2.00 a call in arrears, 7.00 off each bill from November on; billed through December's first."""
    with time_machine.travel(datetime(2026, 12, 3, 12, tzinfo=UTC), tick=True):
        with work():
            by = meter("sum")
            sub = sold(counted(by, model="per_unit", unit_price=Decimal(2)))
            used(by, sub, "3", "2026-11-10T10:00Z", "first")
            discount(sub.public_id, name="Gift", amount=Decimal(7), today=NOVEMBER)
        run_billing(NOVEMBER)
        run_billing(DECEMBER)
        yield by, sub


def test_usage_shares_it_with_the_plan_of_its_bill(metered: tuple[Meter, Subscription]) -> None:
    assert invoices() == [2200, 2800]
    assert amounts() == [2200, 480, 2320], "29 and 6 less 5.80 and 1.20"
    proven()


def test_once_is_one_bill_where_usage_of_its_month_comes_on_the_next(
    metered: tuple[Meter, Subscription],
) -> None:
    by, sub = metered
    with work():
        used(by, sub, "3", "2026-12-02T10:00Z")
        discount(sub.public_id, name="Once", amount=Decimal(10), periods=1, today=JANUARY)
    for day in (JANUARY, date(2027, 2, 1)):
        run_billing(day)
    assert invoices()[2:] == [2900 + 600 - 700 - 1000, 2900 - 700]
    nothing_held()
    proven()


def test_of_a_plan_in_arrears_two_periods_are_the_two_bills_after_them(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        sub = factories.subscribe(customer=owner.public_id, price=flat(100, timing="arrears"), starts_on=JUNE)
        discount(sub.public_id, name="Gift", amount=Decimal(10), periods=2, today=JUNE)
        add_item(sub.public_id, price=flat(50), starts_on=JUNE)
    for month in (6, 7, 8, 9):
        run_billing(date(2026, month, 1))
    assert invoices() == [5000, 14000, 14000, 15000]
    nothing_held()
    proven()


def test_usage_that_comes_late_leaves_the_shares_as_they_were(metered: tuple[Meter, Subscription]) -> None:
    by, sub = metered
    with work():
        used(by, sub, "1.5", "2026-11-11T10:00Z")
    run_billing(JANUARY)
    with work():
        steps = list(CorrectedPeriod.objects.values_list("difference_minor", "after_minor"))
    assert steps == [(300, 780)], "4.5 x 2.00 less the 1.20 that it had"
    assert invoices()[2] == 2900 - 700 + 300
    proven()


def test_usage_that_is_void_gives_no_more_back_than_it_came_to(metered: tuple[Meter, Subscription]) -> None:
    with work():
        void(["first"])
    run_billing(JANUARY)
    with work():
        assert list(CorrectedPeriod.objects.values_list("difference_minor", "after_minor")) == [(-480, 0)]
    proven()

"""Discounts that came to nothing, and good bills with discounts that were held."""

from datetime import date
from decimal import Decimal

import pytest

from billing import listing, previews
from billing.domain.anchors import Rhythm
from billing.domain.proration import Proration
from billing.models import SubscriptionDiscount
from billing.services.change import change
from billing.services.discounts import create_coupon, discount, end_discount, give_coupon
from billing.services.lifecycle import pause, reactivate, resume
from billing.services.run import run_billing
from billing.services.subscriptions import add_item, end
from core.scope import Scope, work
from ledger.models import PeriodLock
from tests import factories
from tests.billed import billed, proven
from tests.db.billing.test_discounts import amounts, nothing_held
from tests.db.billing.test_lifecycle import JULY, JUNE, MID, bought, flat

AUGUST, SEPTEMBER = date(2026, 8, 1), date(2026, 9, 1)


def test_given_once_within_a_period_it_is_for_the_next_one(acorn: Scope) -> None:
    with work():
        sub = bought(100)
    run_billing(JUNE)
    with work():
        given = discount(sub.public_id, name="x", percent=Decimal(10), periods=1, on=MID, today=MID)
        assert (given.starts_on, given.ends_on) == (MID, AUGUST)
    run_billing(AUGUST)
    assert amounts() == [10000, 9000, 10000]
    proven()


def test_by_default_it_is_for_the_first_period_that_may_have_it(acorn: Scope) -> None:
    """The plan is billed in arrears, so its period under way is not billed, but what is beside it is."""
    with work():
        owner = factories.customer()
        price = flat(100, timing="arrears")
        sub = factories.subscribe(customer=owner.public_id, price=price, starts_on=JUNE)
        add_item(sub.public_id, price=flat(10), starts_on=JUNE)
    run_billing(MID)
    with work():
        given = discount(sub.public_id, name="x", percent=Decimal(10), periods=1, today=MID)
        assert (given.starts_on, given.ends_on) == (JULY, AUGUST)
        assert end_discount(given.public_id, today=MID).ends_on == JULY
    proven()


def test_a_discount_for_one_plan_ends_with_the_plan_and_holds_no_bill(acorn: Scope) -> None:
    with work():
        sub = bought(100)
        codes = [sub.price.plan.code]
        discount(sub.public_id, name="Of this", percent=Decimal(10), plans=codes, today=JUNE)
        other = flat(60)
    run_billing(JUNE)
    for price, day in ((other, JULY), (sub.price, AUGUST)):
        with work():
            change(sub.public_id, price=price, on=day, today=JUNE if day == JULY else JULY)
        run_billing(day)
        nothing_held()
    assert amounts() == [9000, 6000, 9000]
    proven()


def test_more_than_one_discount_over_time_holds_no_bill(acorn: Scope) -> None:
    """One runs out and is given again, one is ended and another of its name given, one never holds."""
    with work():
        sub = bought(100)
        create_coupon(code="C", name="C", percent=Decimal(10), periods=1)
        give_coupon(sub.public_id, coupon="C", today=JUNE)
        first = discount(sub.public_id, name="x", percent=Decimal(5), today=JUNE)
    run_billing(JUNE)
    with work():
        end_discount(first.public_id, today=JUNE)
        never = discount(sub.public_id, name="y", percent=Decimal(5), today=JUNE)
        end_discount(never.public_id, on=JULY, today=JUNE)
        give_coupon(sub.public_id, coupon="C", today=JUNE)
        discount(sub.public_id, name="x", percent=Decimal(7), today=JUNE)
    run_billing(JULY)
    run_billing(AUGUST)
    nothing_held()
    assert amounts() == [8550, 8370, 9300]
    proven()


@pytest.mark.parametrize(("before", "after"), [("10", "50"), ("10", "0")])
def test_a_discount_that_became_another_is_held_still(acorn: Scope, before: str, after: str) -> None:
    with work():
        sub = bought(100)
        discount(sub.public_id, name="x", percent=Decimal(before), today=JUNE)
        discount(sub.public_id, name="y", percent=Decimal(1), today=JUNE)
    run_billing(JUNE)
    with work():
        rows = SubscriptionDiscount.objects.filter(name="x")
        rows.update(percent=Decimal(after)) if after != "0" else rows.delete()
        discount(sub.public_id, name="z", percent=Decimal(2), today=JUNE)
    run_billing(JULY)
    assert len(billed()) == 1
    with work():
        sub.refresh_from_db()
        assert sub.held_reason.startswith("The discount x is ")
        assert "discount z" not in sub.held_reason


@pytest.mark.parametrize("by", list(Proration))
def test_a_long_life_holds_no_bill(acorn: Scope, by: Proration) -> None:
    """Changes, pauses, an end and its return, with discounts given between them, billed as the days come."""
    first = date(2026, 1, 10)
    with work():
        sub = bought(100, first, tax=19, rhythm=Rhythm(calendar=True, proration=by)).public_id
        add_item(sub, price=flat(21, timing="arrears"), starts_on=first)
        add_item(sub, price=flat(120, unit="year"), starts_on=date(2026, 2, 5))
        create_coupon(code="C", name="C", percent=Decimal(20), periods=3)
        create_coupon(code="D", name="D", amount=Decimal(15), currency="EUR", periods=2)
        dear = flat(220)
    acts = {
        date(2026, 2, 14): lambda day: change(sub, price=dear, on=day, today=day),
        date(2026, 2, 15): lambda day: give_coupon(sub, coupon="C", today=day),
        date(2026, 3, 10): lambda day: discount(
            sub, name="Sorry", amount=Decimal(30), plans=[dear.plan.code], periods=2, today=day
        ),
        date(2026, 4, 12): lambda day: pause(sub, on=day, resumes_on=date(2026, 5, 20), today=day),
        date(2026, 5, 25): lambda day: give_coupon(sub, coupon="D", today=day),
        date(2026, 6, 8): lambda day: end(sub, on=day, today=day, refund=True),
        date(2026, 6, 20): lambda day: reactivate(sub, on=day, today=day),
        date(2026, 7, 2): lambda day: change(sub, quantity=Decimal(4), on=day, today=day),
        date(2026, 7, 9): lambda day: change(sub, quantity=Decimal(6), on=date(2026, 7, 5), today=day),
        date(2026, 7, 20): lambda day: pause(sub, on=day, today=day),
        date(2026, 8, 2): lambda day: resume(sub, on=day, today=day),
    }
    for day in sorted({*acts, first, *(date(2026, month, 1) for month in range(2, 12))}):
        if day in acts:
            with work():
                acts[day](day)
        run_billing(day)
        nothing_held()
    proven()


def test_what_comes_next_is_shown_while_the_books_are_closed(acorn: Scope) -> None:
    """A credit is due that no open book can take: the page says so and stays."""
    with work():
        sub = bought(10)
    run_billing(JUNE)
    with work():
        end(sub.public_id, on=MID, today=MID)
        PeriodLock.objects.create(entity_id=sub.customer.entity_id, closed_through=MID)
        bill = previews.next_bill(listing.subscription(sub.public_id), today=MID)
    assert (bill.charge, bill.odd) == (None, "The books of that period are closed.")


def test_a_discount_is_seen_once_per_name_on_a_day(acorn: Scope) -> None:
    """Two of one name at once are still asked about."""
    with work():
        sub = bought(100)
        for _ in range(2):
            discount(sub.public_id, name="x", percent=Decimal(5), today=JUNE)
    run_billing(SEPTEMBER)
    with work():
        sub.refresh_from_db()
        assert sub.held_reason.startswith("The discount x is granted more than once.")

"""By the second, whatever comes on one and the same day, and in whichever order: no second twice and none left out."""

from datetime import date, time, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db.models import Sum

from billing.domain.anchors import Rhythm
from billing.domain.proration import Proration
from billing.models import BilledPeriod, Subscription
from billing.previews import next_bill
from billing.services.change import change, subscribe_in_steps
from billing.services.discounts import discount
from billing.services.lifecycle import pause, reactivate, resume
from billing.services.run import run_billing
from billing.services.steps import Step
from billing.services.subscriptions import end
from core.periods import local_midnight
from core.scope import Scope, work
from customers.models import Customer
from tests import factories
from tests.billed import billed, proven
from tests.db.billing.test_change import priced
from tests.db.billing.test_lifecycle import credited, flat
from tests.db.billing.test_seconds import (
    AUGUST,
    JULY,
    MID,
    NOON,
    WHOLE,
    by_seconds,
    changed,
    plan,
)

EARLY, REST = date(2026, 7, 11), ("2026-07-16", "2026-08-01")
NINE, SIX, EVENING = time(9), time(6), time(18)


def ended(sub: Subscription, on: date, at: time, today: date | None = None) -> Subscription:
    with work():
        return end(sub.public_id, on=on, at=at, today=today or on)


def again(sub: Subscription, on: date) -> None:
    with work():
        reactivate(sub.public_id, on=on, today=on)


def beside_arrears() -> Subscription:
    """31 a month, and something beside it that is billed when the month is over, so that it is not over before."""
    return by_seconds(31, added=[(flat(0, timing="arrears"), Decimal(1))])


@pytest.fixture
def dear_from_noon(acorn: Scope) -> Subscription:
    """31 a month in July, 62 from noon of the 16th on, all of it billed and credited."""
    with work():
        sub, dear = by_seconds(31), flat(62)
    run_billing(JULY)
    changed(sub, dear, MID, NOON)
    run_billing(MID)
    assert (billed(), credited()) == ([(*WHOLE, 3100), (*REST, 3100)], [(*REST, 1550)])
    return sub


def test_an_end_before_what_is_billed_of_its_day_comes_when_that_does(dear_from_noon: Subscription) -> None:
    found = ended(dear_from_noon, MID, NINE)
    assert found.ends_time == NOON
    assert ended(dear_from_noon, MID, NINE).version == found.version, "the same wish again changes nothing"
    run_billing(MID)
    assert credited()[1:] == [(*REST, 3100)]
    proven()


@pytest.mark.parametrize("at", [NINE, NOON, EVENING])
def test_taken_up_on_the_day_of_a_change_it_goes_on_from_that(dear_from_noon: Subscription, at: time) -> None:
    """Half a month of each, however often it ends that day."""
    for _ in range(2):
        ended(dear_from_noon, MID, at)
        run_billing(MID)
        again(dear_from_noon, MID)
        run_billing(MID)
    assert billed()[1:] == [(*REST, 3100)] * 3
    assert credited() == [(*REST, 1550), (*REST, 3100), (*REST, 3100)]
    proven()


def test_a_plan_billed_up_to_a_time_is_not_over_before(acorn: Scope) -> None:
    with work():
        sub, dear = by_seconds(31), flat(62)
        change(sub.public_id, price=dear, on=MID, at=NOON, today=JULY)
    run_billing(JULY)
    assert ended(sub, MID, NINE).ends_time == NOON
    run_billing(MID)
    assert (billed(), credited()) == ([("2026-07-01", "2026-07-16", 1550)], [])
    proven()


def test_what_was_to_begin_after_its_end_begins_with_it_when_it_is_taken_up(acorn: Scope) -> None:
    """To be dear from noon, over at nine; taken up that day, it is dear from nine."""
    with work():
        sub, dear = by_seconds(31), flat(62)
    run_billing(JULY)
    changed(sub, dear, MID, NOON)
    ended(sub, MID, NINE)
    run_billing(MID)
    assert credited() == [(*REST, 1563)]  # 15 days and 15 hours: 1562.5
    again(sub, MID)
    run_billing(MID)
    assert billed()[1:] == [(*REST, 3125)]
    assert plan(sub) == [
        ("2026-07-01", "00:00", "2026-07-16", "09:00"),
        ("2026-07-16", "09:00", "", "00:00"),
    ]
    proven()


def test_gone_on_with_on_the_day_of_a_change_it_goes_on_from_that(dear_from_noon: Subscription) -> None:
    sub = dear_from_noon
    with work():
        pause(sub.public_id, on=MID, today=MID)
    run_billing(MID)
    with work():
        resume(sub.public_id, on=MID, today=MID)
    run_billing(MID)
    assert billed()[1:] == [(*REST, 3100)] * 2
    assert credited()[1:] == [(*REST, 3100)]
    proven()


def test_gone_on_with_on_the_first_day_of_a_period_it_goes_on_from_the_change(acorn: Scope) -> None:
    with work():
        sub, dear = by_seconds(31, date(2026, 6, 1)), flat(62)
    run_billing(JULY)
    changed(sub, dear, JULY, NOON)
    run_billing(JULY)
    with work():
        pause(sub.public_id, on=JULY, today=JULY)
    run_billing(JULY)
    with work():
        resume(sub.public_id, on=JULY, today=JULY)
    run_billing(JULY)
    assert billed()[1:] == [(*WHOLE, 3100), (*WHOLE, 6100), (*WHOLE, 6100)]
    assert credited() == [(*WHOLE, 3050), (*WHOLE, 6100)]
    proven()


@pytest.mark.parametrize("timing", ["advance", "arrears"])
def test_taken_up_where_its_end_was_that_of_a_period_all_of_the_next_is_billed(
    acorn: Scope, timing: str
) -> None:
    with work():
        sub = by_seconds(flat(31, timing=timing))
        end(sub.public_id, on=AUGUST, at=NOON, today=JULY)
    run_billing(AUGUST)
    again(sub, AUGUST)
    run_billing(date(2026, 9, 1))
    assert billed()[:2] == [(*WHOLE, 3100), ("2026-08-01", "2026-09-01", 3100)]
    proven()


def test_what_was_billed_up_to_an_end_stays_so_when_that_is_gone(acorn: Scope) -> None:
    """Billed up to the 16th at six in the evening; changed on the 11th, and then taken up again."""
    with work():
        sub, dear = beside_arrears(), flat(62)
        end(sub.public_id, on=MID, at=EVENING, today=JULY)
    run_billing(JULY)
    changed(sub, dear, EARLY, NOON)
    run_billing(EARLY)
    assert credited() == [("2026-07-11", "2026-07-16", 525)]
    run_billing(MID)
    again(sub, date(2026, 7, 17))
    run_billing(date(2026, 7, 17))
    proven()


def test_what_is_credited_after_its_end_is_gone_is_so_to_the_second(acorn: Scope) -> None:
    with work():
        sub, dear = beside_arrears(), flat(62)
        end(sub.public_id, on=MID, at=EVENING, today=JULY)
    run_billing(JULY)
    changed(sub, dear, EARLY, NOON)
    again(sub, MID)
    run_billing(MID)
    assert credited() == [("2026-07-11", "2026-07-16", 525)]
    proven()


def test_what_was_billed_up_to_a_change_stays_so_when_it_ended_before(acorn: Scope) -> None:
    with work():
        sub, dear = by_seconds(31), flat(62)
        change(sub.public_id, price=dear, on=MID, at=NOON, today=JULY)
    run_billing(JULY)
    ended(sub, EARLY, NINE)
    run_billing(EARLY)
    assert credited() == [("2026-07-11", "2026-07-16", 513)]  # five days and three hours: 512.5
    again(sub, date(2026, 7, 12))
    run_billing(date(2026, 7, 12))
    proven()


def test_what_is_beside_the_plan_ends_and_begins_again_at_the_same_time(acorn: Scope) -> None:
    """But for what is billed by weeks, one of which begins on the day: it is billed whole where it begins again."""
    with work():
        weekly = flat(7, unit="week")
        sub = by_seconds(31, added=[(flat(62), Decimal(1)), (weekly, Decimal(1))], starts_on=date(2026, 7, 1))
    monday = date(2026, 7, 13)
    run_billing(date(2026, 7, 6))
    ended(sub, monday, NOON)
    run_billing(monday)
    assert credited() == [("2026-07-13", "2026-08-01", 1850), ("2026-07-13", "2026-08-01", 3700)]
    before = len(billed())
    again(sub, monday)
    run_billing(monday)
    with work():
        rows = BilledPeriod.objects.order_by("id")[before:]
        assert sorted(row.amount_minor for row in rows) == [700, 1850, 3700]
    proven()


@pytest.mark.parametrize(("percent", "amount"), [(10, 0), (0, 5)])
def test_discounts_come_off_what_a_part_by_the_second_costs(acorn: Scope, percent: int, amount: int) -> None:
    """And what is credited is its part of what was billed."""
    with work():
        sub, dear = by_seconds(31), flat(62)
        discount(
            sub.public_id, name="Welcome", percent=Decimal(percent) or None, amount=Decimal(amount) or None, today=JULY,
        )  # fmt: skip
    run_billing(JULY)
    with work():
        change(sub.public_id, price=dear, on=MID, at=NOON, today=MID)
        bill = next_bill(Subscription.objects.get(), today=MID, settled=True)
    run_billing(MID)
    whole = 3100 - 31 * percent - 100 * amount
    assert billed() == [(*WHOLE, whole), (*REST, whole)]
    assert credited() == [(*REST, whole // 2)]
    assert bill.due_minor == whole - whole // 2
    proven()


def test_a_least_amount_is_shared_by_the_second(acorn: Scope) -> None:
    with work():
        sub, dear = (
            by_seconds(priced(unit_price=Decimal(1), minimum=Decimal(31), tax_percent=Decimal(0))),
            flat(62),
        )
    run_billing(JULY)
    changed(sub, dear, MID, NOON)
    run_billing(MID)
    assert billed() == [(*WHOLE, 3100), (*REST, 3100)]
    assert credited() == [(*REST, 1550)]
    proven()


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Beirut"])
def test_a_day_on_which_clocks_are_changed_is_shared_like_any_other(acorn: Scope, zone: str) -> None:
    """Each of 2026's days, by days and by its noon: a month's two parts are the month."""
    for day in changed_clocks(zone):
        with work():
            owner = factories.customer()
            Customer.objects.filter(pk=owner.pk).update(zone=zone)
            rhythm = Rhythm(calendar=True, proration=Proration.SECOND)
            sub = factories.subscribe(
                customer=owner.public_id, price=flat(0), starts_on=day.replace(day=1), rhythm=rhythm
            )
            change(sub.public_id, price=flat(4320), on=day, at=NOON, today=day)
            after = day.replace(day=28) + timedelta(days=4)
            end(sub.public_id, on=after.replace(day=1), today=day)
        run_billing(day)
        with work():
            got = BilledPeriod.objects.filter(subscription=sub).aggregate(sum=Sum("amount_minor"))["sum"]
        days = (after.replace(day=1) - day.replace(day=1)).days
        assert got == round(432000 * Fraction(2 * (days - day.day + 1) - 1, 2 * days)), day
    proven()


def changed_clocks(zone: str) -> list[date]:
    """The days of 2026 that have not 24 hours there."""
    days = (date(2026, 1, 1) + timedelta(days=n) for n in range(364))
    found = [
        day
        for day in days
        if local_midnight(day + timedelta(days=1), zone) - local_midnight(day, zone) != timedelta(days=1)
    ]
    assert found
    return found


@pytest.mark.parametrize(("currency", "minor", "half"), [("JPY", 31, 16), ("KWD", 31000, 15500)])
def test_currencies_without_and_with_three_decimals(
    acorn: Scope, currency: str, minor: int, half: int
) -> None:
    with work():
        owner = factories.customer()
        Customer.objects.filter(pk=owner.pk).update(currency=currency)
        rhythm = Rhythm(calendar=True, proration=Proration.SECOND)
        price, other = (flat(each, currency=currency) for each in (31, 62))
        sub = factories.subscribe(customer=owner.public_id, price=price, starts_on=JULY, rhythm=rhythm)
    run_billing(JULY)
    changed(sub, other, MID, NOON)
    run_billing(MID)
    assert billed() == [(*WHOLE, minor), (*REST, minor)]
    assert credited() == [(*REST, half)]
    proven()


def test_steps_said_at_its_beginning_hold_from_their_times(acorn: Scope) -> None:
    """Also in the past, and whether each run came in time or one comes for all of it."""
    first, noon_of_8 = date(2026, 7, 1), date(2026, 7, 8)
    steps = [
        Step(quantity=Decimal(2), on=MID, at=SIX),
        Step(quantity=Decimal(3), on=noon_of_8, at=NOON),
        Step(quantity=Decimal(5), on=AUGUST, at=NOON),
    ]
    with work():
        for _ in range(2):
            subscribe_in_steps(
                customer=factories.customer().public_id,
                price=priced(unit_price=Decimal(31), tax_percent=Decimal(0)),
                starts_on=first,
                rhythm=Rhythm(calendar=True, proration=Proration.SECOND),
                steps=steps,
                today=date(2026, 7, 20),
            )
    for day in (first, noon_of_8, MID, AUGUST):
        run_billing(day)
    with work():
        rows = BilledPeriod.objects.order_by("subscription_id", "period_start")
        got = [(str(row.period_start), str(row.until), row.amount_minor) for row in rows]
    each = [
        ("2026-07-01", "12:00:00", 750),
        ("2026-07-08", "06:00:00", 2325),
        ("2026-07-16", "00:00:00", 3150),
        ("2026-08-01", "00:00:00", 15500),
    ]
    assert got == each * 2
    proven()

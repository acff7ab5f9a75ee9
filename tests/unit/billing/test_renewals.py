"""When a plan renews, and that what is told of it is what the run bills on that day."""

from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.domain.charges import charge
from billing.domain.discounts import Discount
from billing.domain.dues import Odd
from billing.domain.facts import Billed, ItemFacts, SubscriptionFacts, Timing
from billing.domain.pricing import Model, Terms
from billing.domain.renewals import MONTH, YEAR, Renewal, bill_of, renewal
from core.periods import Period, Unit

BEGAN = date(2025, 12, 1)
NEXT = date(2026, 12, 1)
ITEM = ItemFacts(
    item_id=1, public_id="si_1", name="Pro", terms=Terms(Model.FLAT, unit_price=Decimal(100)), quantity=Decimal(1),
    tax_percent=Decimal(19), unit=Unit.YEAR, every=1, timing=Timing.ADVANCE, starts_on=BEGAN, ends_on=None,
    billed_through=NEXT,
)  # fmt: skip
FACTS = SubscriptionFacts(
    subscription_id=1, public_id="sub_1", customer_id=1, entity_id=1, currency="EUR", anchor=BEGAN,
    zone="Europe/Berlin", ends_on=None, terms_days=14, autopay=False, items=(ITEM,),
)  # fmt: skip


def found(facts: SubscriptionFacts = FACTS, **given: Any) -> Renewal | None:
    said: dict[str, Any] = {
        "starts_on": BEGAN, "trial_ends_on": None, "today": date(2026, 11, 20), "within": 14, "least": YEAR, **given,
    }  # fmt: skip
    return renewal(facts, **said)


def on(facts: SubscriptionFacts = FACTS, **given: Any) -> date | None:
    one = found(facts, **given)
    return one.on if one else None


def of(**item: Any) -> SubscriptionFacts:
    return replace(FACTS, items=(replace(ITEM, **item),))


def test_a_renewal_is_told_from_its_days_before_on_to_the_day_before() -> None:
    assert [on(today=NEXT - timedelta(days=n)) for n in (15, 14, 1, 0)] == [None, NEXT, NEXT, None]
    one = found()
    assert one is not None
    assert (one.trial, one.last_day) == (False, date(2027, 11, 30))


@pytest.mark.parametrize(
    ("unit", "every", "month", "year"),
    [
        (Unit.YEAR, 1, True, True),
        (Unit.MONTH, 12, True, True),
        (Unit.MONTH, 11, True, False),
        (Unit.QUARTER, 4, True, True),
        (Unit.QUARTER, 1, True, False),
        (Unit.MONTH, 1, True, False),
        (Unit.WEEK, 52, True, True),
        (Unit.WEEK, 4, False, False),
        (Unit.DAY, 30, True, False),
        (Unit.DAY, 29, False, False),
    ],
)
def test_only_long_intervals_are_told_of(unit: Unit, every: int, month: bool, year: bool) -> None:
    facts = replace(of(unit=unit, every=every, starts_on=date(2020, 1, 1)), anchor=NEXT)
    given = {"starts_on": date(2020, 1, 1)}
    assert (on(facts, least=MONTH, **given) == NEXT, on(facts, least=YEAR, **given) == NEXT) == (month, year)


@pytest.mark.parametrize("ends_on", [NEXT, date(2026, 11, 25)])
def test_what_ends_does_not_renew(ends_on: date) -> None:
    assert on(replace(FACTS, ends_on=ends_on)) is None
    assert on(of(ends_on=ends_on)) is None  # as a pause leaves it
    assert on(replace(FACTS, ends_on=NEXT + timedelta(days=1))) == NEXT


def test_the_first_day_is_no_renewal_and_the_end_of_a_trial_is_one_of_any_interval() -> None:
    fresh = replace(of(starts_on=NEXT), anchor=NEXT)
    assert on(fresh, starts_on=NEXT) is None
    weekly = replace(of(starts_on=NEXT, unit=Unit.WEEK), anchor=NEXT)
    one = found(weekly, starts_on=date(2026, 11, 17), trial_ends_on=NEXT)
    assert one is not None
    assert (one.on, one.trial) == (NEXT, True)


def test_what_begins_within_a_period_is_no_renewal() -> None:
    changed = replace(ITEM, item_id=2, starts_on=date(2026, 11, 25), billed_through=date(2026, 11, 25))
    assert on(replace(FACTS, items=(replace(ITEM, ends_on=date(2026, 11, 25)), changed))) == NEXT
    assert on(replace(FACTS, items=(replace(ITEM, ends_on=date(2026, 11, 25)), changed)), within=10) is None


def test_what_was_set_for_the_day_is_what_is_told() -> None:
    dearer = replace(
        ITEM, item_id=2, name="Max", terms=Terms(Model.FLAT, unit_price=Decimal(150)), starts_on=NEXT,
        billed_through=NEXT,
    )  # fmt: skip
    facts = replace(FACTS, items=(replace(ITEM, ends_on=NEXT), dearer))
    one = found(facts)
    assert one is not None
    bill = bill_of(facts, one)
    assert bill is not None
    assert (one.due.item.name, bill.total_minor) == ("Max", 17850)


def test_a_bill_has_what_falls_due_that_day_and_nothing_else() -> None:
    seat = {"is_plan": False, "unit": Unit.MONTH, "terms": Terms(Model.FLAT, unit_price=Decimal(10))}
    with_it = replace(ITEM, item_id=2, name="Seat", billed_through=date(2026, 10, 1), **seat)
    daily = replace(with_it, item_id=3, name="Daily", unit=Unit.DAY, timing=Timing.ARREARS)
    ended = replace(
        with_it, item_id=4, ends_on=date(2026, 11, 10), billed_through=date(2026, 12, 1),
        billed=(Billed(1, 1, Period(date(2026, 11, 1), date(2026, 12, 1)), 100),),
    )  # fmt: skip
    once = replace(
        with_it, item_id=5, unit=None, starts_on=date(2026, 11, 22), billed_through=date(2026, 11, 22)
    )
    facts = replace(FACTS, items=(ITEM, with_it, daily, ended, once))
    one = found(facts)
    assert one is not None
    bill = bill_of(facts, one)
    assert bill is not None
    said = [(due.item.name, due.span.start) for due in bill.charge.dues]
    assert said == [("Pro", NEXT), ("Seat", NEXT), ("Daily", date(2026, 11, 30))]
    assert (bill.on, bill.total_minor, bill.metered) == (NEXT, 14280, False)
    assert not bill.charge.credits


def test_a_bill_is_the_runs_where_all_before_is_billed() -> None:
    off = Discount("Half", Decimal(50), Decimal(0), BEGAN, NEXT + timedelta(days=1), frozenset(), frozenset())
    facts = replace(FACTS, discounts=(off,))
    one = found(facts)
    assert one is not None
    bill = bill_of(facts, one)
    assert bill is not None
    assert bill.charge.lines == charge(facts, NEXT).lines
    assert bill.total_minor == 5950


def test_what_is_billed_at_the_end_of_the_period_says_so() -> None:
    facts = of(timing=Timing.ARREARS)
    one = found(facts)
    assert one is not None
    bill = bill_of(facts, one)
    assert bill is not None
    assert (one.on, bill.on, bill.total_minor) == (NEXT, date(2027, 12, 1), 11900)
    assert [each.span.start for each in bill.charge.dues] == [NEXT]


def test_usage_is_said_and_not_guessed() -> None:
    counted = replace(ITEM, item_id=2, is_plan=False, unit=Unit.MONTH, timing=Timing.ARREARS, meter_id=1)
    for items, total in (((ITEM, counted), 11900), ((replace(ITEM, meter_id=1, timing=Timing.ARREARS),), 0)):
        facts = replace(FACTS, items=items)
        one = found(facts)
        assert one is not None
        bill = bill_of(facts, one)
        assert bill is not None
        assert (bill.metered, bill.total_minor) == (True, total)
    over = replace(counted, ends_on=NEXT)
    facts = replace(FACTS, items=(ITEM, over))
    one = found(facts)
    assert one is not None
    bill = bill_of(facts, one)
    assert bill is not None
    assert bill.metered is False


def test_what_costs_nothing_is_not_told_and_what_cannot_be_billed_is_odd() -> None:
    free = of(terms=Terms(Model.FLAT, unit_price=Decimal(0)))
    one = found(free)
    assert one is not None
    assert bill_of(free, one) is None
    with pytest.raises(Odd):
        bill_of(replace(FACTS, customer_archived=True), one)


def test_a_period_that_began_at_a_time_of_day_is_a_renewal_at_its_next_day() -> None:
    assert on(of(starts_time=time(15))) == NEXT

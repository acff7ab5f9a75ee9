"""Prices whose periods begin on listed days: worked bills, what they are worth a month, when they are renewed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.charges import ENDED, Charge, charge
from billing.domain.facts import ItemFacts, SubscriptionFacts, Timing
from billing.domain.gate import Item, Line, Terms
from billing.domain.gate.contract import bounds, lasting
from billing.domain.gate.crowd import unit_day
from billing.domain.listed import MOST_DATES, date_problem, listed_problems
from billing.domain.mrr import mrr_on
from billing.domain.pricing import Model
from billing.domain.pricing import Terms as PriceTerms
from billing.domain.proration import Proration
from billing.domain.renewals import MONTH, YEAR, renewal
from core.periods import Listed, Period, Unit
from tests.listed import QUARTER_DAYS, TERMS, lists

BEGINS = date(2026, 5, 4)
ITEM = ItemFacts(
    item_id=1, public_id="si_1", name="Rent", terms=PriceTerms(Model.FLAT, unit_price=Decimal(900)),
    quantity=Decimal(1), tax_percent=Decimal(0), unit=Listed(QUARTER_DAYS), every=1, timing=Timing.ADVANCE,
    starts_on=BEGINS, ends_on=None, billed_through=BEGINS,
)  # fmt: skip
FACTS = SubscriptionFacts(
    subscription_id=1, public_id="sub_1", customer_id=1, entity_id=1, currency="GBP", anchor=BEGINS,
    zone="Europe/London", ends_on=None, terms_days=14, autopay=False, items=(ITEM,),
)  # fmt: skip


def of(begins: date = BEGINS, **item: object) -> SubscriptionFacts:
    made = replace(ITEM, starts_on=begins, billed_through=begins)
    return replace(FACTS, anchor=begins, items=(replace(made, **item),))  # type: ignore[arg-type]


def lived(facts: SubscriptionFacts, until: date) -> Iterator[Charge]:
    """Each bill up to a day, on the day on which it is due."""
    day = min(item.starts_on for item in facts.items)
    while day <= until:
        found = charge(facts, day)
        until = day if found.state == ENDED else until
        yield found
        through = {each.item.item_id: each.span.end for each in found.dues}
        items = [
            replace(each, billed_through=through.get(each.item_id, each.billed_through))
            for each in facts.items
        ]
        facts, day = replace(facts, items=tuple(items)), max(found.next_bill_on, day + timedelta(days=1))


def billed(facts: SubscriptionFacts, until: date) -> list[tuple[str, str, int]]:
    return [
        (str(line.service_start), str(line.service_end), line.amount_minor)
        for found in lived(facts, until)
        for line in found.lines
    ]


def test_a_year_of_quarter_days_from_the_middle_of_one() -> None:
    """A stub of 51 of the 91 days from 25 March on, then a whole period from each listed day on."""
    assert billed(FACTS, date(2027, 3, 25)) == [
        ("2026-05-04", "2026-06-24", 50440),
        ("2026-06-24", "2026-09-29", 90000),
        ("2026-09-29", "2026-12-25", 90000),
        ("2026-12-25", "2027-03-25", 90000),
        ("2027-03-25", "2027-06-24", 90000),
    ]  # fmt: skip
    (stub,) = charge(FACTS, BEGINS).lines
    assert stub.detail == "900.00 for 51 of 91 days"


@pytest.mark.parametrize(("by", "begins", "minor"), [
    (Proration.DAY, date(2026, 2, 1), 90000),
    (Proration.DAY, date(2026, 8, 31), 425),
    (Proration.DAY, date(2024, 2, 29), 78169),
    (Proration.THIRTIETH, date(2026, 3, 1), 78113),
    (Proration.SECOND, date(2026, 3, 1), 78113),
    (Proration.NONE, date(2026, 3, 1), 0),
    (Proration.NONE, date(2026, 9, 1), 90000),
])  # fmt: skip
def test_a_part_is_of_its_own_period_by_its_days(by: Proration, begins: date, minor: int) -> None:
    """From 1 February it is 212 days to 1 September, in a leap year 213; thirtieths are of months, so it is days."""
    facts = replace(of(begins, unit=Listed(TERMS)), proration=by)
    assert charge(facts, begins).lines[0].amount_minor == minor


def test_the_second_shares_a_day_of_a_listed_period() -> None:
    noon = replace(of(date(2026, 2, 1), unit=Listed(TERMS)), proration=Proration.SECOND)
    item = replace(noon.items[0], ends_on=date(2026, 2, 2), ends_time=time(12))
    found = charge(replace(noon, items=(item,)), date(2026, 2, 1))
    assert found.lines[0].amount_minor == 637  # a day and a half of 212


def test_in_arrears_a_period_is_billed_on_the_listed_day_that_ends_it() -> None:
    facts = of(timing=Timing.ARREARS)
    bills = [(str(each.next_bill_on), len(each.lines)) for each in lived(facts, date(2026, 12, 25))]
    assert bills == [("2026-06-24", 0), ("2026-09-29", 1), ("2026-12-25", 1), ("2027-03-25", 1)]


def test_what_is_beside_it_keeps_to_its_own_interval() -> None:
    """A school's fee by term with a lunch by month: the months are counted from the first day, the terms are not."""
    facts = of(date(2026, 1, 12), unit=Listed(TERMS))
    monthly = replace(facts.items[0], item_id=2, public_id="si_2", is_plan=False, every=1)
    facts = replace(facts, items=(*facts.items, replace(monthly, unit=Unit.MONTH)))
    assert [(line[0], line[1]) for line in billed(facts, date(2026, 3, 1))] == [
        ("2026-01-12", "2026-02-01"), ("2026-01-12", "2026-02-12"),
        ("2026-02-01", "2026-09-01"), ("2026-02-12", "2026-03-12"),
    ]  # fmt: skip


@given(lists, st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(1, 900), st.sampled_from(Timing))
def test_every_boundary_between_the_first_day_and_the_end_is_a_listed_day(
    unit: Listed, begins: date, days: int, timing: Timing
) -> None:
    """Nothing left out, nothing twice, and parts only where it begins or ends within a period."""
    end = begins + timedelta(days=days)
    facts = replace(of(begins, unit=unit, timing=timing), ends_on=end)
    spans = [due.span for found in lived(facts, end) for due in found.dues]
    assert (spans[0].start, spans[-1].end) == (begins, end)
    assert all(one.end == two.start for one, two in pairwise(spans))
    within = [begins + timedelta(days=n) for n in range(1, days)]
    assert [each.start for each in spans[1:]] == [each for each in within if f"{each:%m-%d}" in unit.dates]


@pytest.mark.parametrize(("dates", "amount", "worth"), [
    (QUARTER_DAYS, "900", 30000),
    (TERMS, "900", 15000),
    (("09-01",), "1000", 8333),
    (tuple(f"{n:02}-01" for n in range(1, 13)), "75.01", 7501),
])  # fmt: skip
def test_it_is_worth_its_periods_of_a_year_over_twelve(
    dates: tuple[str, ...], amount: str, worth: int
) -> None:
    facts = of(unit=Listed(dates), terms=PriceTerms(Model.FLAT, unit_price=Decimal(amount)))
    assert mrr_on(facts, BEGINS) == worth


@pytest.mark.parametrize(("dates", "on", "month", "year"), [
    (("09-01",), date(2026, 9, 1), True, True),
    (TERMS, date(2026, 9, 1), True, False),
    (QUARTER_DAYS, date(2026, 12, 25), True, False),
    (("02-01", "03-01"), date(2026, 2, 1), True, False),
    (("09-01", "09-15"), date(2026, 9, 1), False, False),
    (("09-01", "09-15"), date(2026, 9, 15), True, False),
])  # fmt: skip
def test_a_renewal_is_told_by_how_long_it_is_to_the_next_day(
    dates: tuple[str, ...], on: date, month: bool, year: bool
) -> None:
    facts = of(date(2025, 1, 1), unit=Listed(dates), billed_through=on)

    def told(least: str) -> bool:
        found = renewal(
            facts, starts_on=date(2025, 1, 1), trial_ends_on=None, today=on - timedelta(days=7), within=14, least=least
        )  # fmt: skip
        return found is not None and found.on == on

    assert (told(MONTH), told(YEAR)) == (month, year)


@pytest.mark.parametrize(("unit", "every", "dates", "field"), [
    ("dates", 1, QUARTER_DAYS, None),
    ("dates", 1, ("12-25", "03-25"), None),
    ("dates", 1, ("09-01",), None),
    ("month", 3, (), None),
    ("dates", 1, (), "dates"),
    ("dates", 2, QUARTER_DAYS, "every"),
    ("month", 1, QUARTER_DAYS, "dates"),
    ("once", 1, QUARTER_DAYS, "dates"),
    ("dates", 1, ("03-25", "03-25"), "dates.1"),
    ("dates", 1, ("04-31",), "dates.0"),
    ("dates", 1, ("03-25", "02-30"), "dates.1"),
    ("dates", 1, ("02-29",), "dates.0"),
    ("dates", 1, ("2026-03-25",), "dates.0"),
    ("dates", 1, ("3-25",), "dates.0"),
    ("dates", 1, ("٠٣-٢٥",), "dates.0"),
    ("dates", 1, ("03-25\n",), "dates.0"),
    ("dates", 1, ("",), "dates.0"),
    ("dates", 1, tuple(f"01-{n:02}" for n in range(1, MOST_DATES + 1)), None),
    ("dates", 1, tuple(f"01-{n:02}" for n in range(1, MOST_DATES + 2)), "dates"),
])  # fmt: skip
def test_what_can_be_listed(unit: str, every: int, dates: tuple[str, ...], field: str | None) -> None:
    assert list(dict(listed_problems(unit, every, dates))) == ([field] if field else [])


@given(st.dates(date(2001, 1, 1), date(2001, 12, 31)))
def test_every_day_of_a_common_year_can_be_listed(day: date) -> None:
    assert date_problem(f"{day:%m-%d}") == ""


RENT = Terms("1", "Rent", "flat", "GBP", Decimal(900), "dates", dates=("09-01", "09-15"))


def test_the_gate_knows_a_listed_period_from_a_part_of_it() -> None:
    item = Item(1, date(2026, 9, 3), None, date(2020, 5, 17), RENT)
    short, long, stub = (
        Line(1, 1, Period(date(2026, 9, a), date(*b)), Decimal(1), 0, RENT)
        for a, b in ((1, (2026, 9, 15)), (15, (2027, 9, 1)), (8, (2026, 9, 15)))
    )
    assert bounds(item, short) == bounds(item, long) == (90000, 90000)
    assert bounds(item, stub) == (6 * 90000 // 14 - 1, 51429 + 1)


def test_the_gate_takes_a_short_period_and_a_long_one_for_equally_dear() -> None:
    """A year has two of them: half of it each, by their price, though they are of 14 and of 351 days."""
    spans = [Period(date(2026, 9, 1), date(2026, 9, 15)), Period(date(2026, 9, 15), date(2027, 9, 1))]
    short, long = (Line(1, 1, span, Decimal(1), 90000, RENT) for span in spans)
    assert lasting(short) == lasting(long)
    assert unit_day(short) == unit_day(long)
    half = replace(short, span=Period(date(2026, 9, 8), date(2026, 9, 15)), amount_minor=45000)
    assert unit_day(half) == unit_day(long)

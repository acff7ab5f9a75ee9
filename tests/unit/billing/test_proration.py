"""Parts of periods, by worked amounts of other systems: by days, seconds or thirtieths, or not at all."""

from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.anchors import Rhythm
from billing.domain.charges import charge
from billing.domain.dues import Odd
from billing.domain.facts import Billed
from billing.domain.pricing import Model, Terms
from billing.domain.proration import Proration, share, unused
from core.periods import Listed, Period, Unit, index_on, period
from tests.listed import units
from tests.unit.billing.test_charges import FACTS, ITEM

DAY, SECOND, THIRTIETH, NONE = Proration


def span(start: str, end: str) -> Period:
    return Period(date.fromisoformat(start), date.fromisoformat(end))


def month(anchor: str, day: str) -> Period:
    at = date.fromisoformat(anchor)
    return period(at, Unit.MONTH, 1, index_on(at, Unit.MONTH, 1, date.fromisoformat(day)))


@pytest.mark.parametrize(("start", "anchor", "by_days", "by_thirtieths"), [
    ("2023-05-23", "2023-05-15", "23/31", "22/30"),
    ("2023-06-23", "2023-06-15", "22/30", "22/30"),
    ("2023-02-23", "2023-02-15", "20/28", "22/30"),
    ("2024-02-23", "2024-02-15", "21/29", "22/30"),
    ("2023-05-15", "2023-05-23", "8/30", "8/30"),
    ("2023-06-15", "2023-06-23", "8/31", "8/30"),
])  # fmt: skip
def test_a_first_part_is_its_days_or_its_thirtieths(
    start: str, anchor: str, by_days: str, by_thirtieths: str
) -> None:
    whole = month(anchor, start)
    part = Period(date.fromisoformat(start), whole.end)
    assert share(DAY, part, whole, Unit.MONTH, 1) == Fraction(by_days)
    assert share(THIRTIETH, part, whole, Unit.MONTH, 1) == Fraction(by_thirtieths)
    assert share(NONE, part, whole, Unit.MONTH, 1) == 0


@pytest.mark.parametrize(("start", "anchor", "minor"), [
    ("2023-05-15", 23, 532), ("2023-06-15", 23, 532), ("2023-05-23", 15, 1463), ("2023-06-23", 15, 1463),
])  # fmt: skip
def test_thirtieths_of_19_95_come_to_the_same_in_every_month(start: str, anchor: int, minor: int) -> None:
    begins = date.fromisoformat(start)
    rhythm = Rhythm(anchor_day=anchor, proration=THIRTIETH)
    item = replace(
        ITEM, terms=Terms(Model.FLAT, unit_price=Decimal("19.95")), starts_on=begins, billed_through=begins
    )
    facts = replace(FACTS, anchor=rhythm.anchor_of(begins), proration=THIRTIETH, items=(item,))
    (line,) = charge(facts, begins).lines
    assert line.amount_minor == minor


def test_a_month_of_any_length_is_whole_by_every_convention() -> None:
    for whole in (span("2026-01-31", "2026-02-28"), span("2024-02-29", "2024-03-29")):
        assert {share(by, whole, whole, Unit.MONTH, 1) for by in Proration} == {Fraction(1)}


@given(
    st.dates(date(2000, 1, 1), date(2040, 1, 1)), units, st.integers(1, 4),
    st.integers(0, 4000), st.integers(0, 4000), st.integers(0, 4000),
)  # fmt: skip
def test_what_is_used_and_what_is_not_make_up_what_was_billed(
    anchor: date, unit: Unit | Listed, every: int, n: int, a: int, b: int
) -> None:
    whole = period(anchor, unit, every, index_on(anchor, unit, every, anchor) + n % 40)
    start = whole.start + timedelta(days=a % whole.days)
    end = start + timedelta(days=b % (whole.end - start).days + 1)
    billed = Period(start, end)
    cut = start + timedelta(days=(a * b) % billed.days)
    rest = unused(DAY, Period(cut, end), billed, whole, unit, every)
    used = share(DAY, Period(start, cut), whole, unit, every) if cut > start else Fraction(0)
    paid = share(DAY, billed, whole, unit, every)
    assert used + rest * paid == paid
    assert 0 <= unused(THIRTIETH, Period(cut, end), billed, whole, unit, every) <= 1
    assert unused(NONE, Period(cut, end), billed, whole, unit, every) == (cut == start)


@given(
    st.dates(date(2000, 1, 1), date(2040, 1, 1)), units, st.integers(1, 4),
    st.integers(0, 40), st.lists(st.integers(0, 4000), max_size=4), st.sampled_from(Proration),
)  # fmt: skip
def test_the_parts_that_steps_cut_a_period_into_make_up_the_period(
    anchor: date, unit: Unit | Listed, every: int, n: int, cuts: list[int], by: Proration
) -> None:
    whole = period(anchor, unit, every, index_on(anchor, unit, every, anchor) + n)
    days = sorted({whole.start, whole.end, *(whole.start + timedelta(each % whole.days) for each in cuts)})
    parts = [share(by, Period(one, other), whole, unit, every) for one, other in pairwise(days)]
    assert sum(parts) == 1
    assert min(parts) >= 0


@pytest.mark.parametrize(("whole", "cut", "first"), [
    (span("2026-01-31", "2026-02-28"), "2026-02-10", "10/30"),
    (span("2026-02-28", "2026-03-31"), "2026-03-10", "10/30"),
    (span("2024-02-29", "2024-03-31"), "2024-03-30", "1"),
    (span("2026-03-31", "2026-04-30"), "2026-04-15", "15/30"),
    (span("2026-02-28", "2026-03-29"), "2026-03-15", "16/30"),
    (span("2026-02-01", "2026-03-01"), "2026-02-28", "27/30"),
])  # fmt: skip
def test_where_months_end_early_a_thirtieth_is_still_one(whole: Period, cut: str, first: str) -> None:
    """A period that begins at the end of February for want of a 31st begins on the 30th of a month of thirty days."""
    at = date.fromisoformat(cut)
    assert share(THIRTIETH, Period(whole.start, at), whole, Unit.MONTH, 1) == Fraction(first)
    assert share(THIRTIETH, Period(at, whole.end), whole, Unit.MONTH, 1) == 1 - Fraction(first)


@pytest.mark.parametrize(("first", "day", "anchor", "next_month"), [
    ("2012-02-16", 30, "2012-01-30", "2012-02-29"),
    ("2012-02-16", 14, "2012-02-14", "2012-03-14"),
    ("2026-03-31", 31, "2026-03-31", "2026-04-30"),
    ("2026-01-05", 31, "2026-01-31", "2026-01-31"),
    ("2026-03-01", 29, "2026-03-29", "2026-03-29"),
])  # fmt: skip
def test_periods_begin_on_any_day_of_the_month(first: str, day: int, anchor: str, next_month: str) -> None:
    begins = date.fromisoformat(first)
    at = Rhythm(anchor_day=day).anchor_of(begins)
    assert str(at) == anchor
    assert str(period(at, Unit.MONTH, 1, index_on(at, Unit.MONTH, 1, begins)).end) == next_month


@pytest.mark.parametrize(("unit", "every", "first", "day", "whole"), [
    (Unit.YEAR, 1, "2011-02-01", 13, span("2010-02-13", "2011-02-13")),
    (Unit.YEAR, 1, "2012-02-16", 14, span("2012-02-14", "2013-02-14")),
    (Unit.QUARTER, 1, "2026-02-01", 13, span("2025-11-13", "2026-02-13")),
    (Unit.MONTH, 2, "2026-02-01", 13, span("2025-12-13", "2026-02-13")),
])  # fmt: skip
def test_longer_periods_begin_on_the_day_in_the_month_in_which_the_first_did(
    unit: Unit, every: int, first: str, day: int, whole: Period
) -> None:
    """As other systems have it: a year from 1 February by the 13th is 12 days and then whole years."""
    begins = date.fromisoformat(first)
    at = Rhythm(anchor_day=day).anchor_of(begins)
    assert period(at, unit, every, index_on(at, unit, every, begins)) == whole


@pytest.mark.parametrize(("unit", "first", "whole"), [
    (Unit.WEEK, "2023-06-15", span("2023-06-12", "2023-06-19")),
    (Unit.MONTH, "2024-03-05", span("2024-03-01", "2024-04-01")),
    (Unit.QUARTER, "2024-05-20", span("2024-04-01", "2024-07-01")),
    (Unit.YEAR, "2022-02-01", span("2022-01-01", "2023-01-01")),
])  # fmt: skip
def test_with_the_calendar_weeks_begin_on_mondays_and_the_rest_on_a_first(
    unit: Unit, first: str, whole: Period
) -> None:
    begins = date.fromisoformat(first)
    at = Rhythm(calendar=True).anchor_of(begins)
    assert period(at, unit, 1, index_on(at, unit, 1, begins)) == whole


@pytest.mark.parametrize(("price", "unit", "start", "end", "minor"), [
    ("910", Unit.QUARTER, "2024-05-20", "2024-06-21", 32000),
    ("7", Unit.WEEK, "2023-06-15", None, 400),
    ("7", Unit.WEEK, "2023-06-16", None, 300),
    ("10", Unit.MONTH, "2024-03-05", None, 871),
    ("100", Unit.MONTH, "2025-02-08", None, 7500),
    ("50000", Unit.MONTH, "2024-04-19", None, 2000000),
])  # fmt: skip
def test_a_first_part_by_the_calendar_is_billed_by_its_days(
    price: str, unit: Unit, start: str, end: str | None, minor: int
) -> None:
    begins = date.fromisoformat(start)
    item = replace(
        ITEM, terms=Terms(Model.FLAT, unit_price=Decimal(price)), unit=unit, starts_on=begins,
        billed_through=begins, ends_on=date.fromisoformat(end) if end else None,
    )  # fmt: skip
    facts = replace(FACTS, anchor=Rhythm(calendar=True).anchor_of(begins), items=(item,))
    (line,) = charge(facts, begins).lines
    assert line.amount_minor == minor


@pytest.mark.parametrize(("price", "billed", "cut", "by", "minor"), [
    ("10", span("2026-06-01", "2026-07-01"), "2026-06-16", DAY, 500),
    ("5", span("2026-06-01", "2026-07-01"), "2026-06-02", DAY, 483),
    ("20", span("2026-06-01", "2026-07-01"), "2026-06-02", DAY, 1933),
    ("100", span("2025-02-08", "2025-03-01"), "2025-02-22", DAY, 2500),
    ("10", span("2024-03-05", "2024-04-01"), "2024-03-12", DAY, 645),
    ("15", span("2024-03-12", "2024-04-01"), "2024-03-12", DAY, 968),
    ("29", span("2024-02-01", "2024-03-01"), "2024-02-12", DAY, 1800),
    ("5", span("2026-06-01", "2026-07-01"), "2026-06-02", SECOND, 483),
    ("20", span("2026-06-01", "2026-07-01"), "2026-06-02", SECOND, 1933),
    ("30", span("2026-02-01", "2026-03-01"), "2026-02-16", THIRTIETH, 1500),
    ("30", span("2026-02-01", "2026-03-01"), "2026-02-16", NONE, 0),
])  # fmt: skip
def test_what_is_billed_beyond_its_end_is_credited_by_its_days(
    price: str, billed: Period, cut: str, by: Proration, minor: int
) -> None:
    ends = date.fromisoformat(cut)
    paid = Fraction(price) * 100 * share(by, billed, month("2001-01-01", str(billed.start)), Unit.MONTH, 1)
    item = replace(
        ITEM, terms=Terms(Model.FLAT, unit_price=Decimal(price)), starts_on=billed.start, ends_on=ends,
        billed_through=billed.end, billed=(Billed(1, 1, billed, round(paid)),),
    )  # fmt: skip
    found = charge(replace(FACTS, anchor=date(2001, 1, 1), proration=by, items=(item,)), ends)
    assert [each.unused_minor for each in found.credits] == [minor]
    assert found.lines == ()


def test_a_credit_waits_for_its_day_and_needs_to_know_what_was_billed() -> None:
    june = span("2026-06-01", "2026-07-01")
    item = replace(ITEM, starts_on=june.start, ends_on=date(2026, 6, 16), billed_through=june.end)
    facts = replace(FACTS, anchor=june.start, items=(item,))
    before = charge(facts, date(2026, 6, 15))
    assert (before.credits, before.state, before.next_bill_on) == ((), "active", date(2026, 6, 16))
    with pytest.raises(Odd):
        charge(facts, date(2026, 6, 16))


def test_never_more_is_credited_than_was_billed() -> None:
    june = span("2026-06-01", "2026-07-01")
    item = replace(
        ITEM,
        starts_on=june.start,
        ends_on=june.start,
        billed_through=june.end,
        billed=(Billed(1, 1, june, 700),),
    )
    (credit,) = charge(replace(FACTS, anchor=june.start, items=(item,)), june.start).credits
    assert credit.unused_minor == 700


@given(
    st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    st.lists(st.tuples(st.integers(0, 30), st.times()), min_size=1, max_size=5, unique_by=lambda cut: cut[0]),
)
def test_a_month_is_shared_without_rest(day: date, cuts: list[tuple[int, time]]) -> None:
    """However often it changes, on whichever days and times, its parts are one month, and none is below nothing."""
    whole = month("2001-01-01", str(day))
    turns = sorted((whole.start + timedelta(days=n), at.replace(microsecond=0)) for n, at in cuts)
    turns = [turn for turn in turns if whole.start < turn[0] < whole.end]
    ends = [(whole.start, time()), *turns, (whole.end, time())]
    parts = [
        share(SECOND, Period(begin, end), whole, Unit.MONTH, 1, since=since, until=until)
        for (begin, since), (end, until) in pairwise(ends)
    ]
    assert sum(parts) == 1
    assert min(parts) > 0


@given(st.times(), st.integers(1, 30))
def test_what_is_unused_and_what_is_used_are_what_was_billed(at: time, day: int) -> None:
    july, at = span("2026-07-01", "2026-08-01"), at.replace(microsecond=0)
    cut = july.start + timedelta(days=day)
    used = share(SECOND, Period(july.start, cut), july, Unit.MONTH, 1, until=at)
    rest = unused(SECOND, Period(cut, july.end), july, july, Unit.MONTH, 1, ended=at)
    assert used + rest == 1

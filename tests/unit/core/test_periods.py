"""Boundaries come from the anchor and never drift; local days begin at local midnight in every zone."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.periods import Listed, Period, Unit, boundary, index_on, local_midnight, period, period_on
from tests.listed import QUARTER_DAYS, TERMS, lists, units

days = st.dates(min_value=date(2000, 1, 1), max_value=date(2060, 1, 1))


def test_month_ends_do_not_drift() -> None:
    anchor = date(2026, 1, 31)
    assert [boundary(anchor, Unit.MONTH, 1, n) for n in range(4)] == [
        date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30),
    ]  # fmt: skip


def test_a_leap_day_anchor_returns_to_the_29th() -> None:
    assert [boundary(date(2024, 2, 29), Unit.YEAR, 1, n).day for n in range(5)] == [29, 28, 28, 28, 29]


@given(days, units, st.integers(1, 12), st.integers(-40, 40))
def test_periods_touch_and_never_overlap(anchor: date, unit: Unit | Listed, every: int, n: int) -> None:
    n += index_on(anchor, unit, every, anchor)
    assert period(anchor, unit, every, n).end == period(anchor, unit, every, n + 1).start


@given(days, units, st.integers(1, 6), st.integers(-4000, 4000))
def test_a_day_lies_in_the_period_with_its_index(
    anchor: date, unit: Unit | Listed, every: int, later: int
) -> None:
    day = anchor + timedelta(days=later)
    found = period(anchor, unit, every, index_on(anchor, unit, every, day))
    assert found.start <= day < found.end
    assert found == period_on(anchor, unit, every, day)


@pytest.mark.parametrize(("dates", "day", "start", "end"), [
    (QUARTER_DAYS, "2026-03-24", "2025-12-25", "2026-03-25"),
    (QUARTER_DAYS, "2026-03-25", "2026-03-25", "2026-06-24"),
    (QUARTER_DAYS, "2026-06-23", "2026-03-25", "2026-06-24"),
    (QUARTER_DAYS, "2026-12-31", "2026-12-25", "2027-03-25"),
    (TERMS, "2024-02-29", "2024-02-01", "2024-09-01"),
    (TERMS, "2026-01-01", "2025-09-01", "2026-02-01"),
    (("02-28", "03-01"), "2024-02-29", "2024-02-28", "2024-03-01"),
    (("02-28", "03-01"), "2026-02-28", "2026-02-28", "2026-03-01"),
    (("09-01",), "2026-08-31", "2025-09-01", "2026-09-01"),
])  # fmt: skip
def test_listed_days_begin_a_period_up_to_the_next(
    dates: tuple[str, ...], day: str, start: str, end: str
) -> None:
    at = date.fromisoformat(day)
    assert period_on(date(2020, 5, 17), Listed(dates), 1, at) == Period(
        date.fromisoformat(start), date.fromisoformat(end)
    )


@given(lists, days, days, st.integers(1, 30))
def test_listed_days_and_no_others_are_boundaries_whatever_the_anchor(
    unit: Listed, anchor: date, day: date, periods: int
) -> None:
    """Every day is asked by itself: is it listed? The boundaries are those that are, none left out, none more."""
    first = index_on(anchor, unit, 1, day)
    found = [boundary(anchor, unit, 1, first + n) for n in range(periods + 1)]
    span = (found[-1] - found[0]).days
    between = [found[0] + timedelta(days=n) for n in range(span + 1)]
    assert found == [each for each in between if f"{each:%m-%d}" in unit.dates]
    assert found[0] <= day < found[1]


def test_listed_days_drift_through_no_leap_year() -> None:
    unit = Listed(("02-28", "03-01"))
    first = index_on(date.min, unit, 1, date(2023, 2, 28))
    assert [str(boundary(date.min, unit, 1, first + n)) for n in range(5)] == [
        "2023-02-28", "2023-03-01", "2024-02-28", "2024-03-01", "2025-02-28",
    ]  # fmt: skip


def test_periods_before_the_anchor_come_from_it_too() -> None:
    anchor = date(2026, 3, 31)
    assert [boundary(anchor, Unit.MONTH, 1, n) for n in (-1, -2, -4)] == [
        date(2026, 2, 28), date(2026, 1, 31), date(2025, 11, 30),
    ]  # fmt: skip
    assert index_on(anchor, Unit.MONTH, 1, date(2026, 2, 27)) == -2


def test_a_period_ends_after_it_starts() -> None:
    with pytest.raises(ValueError, match="ends after"):
        Period(date(2026, 1, 1), date(2026, 1, 1))


@pytest.mark.parametrize(("zone", "instant"), [
    ("Pacific/Kiritimati", datetime(2026, 3, 31, 10, tzinfo=UTC)),
    ("Pacific/Pago_Pago", datetime(2026, 4, 1, 11, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 3, 31, 22, tzinfo=UTC)),
])  # fmt: skip
def test_local_midnight_is_an_instant(zone: str, instant: datetime) -> None:
    assert local_midnight(date(2026, 4, 1), zone) == instant


def test_where_midnight_is_skipped_the_day_still_begins() -> None:
    start = local_midnight(date(2026, 9, 6), "America/Santiago")
    assert local_midnight(date(2026, 9, 5), "America/Santiago") < start

"""Boundaries come from the anchor and never drift; local days begin at local midnight in every zone."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.periods import Period, Unit, boundary, index_on, local_midnight, period

days = st.dates(min_value=date(2000, 1, 1), max_value=date(2060, 1, 1))


def test_month_ends_do_not_drift() -> None:
    anchor = date(2026, 1, 31)
    assert [boundary(anchor, Unit.MONTH, 1, n) for n in range(4)] == [
        date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30),
    ]  # fmt: skip


def test_a_leap_day_anchor_returns_to_the_29th() -> None:
    assert [boundary(date(2024, 2, 29), Unit.YEAR, 1, n).day for n in range(5)] == [29, 28, 28, 28, 29]


@given(days, st.sampled_from(Unit), st.integers(1, 12), st.integers(-40, 40))
def test_periods_touch_and_never_overlap(anchor: date, unit: Unit, every: int, n: int) -> None:
    assert period(anchor, unit, every, n).end == period(anchor, unit, every, n + 1).start


@given(days, st.sampled_from(Unit), st.integers(1, 6), st.integers(-4000, 4000))
def test_a_day_lies_in_the_period_with_its_index(anchor: date, unit: Unit, every: int, later: int) -> None:
    day = anchor + timedelta(days=later)
    found = period(anchor, unit, every, index_on(anchor, unit, every, day))
    assert found.start <= day < found.end


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

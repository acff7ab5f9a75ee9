"""When an invoice is due, and how much of it sooner."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicing.domain.terms import deposit_of, due_day

DAY = date(2026, 11, 2)


@pytest.mark.parametrize(
    ("total", "percent", "minor"),
    [
        (1_000, 30, 300),
        (1_001, 50, 501),
        (999, 33, 330),
        (1, 49, 0),
        (1, 50, 0),
        (1_000, 0, 0),
        (1_000, 100, 0),
    ],
)
def test_a_deposit_is_rounded_half_up_and_less_than_all(total: int, percent: int, minor: int) -> None:
    assert deposit_of(total, percent, 30) == minor


def test_what_is_due_at_once_anyway_has_no_deposit() -> None:
    assert deposit_of(1_000, 30, 0) == 0


@pytest.mark.parametrize(("percent", "due_on"), [(0, date(2026, 12, 2)), (30, date(2026, 12, 2)), (100, DAY)])
def test_nothing_is_due_later_than_the_terms_say(percent: int, due_on: date) -> None:
    assert due_day(DAY, 30, percent) == due_on


@given(st.integers(1, 10**15), st.integers(0, 100), st.integers(0, 365))
def test_a_deposit_and_its_rest_are_the_total(total: int, percent: int, terms: int) -> None:
    minor = deposit_of(total, percent, terms)
    assert 0 <= minor < total
    assert minor == 0 or abs(100 * minor - total * percent) <= 50

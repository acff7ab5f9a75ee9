"""When paying late is a habit, and what deposit is then advised."""

import pytest

from receivables.domain.habits import Habits


@pytest.mark.parametrize(
    ("invoices", "late", "chronic"),
    [(0, 0, False), (3, 3, False), (4, 1, False), (4, 2, True), (5, 2, False), (9, 5, True)],
)
def test_half_of_four_or_more_is_a_habit(invoices: int, late: int, chronic: bool) -> None:
    assert Habits(invoices, late, 10 * late).is_chronic is chronic


@pytest.mark.parametrize(
    ("days", "percent"), [(16, 20), (56, 20), (57, 20), (58, 30), (60, 30), (116, 30), (118, 50), (400, 50)]
)
def test_the_later_they_pay_the_more_is_asked_for(days: int, percent: int) -> None:
    """Of four invoices that were late by so many days together: the average is rounded half up."""
    assert Habits(4, 4, days).deposit_percent == percent


def test_nothing_is_asked_of_who_pays_in_time() -> None:
    assert (Habits(20, 3, 300).deposit_percent, Habits().average_days) == (0, 0)

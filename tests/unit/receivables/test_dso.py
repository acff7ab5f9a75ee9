"""Days sales outstanding, with numbers worked by hand."""

from datetime import date
from decimal import Decimal

import pytest

from receivables.domain.dso import Dso, first_day


@pytest.mark.parametrize(
    ("closing", "invoiced", "credited", "voided", "days"),
    [
        (45_000, 90_000, 0, 0, "45.0"),  # half of what was sold in 90 days is open: 45 days of sales
        (90_000, 90_000, 0, 0, "90.0"),
        (180_000, 90_000, 0, 0, "180.0"),  # older than the period
        (25_448_48, 42_702_94, 0, 2_088_45, "56.4"),  # 25,448.48 / 40,614.49 x 90 = 56.392…
        (13_934_61, 27_565_00, 835_99, 0, "46.9"),  # 13,934.61 / 26,729.01 x 90 = 46.919…
        (1, 1_800, 0, 0, "0.1"),  # 0.05 exactly goes up
        (0, 90_000, 0, 0, "0"),
        (-5_000, 90_000, 0, 0, "0"),  # customers paid ahead
        (5, 3, 0, 0, "150"),
        (10**17, 1, 0, 0, "9000000000000000000"),  # exact, however large
    ],
)
def test_worked(closing: int, invoiced: int, credited: int, voided: int, days: str) -> None:
    assert Dso(closing, invoiced, credited, voided).value == Decimal(days)


@pytest.mark.parametrize("sold", [(0, 0, 0), (100, 100, 0), (100, 0, 100), (100, 60, 60)])
def test_without_sales_there_is_none(sold: tuple[int, int, int]) -> None:
    assert Dso(5_000, *sold).value is None


def test_the_period_has_ninety_days() -> None:
    assert first_day(date(2026, 11, 26)) == date(2026, 8, 29)
    assert (date(2026, 11, 26) - first_day(date(2026, 11, 26))).days + 1 == Dso().days

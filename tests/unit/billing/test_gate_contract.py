"""Two opinions on one amount: the gate's arithmetic against the kernel's periods, and worked prices."""

from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.gate import Discount, Item, Line, Terms, Tier
from billing.domain.gate.contract import bounds, discount_minor, discounts_minor, full_minor, whole_period
from billing.domain.proration import Proration, share
from billing.expectation import SLACK
from core.periods import Listed, Period, Unit, boundary, index_on
from tests.listed import units

TIERS = (
    Tier(Decimal(5), Decimal(10)),
    Tier(Decimal(10), Decimal(8), flat=Decimal(3)),
    Tier(None, Decimal(5)),
)


def terms(model: str = "per_unit", **also: object) -> Terms:
    return Terms("p", "P", model, "EUR", Decimal("12.5"), "month", **also)  # type: ignore[arg-type]


def by(model: str, unit: Unit | Listed, every: int = 1, price: int = 1) -> Terms:
    dates = unit.dates if isinstance(unit, Listed) else ()
    return Terms("p", "P", model, "EUR", Decimal(price), str(unit), every, dates)


@given(
    st.dates(date(1999, 1, 1), date(2060, 1, 1)), units, st.integers(1, 14),
    st.integers(0, 4000),
)  # fmt: skip
def test_its_calendar_is_the_products(anchor: date, unit: Unit | Listed, every: int, later: int) -> None:
    day = date.fromordinal(anchor.toordinal() + later)
    n = index_on(anchor, unit, every, day)
    expected = Period(boundary(anchor, unit, every, n), boundary(anchor, unit, every, n + 1))
    item = Item(1, anchor, None, anchor, by("flat", unit, every))
    assert whole_period(item, day) == expected


def test_its_calendar_reaches_before_the_anchor() -> None:
    item = Item(1, date(2026, 1, 10), None, date(2026, 3, 31), terms())
    assert whole_period(item, date(2026, 2, 28)) == Period(date(2026, 2, 28), date(2026, 3, 31))
    assert whole_period(item, date(2026, 2, 27)) == Period(date(2026, 1, 31), date(2026, 2, 28))


@pytest.mark.parametrize(
    ("model", "quantity", "minor"),
    [
        ("flat", "7", 1250), ("per_unit", "7", 8750), ("per_unit", "0", 0), ("per_unit", "0.333", 416),
        ("graduated", "0", 0), ("graduated", "5", 5000),
        ("graduated", "7", 5000 + 1600 + 300), ("graduated", "12", 5000 + 4300 + 1000),
        ("volume", "5", 5000), ("volume", "6", 4800 + 300), ("volume", "11", 5500), ("stairstep", "6", 300),
        ("auction", "6", None),
    ],
)  # fmt: skip
def test_worked_prices(model: str, quantity: str, minor: int | None) -> None:
    tiers = TIERS if model in ("graduated", "volume", "stairstep") else ()
    assert full_minor(terms(model, tiers=tiers), Decimal(quantity)) == minor


def test_least_most_and_free_units() -> None:
    assert full_minor(terms(minimum_minor=5000), Decimal(1)) == 5000
    assert full_minor(terms(maximum_minor=5000), Decimal(10)) == 5000
    assert full_minor(terms(free=Decimal(3)), Decimal(5)) == 2500


def test_a_quantity_beyond_the_last_tier_has_no_amount() -> None:
    assert full_minor(terms("graduated", tiers=TIERS[:2]), Decimal(11)) is None


@pytest.mark.parametrize(("slack", "expected"), [(1, (3629 - 1, 4435 + 1)), (None, (0, 12500))])
def test_a_part_is_bounded_by_some_days_to_either_side(slack: int | None, expected: tuple[int, int]) -> None:
    item = Item(1, date(2026, 1, 1), None, date(2026, 1, 1), terms(), slack=slack)
    line = Line(1, 1, Period(date(2026, 1, 1), date(2026, 1, 11)), Decimal(10), 0, item.terms)
    assert bounds(item, line) == expected


@given(
    st.dates(date(2020, 1, 1), date(2030, 1, 1)), units, st.integers(0, 400),
    st.integers(1, 400), st.times(), st.times(),
)  # fmt: skip
def test_a_part_by_the_second_is_bounded_by_less_than_two_days(
    anchor: date, unit: Unit | Listed, first: int, days: int, since: time, until: time
) -> None:
    """All that a part can come to is allowed, and two days more or less are not."""
    n = index_on(anchor, unit, 1, anchor) + 3
    whole = Period(boundary(anchor, unit, 1, n), boundary(anchor, unit, 1, n + 1))
    start = whole.start + timedelta(days=first % whole.days)
    part = Period(start, min(start + timedelta(days=days), whole.end))
    if part == whole:
        since = until = time()
    until = time() if part.end == whole.end else until
    flat = by("flat", unit, price=1000)
    slack = SLACK[Proration.SECOND]
    item = Item(1, start, None, anchor, flat, slack=slack, timed=since > time())
    cost = share(Proration.SECOND, part, whole, unit, 1, since=since, until=until) * 100000
    found = bounds(item, Line(1, 1, part, Decimal(1), 0, flat))
    assert found is not None
    assert found[0] <= cost <= found[1]
    day = Fraction(100000, whole.days)
    assert found[1] - found[0] <= 2 * day + 4


def test_discounts_come_off_one_after_the_other_and_not_below_nothing() -> None:
    line = Line(1, 1, Period(date(2026, 1, 1), date(2026, 2, 1)), Decimal(1), 1000, terms())
    half, five = Discount("HALF", Decimal(50)), Discount("FIVE", amount_minor=300)
    assert discount_minor((half, five), line) == 800
    assert discount_minor((five, five, five, five), line) == 1000
    assert discount_minor((Discount("OVER", Decimal(50), until=date(2026, 1, 1)),), line) == 0


def test_an_amount_per_bill_comes_off_the_lines_of_a_bill_once_by_what_is_left_of_each() -> None:
    lines = [
        Line(n, 1, Period(date(2026, 1, 1), date(2026, 2, 1)), Decimal(1), minor, terms())
        for n, minor in enumerate((1000, 3000))
    ]
    half, shared = (
        Discount("HALF", Decimal(50), key="h"),
        Discount("FIVE", amount_minor=500, per_bill=True, key="f"),
    )
    tenth = Discount("TENTH", Decimal(10), key="t")
    (first, second) = lines
    assert discounts_minor([((shared,), first), ((shared,), second)]) == [125, 375]
    assert discounts_minor([((half, shared), first), ((shared,), second)]) == [500 + 71, 429]
    assert discounts_minor([((shared, tenth), first), ((half, shared, tenth), second)]) == [
        200 + 80,
        1500 + 300 + 120,
    ]
    assert discounts_minor([((shared,), first), ((), second)]) == [500, 0]
    ended = replace(shared, until=date(2026, 1, 31))
    assert discounts_minor([((ended,), first), ((), second)], date(2026, 1, 31)) == [0, 0], (
        "by the day of the bill"
    )
    assert discounts_minor([((ended,), first), ((), second)], date(2026, 1, 30)) == [500, 0]
    over = Discount("MUCH", amount_minor=9000, per_bill=True)
    assert discounts_minor([((over,), first), ((over,), second)]) == [1000, 3000]


def test_discounts_of_some_lines_keep_the_order_that_a_line_with_all_of_them_has() -> None:
    """The first two lines say nothing of which is first; the third does."""
    lines = [
        Line(n, 1, Period(date(2026, 1, 1), date(2026, 2, 1)), Decimal(1), minor, terms())
        for n, minor in enumerate((1000, 1000, 4000))
    ]
    one, two = (
        Discount("ONE", amount_minor=2000, per_bill=True, key="o"),
        Discount("TWO", amount_minor=3000, per_bill=True, key="t"),
    )
    last = Discount("ALL", Decimal(10), key="a")
    granted = ((one, last), (two, last), (one, two, last))
    found = discounts_minor(list(zip(granted, lines, strict=True)))
    assert found == [400 + 60, 882 + 12, 1600 + 2118 + 28]

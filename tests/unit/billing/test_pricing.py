"""What a quantity costs: worked amounts, the cases where systems differ, and what holds for every price."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.pricing import Model, Terms, Tier, Unpriceable, for_part, price
from billing.domain.wording import MOST, short


def d(text: str | int) -> Decimal:
    return Decimal(str(text))


def tiers(*rows: Sequence[object]) -> tuple[Tier, ...]:
    """Rows of (up to or None, unit price, flat part, units per price)."""
    made = []
    for row in rows:
        up_to, unit_price, flat, per = (*row, *(0, None)[len(row) - 2 :])
        made.append(
            Tier(
                up_to=None if up_to is None else d(str(up_to)),
                unit_price=d(str(unit_price)),
                flat=d(str(flat)),
                per=None if per is None else d(str(per)),
            )
        )
    return tuple(made)


def percents(*rows: tuple[object, object, object]) -> tuple[Tier, ...]:
    return tuple(
        Tier(up_to=None if up_to is None else d(str(up_to)), percent=d(str(rate)), flat=d(str(flat)))
        for up_to, rate, flat in rows
    )


THREE = tiers((5, 7), (10, "6.5"), (None, 6))
VOLUME = Terms(Model.VOLUME, tiers=THREE)
GRADUATED = Terms(Model.GRADUATED, tiers=THREE)
WITH_FLAT = Terms(Model.GRADUATED, tiers=tiers((10, 10, 2), (20, 5, 3), (None, 5, 3)))
CALLS = Terms(
    Model.VOLUME,
    tiers=tiers((10000, "0.0010", 10), (50000, "0.0008", 10), (100000, "0.0006", 10), (None, "0.0004", 10)),
)
PACKAGE = Terms(Model.PACKAGE, unit_price=d(100), per=d(10))
BLOCKS = tiers((10, "1.5", 0, 1), (110, "1.0", 0, 1), (None, "0.5", 0, 1))
BIG_BLOCKS = Terms(Model.VOLUME, tiers=tiers((1000, 1, 0, 100), (101000, 1, 0, 1000), (None, "0.5", 0, 1000)))
SHARES = Terms(Model.GRADUATED_PERCENTAGE, tiers=percents((10, 1, 200), (20, 2, 300), (None, 3, 400)))
STAIRS = Terms(Model.STAIRSTEP, tiers=tiers((10, 0, 100), (20, 0, 180), (None, 0, 250)))


@pytest.mark.parametrize(("_case", "terms", "quantity", "amount"), [
    *[("volume", VOLUME, q, a) for q, a in ((1, 7), (5, 35), (6, 39), (20, 120), (25, 150))],
    *[("graduated", GRADUATED, q, a) for q, a in ((5, 35), (6, "41.5"), (20, "127.5"), (25, "157.5"))],
    *[("with flat parts", WITH_FLAT, q, a) for q, a in ((0, 2), (1, 12), (10, 102), (11, 110), (12, 115))],
    ("no first flat part", replace(WITH_FLAT, tiers=tiers((10, 10, 0), (None, 5, 3))), 0, 0),
    ("nothing at zero, where that is agreed", replace(WITH_FLAT, flat_at_zero=False), 0, 0),
    ("nothing at zero, by volume", replace(CALLS, flat_at_zero=False), 0, 0),
    ("flat part at zero, by volume", CALLS, 0, 10),
    ("volume with flat parts", CALLS, 65000, 49),
    ("volume, first range", Terms(Model.VOLUME, tiers=tiers((10, 5, 100), (None, 2, 50))), 5, 125),
    ("graduated over two ranges", Terms(Model.GRADUATED, tiers=tiers((5, 10, 100), (None, 5, 50))), 8, 215),
    ("packages", PACKAGE, 121, 1300),
    ("packages, some free", replace(PACKAGE, free=d(10)), 121, 1200),
    ("packages, all free", replace(PACKAGE, free=d(200)), 121, 0),
    ("a started package is full", PACKAGE, 3, 100),
    ("a package of a thousand", Terms(Model.PACKAGE, unit_price=d(1), per=d(1000)), 4500, 5),
    ("calls", Terms(Model.GRADUATED, tiers=tiers((1000, ".10"), (10000, ".05"), (None, ".01"))), 15000, 600),
    ("calls by volume", Terms(Model.VOLUME, tiers=tiers((1000, ".10"), (10000, ".05"), (None, ".01"))), 15000, 150),
    *[("shares", SHARES, q, a) for q, a in ((0, 200), (1, "200.01"), (10, "200.10"), (11, "500.12"))],
    ("one share", Terms(Model.GRADUATED_PERCENTAGE, tiers=percents((100, 5, 0), (None, 2, 10))), 50, "2.5"),
    ("blocks, each at its tier", Terms(Model.GRADUATED, tiers=BLOCKS), 111, "115.5"),
    ("blocks, all at the top tier", Terms(Model.VOLUME, tiers=BLOCKS), 111, "55.5"),
    ("big blocks, low", BIG_BLOCKS, 1000, 10),
    ("big blocks, a started one is whole", BIG_BLOCKS, 101001, 51),
    *[("stairs", STAIRS, q, a) for q, a in ((0, 100), (10, 100), (11, 180), (20, 180), (21, 250), (9999, 250))],
    ("flat", Terms(Model.FLAT, unit_price=d("29")), 7, 29),
    ("twelve decimals", Terms(Model.PER_UNIT, unit_price=d("0.000000000001")), 10**12, 1),
    ("units, some free", Terms(Model.PER_UNIT, unit_price=d(2), free=d(3)), 5, 4),
    ("units, fewer than free", Terms(Model.PER_UNIT, unit_price=d(2), free=d(3)), 2, 0),
    ("a share of an amount", Terms(Model.PERCENTAGE, percent=d("2.9")), 1000, 29),
    ("a share beyond a free amount", Terms(Model.PERCENTAGE, percent=d("2.9"), free=d(100)), 1000, "26.1"),
    ("at least", Terms(Model.PERCENTAGE, percent=d(1), minimum=d(5)), 100, 5),
    ("at least, of nothing", Terms(Model.PERCENTAGE, percent=d(1), minimum=d(5)), 0, 5),
    ("at most", Terms(Model.PERCENTAGE, percent=d(1), maximum=d(5)), 1000, 5),
    ("within the bounds", Terms(Model.PERCENTAGE, percent=d(1), minimum=d(1), maximum=d(5)), 300, 3),
])  # fmt: skip
def test_worked_amounts(_case: str, terms: Terms, quantity: int, amount: object) -> None:
    assert price(terms, d(quantity)).amount == Fraction(str(amount))


def test_what_is_free_and_the_bounds_are_for_a_part_of_a_period_its_share() -> None:
    whole = Terms(
        Model.PERCENTAGE,
        percent=d(1),
        free=d(20),
        free_events=5,
        free_total=d(100),
        minimum=d(10),
        maximum=d(50),
    )
    part = for_part(whole, Fraction(1, 3))
    assert (part.free_events, part.free, part.minimum) == (1, d("6.666666666667"), d("3.333333333333"))
    assert (part.free_total, part.maximum) == (d("33.333333333333"), d("16.666666666667"))
    assert for_part(whole, Fraction(1)) == whole
    assert for_part(Terms(Model.FLAT, unit_price=d(7)), Fraction(1, 2)) == Terms(Model.FLAT, unit_price=d(7))


CAPACITY = (("unit1", (100, 200)), ("unit2", (1000, 2000)), ("unit3", (50, 100)))
"""Up to how much of each unit the first and the second size go; the third has no end. They cost 10, 20 and 30."""


def test_capacity_of_one_unit_is_a_stairstep() -> None:
    for _, (first, second) in CAPACITY:
        terms = Terms(Model.STAIRSTEP, tiers=tiers((first, 0, 10), (second, 0, 20), (None, 0, 30)))
        found = [price(terms, d(each)).amount for each in (first, first + 1, second, second + 1)]
        assert found == [10, 20, 20, 30]


@pytest.mark.parametrize(("used", "amount"), [
    ((100, 1000, 50), 10), ((100, 1001, 0), 20), ((101, 1000, 0), 20), ((101, 1001, 0), 20), ((10, 2001, 0), 30),
])  # fmt: skip
def test_a_tier_fed_as_a_figure_is_billed_by_its_stair(used: tuple[int, ...], amount: int) -> None:
    """Capacity over several units: the highest size that any needs, sent as the figure of a meter."""
    size = max(1 + sum(n > limit for limit in limits) for n, (_, limits) in zip(used, CAPACITY, strict=True))
    terms = Terms(Model.STAIRSTEP, tiers=tiers((1, 0, 10), (2, 0, 20), (None, 0, 30)))
    assert price(terms, d(size)).amount == amount


EVENTS = Terms(Model.PERCENTAGE, percent=d(1), per_event=d(5), free_events=3)


@pytest.mark.parametrize(("_case", "terms", "events", "amount"), [
    *[("three are free", EVENTS, [10] * n, a) for n, a in ((1, 0), (2, 0), (3, 0), (4, "5.10"))],
    *[("the limit reached first ends what is free", replace(EVENTS, free_total=d(15)), [10] * n, a)
      for n, a in ((1, 0), (2, "5.05"), (3, "10.15"))],
    ("a limit reached exactly", replace(EVENTS, free_total=d(20)), [10] * 3, "5.10"),
    ("what is used up exactly is over", replace(EVENTS, free_events=None, free_total=d(20)), [10, 10, 0], "5"),
    ("only an amount is free", replace(EVENTS, free_events=None, free_total=d(15)), [10, 10], "5.05"),
    ("a fixed part each", Terms(Model.PERCENTAGE, percent=d(2), per_event=d("0.30")), [100, 50], "3.6"),
    ("each at least", Terms(Model.PERCENTAGE, percent=d(1), event_minimum=d(1)), [10, 500], 6),
    ("each at most", Terms(Model.PERCENTAGE, percent=d(1), event_maximum=d(2)), [100, 500], 3),
    ("none", EVENTS, [], 0),
])  # fmt: skip
def test_events_are_priced_one_by_one(_case: str, terms: Terms, events: list[int], amount: object) -> None:
    found = price(terms, d(sum(events)), [d(each) for each in events])
    assert found.amount == Fraction(str(amount))


@pytest.mark.parametrize(("_case", "terms", "quantity", "events", "why"), [
    ("below zero", GRADUATED, -1, None, "below zero"),
    ("events not known", EVENTS, 10, None, "single events"),
    ("an event below zero", EVENTS, 10, [d(-1), d(11)], "below zero"),
    ("beyond the last tier", Terms(Model.VOLUME, tiers=tiers((5, 1))), 6, None, "last tier"),
    ("beyond the last tier, each at its own", Terms(Model.GRADUATED, tiers=tiers((5, 1))), 6, None, "last tier"),
])  # fmt: skip
def test_what_cannot_be_priced_says_so(
    _case: str, terms: Terms, quantity: int, events: list[Decimal] | None, why: str
) -> None:
    with pytest.raises(Unpriceable, match=why):
        price(terms, d(quantity), events)


@pytest.mark.parametrize(("terms", "quantity", "said"), [
    (GRADUATED, 12, "5 × 7.00 + 5 × 6.50 + 2 × 6.00"),
    (CALLS, 65000, "65000 × 0.0006 + 10.00"),
    (replace(PACKAGE, free=d(10)), 121, "10 free, 111 in 12 × 10 at 100.00"),
    (STAIRS, 11, "180.00"),
    (SHARES, 11, "1 % of 10 + 200.00 + 2 % of 1 + 300.00"),
    (Terms(Model.PERCENTAGE, percent=d(1), minimum=d(5)), 100, "1 % of 100, minimum 5.00"),
    (Terms(Model.FLAT, unit_price=d(29)), 3, "29.00"),
])  # fmt: skip
def test_a_line_says_in_short_how_it_came_about(terms: Terms, quantity: int, said: str) -> None:
    assert short(price(terms, d(quantity)).steps, 2) == said


def test_a_long_story_is_cut() -> None:
    many = Terms(Model.GRADUATED, tiers=(*tiers(*[(n, n) for n in range(1, 100)]), Tier(unit_price=d(1))))
    said = short(price(many, d(100)).steps, 2)
    assert len(said) == MOST
    assert said.endswith("…")


_numbers = st.decimals(0, 10**6, places=4)
_bounds = st.lists(st.integers(1, 10**5), min_size=0, max_size=6, unique=True).map(sorted)


@st.composite
def _tiered(draw: st.DrawFn) -> tuple[Tier, ...]:
    ends = [*draw(_bounds), None]
    per = draw(st.sampled_from([None, d(1), d(7)]))
    return tuple(
        Tier(
            up_to=None if end is None else d(end), unit_price=draw(_numbers), flat=draw(_numbers), per=per,
            percent=draw(st.decimals(0, 100, places=2)),
        )
        for end in ends
    )  # fmt: skip


@given(_tiered(), st.lists(st.integers(0, 2 * 10**5), min_size=2, max_size=6).map(sorted))
def test_more_never_costs_less_where_each_part_has_its_tier(
    made: tuple[Tier, ...], counts: list[int]
) -> None:
    for model in (Model.GRADUATED, Model.GRADUATED_PERCENTAGE):
        amounts = [price(Terms(model, tiers=made), d(each)).amount for each in counts]
        assert all(a <= b for a, b in pairwise(amounts))


@given(_tiered(), st.decimals(0, 2 * 10**5, places=6))
def test_the_steps_add_up_to_the_amount_and_cover_the_quantity(
    made: tuple[Tier, ...], count: Decimal
) -> None:
    found = price(Terms(Model.GRADUATED, tiers=made), count)
    assert sum((Fraction(step["amount"]) for step in found.steps), Fraction(0)) == found.amount
    assert sum((Decimal(step["quantity"]) for step in found.steps), d(0)) == count


@given(st.integers(0, 500), _tiered())
def test_unit_by_unit_comes_to_the_same(count: int, made: tuple[Tier, ...]) -> None:
    """Against the plainest reading: each single unit looked up in the table, a flat part when a tier is entered."""
    table = tuple(replace(each, per=None) for each in made)
    plain, entered = Fraction(table[0].flat), {0}
    for unit in range(1, count + 1):
        place = next(n for n, each in enumerate(table) if each.up_to is None or unit <= each.up_to)
        plain += Fraction(table[place].unit_price)
        if place not in entered:
            entered.add(place)
            plain += Fraction(table[place].flat)
    assert price(Terms(Model.GRADUATED, tiers=table), d(count)).amount == plain


@given(
    st.lists(st.decimals(0, 1000, places=2), max_size=20), st.integers(0, 10), st.decimals(0, 5000, places=2)
)
def test_what_is_free_is_free_and_nothing_else(events: list[Decimal], number: int, total: Decimal) -> None:
    """A percentage of 100 gives back what was charged: all that is beyond the limit reached first."""
    terms = Terms(Model.PERCENTAGE, percent=d(100), free_events=number, free_total=total)
    free = min(sum(events[:number], d(0)), total)
    assert price(terms, sum(events, d(0)), events).amount == Fraction(sum(events, d(0)) - free)


@given(st.decimals(0, 10**6, places=3), st.decimals(0, 100, places=2), _numbers, _numbers)
def test_the_amount_lies_between_its_bounds(
    count: Decimal, rate: Decimal, one: Decimal, two: Decimal
) -> None:
    low, high = sorted((one, two))
    found = price(Terms(Model.PERCENTAGE, percent=rate, minimum=low, maximum=high), count)
    assert Fraction(low) <= found.amount <= Fraction(high)

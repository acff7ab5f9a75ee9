"""The curve of a price: what each quantity costs, as a line that a page draws and a table that says the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from billing.domain.pricing import Terms, Unpriceable, price
from core.money import Money, MoneyError, from_decimal

WIDTH, HEIGHT = 440, 160
"""Of the drawing, in its own units."""
_POINTS = 110
_LEAST = Decimal(10)
_ROWS = 8
_JUST = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Spot:
    """A quantity and what it costs; `each` is the amount by unit, rounded, None of nothing."""

    quantity: Decimal
    amount: Money
    each: Money | None


@dataclass(frozen=True, slots=True)
class Curve:
    """`path` is SVG path data within WIDTH x HEIGHT, `x` and `y` where the asked quantity lies on it."""

    path: str
    most_quantity: Decimal
    most: Money
    x: int
    y: int
    spots: Sequence[Spot]


def curve(terms: Terms, currency: str, quantity: Decimal) -> Curve | None:
    """The curve from nothing to beyond the tiers and the asked quantity; None where there is nothing to draw."""
    ends = [tier.up_to for tier in terms.tiers if tier.up_to is not None]
    top = max([quantity * 2, _LEAST, *(end * Decimal("1.25") for end in ends)]).to_integral_value()
    try:
        steps = {(top * n / _POINTS).quantize(Decimal(1)) for n in range(_POINTS + 1)}
        steps |= {each for end in ends for each in (end, end + _JUST)}  # where a step goes straight up
        amounts = [(each, _cost(terms, each)) for each in sorted(steps)]
        spots = [_spot(terms, currency, each) for each in _told(ends, quantity)]
        most = from_decimal(amounts[-1][1], currency)
    except (MoneyError, Unpriceable):
        return None
    highest = max(amount for _, amount in amounts) or Fraction(1)
    points = [(_x(each, top), _y(amount, highest)) for each, amount in amounts]
    return Curve(
        path="M" + " L".join(f"{x} {y}" for x, y in points),
        most_quantity=top,
        most=most,
        x=_x(quantity, top),
        y=_y(_cost(terms, quantity), highest),
        spots=spots,
    )


def _told(ends: Sequence[Decimal], quantity: Decimal) -> list[Decimal]:
    """The quantities that a table names: where tiers end and begin, and the asked one."""
    edges = [each for end in ends[:_ROWS] for each in (end, end + 1)]
    return sorted({Decimal(1), *edges, quantity})


def _cost(terms: Terms, quantity: Decimal) -> Fraction:
    return price(terms, quantity, [quantity]).amount


def _spot(terms: Terms, currency: str, quantity: Decimal) -> Spot:
    amount = _cost(terms, quantity)
    each = from_decimal(amount / Fraction(quantity), currency) if quantity else None
    return Spot(quantity, from_decimal(amount, currency), each)


def _x(quantity: Decimal, top: Decimal) -> int:
    return int(quantity * WIDTH / top)


def _y(amount: Fraction, highest: Fraction) -> int:
    return HEIGHT - int(amount * HEIGHT / highest)

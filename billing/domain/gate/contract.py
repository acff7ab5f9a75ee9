"""What a period must cost by its price's own terms: a second opinion on the amount.

Written apart from the pricing core on purpose: one mistake must not be made twice by one function. It knows whole
periods to the minor unit, and parts of periods to a day, because every convention for parts agrees that far.
"""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil

from billing.domain.gate.facts import Discount, Item, Line, Terms, Tier
from core.money import exponent
from core.periods import Period

_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
HALF = Fraction(1, 2)
YEARS = 146_097
"""Days of 400 years."""


def nearest(amount: Fraction) -> int:
    """The nearest whole minor unit, halves away from zero."""
    whole = int(abs(amount) + HALF)
    return whole if amount >= 0 else -whole


def step_of(terms: Terms) -> tuple[int, int]:
    """The length of a period as (months, days), one of them zero."""
    return _MONTHS.get(terms.unit, 0) * terms.every, _DAYS.get(terms.unit, 0) * terms.every


def _listed(terms: Terms, year: int) -> list[date]:
    """The days of a year on which periods begin."""
    return [date(year, int(each[:2]), int(each[3:])) for each in terms.dates]


def length_of(terms: Terms) -> Fraction:
    """The days of a period, over 400 years; where days are listed all periods of a year count the same. 0: unknown."""
    months, days = step_of(terms)
    if terms.dates:
        return Fraction(YEARS, 400 * len(terms.dates))
    return Fraction(days) if days else Fraction(months * YEARS, 400 * 12)


def lasting(line: Line) -> Fraction:
    """The days that a line is billed for; of a period between listed days so much of `length_of`, whatever is between
    the two, since they cost the same.
    """
    if not line.terms.dates:
        return Fraction(line.span.days)
    whole = _between(line.terms, line.span.start)
    return length_of(line.terms) * line.span.days / whole.days


def _between(terms: Terms, day: date) -> Period:
    """The last listed day up to a day, and the next."""
    near = [each for year in (day.year - 1, day.year, day.year + 1) for each in _listed(terms, year)]
    return Period(max(each for each in near if each <= day), min(each for each in near if each > day))


def _month(day: date) -> int:
    return day.year * 12 + day.month - 1


def _on(month: int, day: int) -> date:
    year, number = divmod(month, 12)
    return date(year, number + 1, min(day, monthrange(year, number + 1)[1]))


def whole_period(item: Item, day: date) -> Period:
    """The period of the item's calendar that contains a day, before its start as well as after."""
    if item.terms.dates:
        return _between(item.terms, day)
    months, days = step_of(item.terms)
    if days:
        passed = (day - item.anchor).days // days
        start = item.anchor + timedelta(days=passed * days)
        return Period(start, start + timedelta(days=days))
    if not months:
        raise ValueError(f"A period of “{item.terms.unit}” is not known.")
    first = _month(item.anchor)
    n = (_month(day) - first) // months
    if _on(first + n * months, item.anchor.day) > day:
        n -= 1
    return Period(_on(first + n * months, item.anchor.day), _on(first + (n + 1) * months, item.anchor.day))


def _tier(tiers: tuple[Tier, ...], quantity: Decimal) -> Tier | None:
    return next((each for each in tiers if each.up_to is None or quantity <= each.up_to), None)


def _graduated(terms: Terms, quantity: Decimal) -> Fraction | None:
    total, below = Fraction(0), Decimal(0)
    for each in terms.tiers:
        upper = quantity if each.up_to is None else min(quantity, each.up_to)
        if upper > below or (not quantity and each is terms.tiers[0]):
            total += Fraction(upper - below) * Fraction(each.unit_price) + Fraction(each.flat)
            below = upper
    return total if below >= quantity else None


def _volume(terms: Terms, quantity: Decimal) -> Fraction | None:
    found = _tier(terms.tiers, quantity)
    return None if found is None else Fraction(quantity) * Fraction(found.unit_price) + Fraction(found.flat)


def _stairstep(terms: Terms, quantity: Decimal) -> Fraction | None:
    found = _tier(terms.tiers, quantity)
    return None if found is None else Fraction(found.flat)


def _package(terms: Terms, quantity: Decimal) -> Fraction | None:
    return ceil(Fraction(quantity) / Fraction(terms.per)) * Fraction(terms.unit_price)


_TIERED = {"graduated": _graduated, "volume": _volume, "stairstep": _stairstep, "package": _package}


def full_minor(terms: Terms, quantity: Decimal) -> int | None:
    """What a whole period costs before discounts, or None for a model that is only watched, not computed."""
    counted = max(Decimal(0), quantity - terms.free)
    if terms.model == "flat":
        major: Fraction | None = Fraction(terms.unit_price)
    elif terms.model == "per_unit":
        major = Fraction(counted) * Fraction(terms.unit_price)
    elif terms.model in _TIERED:
        major = _TIERED[terms.model](terms, counted)
    else:
        major = None
    if major is None:
        return None
    minor = max(nearest(major * 10 ** exponent(terms.currency)), terms.minimum_minor)
    return minor if terms.maximum_minor is None else min(minor, terms.maximum_minor)


def bounds(item: Item, line: Line) -> tuple[int, int] | None:
    """The least and most the line may come to before discounts; equal for a whole period. None: not known."""
    full = full_minor(item.terms, line.quantity)
    if full is None:
        return None
    if line.metered or item.once:
        return full, full
    whole = whole_period(item, line.span.start)
    if line.span == whole and not (item.timed and line.span.start == item.starts_on):
        return full, full
    if item.slack is None:
        return 0, full
    days, of = line.span.days, whole.days
    low, high = max(0, min(days, of) - item.slack), min(of, days + item.slack)
    return nearest(Fraction(full * low, of)) - 1, nearest(Fraction(full * high, of)) + 1


def discount_minor(granted: tuple[Discount, ...], line: Line, day: date | None = None) -> int:
    """What the discounts take off the line alone, each once, in their order, never more than there is."""
    return discounts_minor([(granted, line)], day)[0]


def applies(each: Discount, line: Line, day: date | None) -> bool:
    """Whether a discount is for a line: by its first day, an amount per bill by the `day` of the bill, when known."""
    return day is None or each.holds(day) if each.per_bill else each.holds(line.span.start)


def discounts_minor(bill: Sequence[tuple[tuple[Discount, ...], Line]], day: date | None = None) -> list[int]:
    """What the discounts take off each line of a day's bill; an amount per bill once, by what is left of each line."""
    left = [line.amount_minor for _, line in bill]
    lines = [_named(granted) for granted, _ in bill]
    for name in _in_order(lines):
        mine = {
            n: named[name]
            for n, (named, (_, line)) in enumerate(zip(lines, bill, strict=True))
            if name in named and applies(named[name], line, day)
        }
        there = sum(max(left[n], 0) for n in mine)
        for n, each in mine.items():
            if each.per_bill:
                left[n] -= nearest(Fraction(min(each.amount_minor, there) * max(left[n], 0), there or 1))
            else:
                left[n] -= nearest(left[n] * Fraction(each.percent) / 100)
                left[n] -= min(max(left[n], 0), each.amount_minor)
    return [line.amount_minor - rest for (_, line), rest in zip(bill, left, strict=True)]


_Name = tuple[str, date | None, int]


def _named(granted: tuple[Discount, ...]) -> dict[_Name, Discount]:
    """The discounts of a line by a name that is one for all lines; one that is granted twice has two."""
    found: dict[_Name, Discount] = {}
    for each in granted:
        known = (each.key, None) if each.key else (each.name, each.since)
        found[*known, sum(name[:2] == known for name in found)] = each
    return found


def _in_order(lines: Sequence[Mapping[_Name, Discount]]) -> list[_Name]:
    """The discounts of several lines in the one order in which each line has its own."""
    order: list[_Name] = []
    rest = [list(line) for line in lines]
    while heads := [line[0] for line in rest if line]:
        free = (name for name in heads if not any(name in line[1:] for line in rest))
        order.append(next(free, heads[0]))
        rest = [[name for name in line if name != order[-1]] for line in rest]
    return order

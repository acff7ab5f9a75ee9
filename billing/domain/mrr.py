"""What a subscription is worth a month and how that moves: pure, from its contract alone, never from invoices.

What comes again counts, at the price of its quantity less discounts, from an item's first day up to its end or the
subscription's. A year is 12 months, 4 quarters, 52 weeks or 365 days, or as many periods as days are listed. What a
meter counts and what is owed once is no recurring revenue; what cannot be priced is worth nothing, as no run bills it.
Amounts are exact until the sum of a day is rounded, once, to minor units of the subscription's currency.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from billing.domain.discounts import Discount, Per
from billing.domain.facts import ItemFacts, SubscriptionFacts
from billing.domain.pricing import Unpriceable, price
from core.money import MoneyError, from_decimal
from core.periods import Listed, Unit

_IN_A_YEAR = {Unit.DAY: 365, Unit.WEEK: 52, Unit.MONTH: 12, Unit.QUARTER: 4, Unit.YEAR: 1}


class Move(StrEnum):
    """Why monthly recurring revenue is another than the day before."""

    NEW = "new"
    EXPANSION = "expansion"
    CONTRACTION = "contraction"
    CHURN = "churn"
    REACTIVATION = "reactivation"


@dataclass(frozen=True, slots=True)
class Movement:
    """From `day` on a subscription is worth `after_minor` a month, which is `delta_minor` (never 0) more or less."""

    day: date
    kind: Move
    delta_minor: int
    after_minor: int


def mrr_on(facts: SubscriptionFacts, day: date) -> int:
    """Monthly recurring revenue of a subscription on a local date, in minor units."""
    return _worth(facts, _spans(facts), day)


def movements(facts: SubscriptionFacts) -> list[Movement]:
    """Every movement of a subscription, past and agreed for later, by day; they add up to what it is worth on any day.

    The first is new. A fall to nothing is churn, the rise from it a reactivation, so a gap is both.
    """
    spans = _spans(facts)
    found: list[Movement] = []
    before = 0
    for day in _turns(spans):
        after = _worth(facts, spans, day)
        if after != before:
            found.append(Movement(day, _kind(before, after, first=not found), after - before, after))
        before = after
    return found


def _kind(before: int, after: int, *, first: bool) -> Move:
    if before == 0:
        return Move.NEW if first else Move.REACTIVATION
    if after == 0:
        return Move.CHURN
    return Move.EXPANSION if after > before else Move.CONTRACTION


def _gross(item: ItemFacts) -> Fraction:
    """What a period of an item comes to before discounts, where that recurs."""
    if item.unit is None or item.meter_id is not None:
        return Fraction(0)
    try:
        return max(price(item.terms, item.quantity).amount, Fraction(0))
    except Unpriceable:
        return Fraction(0)


def _share(item: ItemFacts) -> Fraction:
    """How much of a period of an item is a month."""
    if item.unit is None:
        return Fraction(0)
    periods = len(item.unit.dates) if isinstance(item.unit, Listed) else _IN_A_YEAR[item.unit]
    return Fraction(periods, 12 * item.every)


@dataclass(frozen=True, slots=True)
class _Span:
    """The days on which an item is in force, what a period of it comes to, how much of that is a month, and what of
    each discount of its subscription is for it."""

    start: date
    end: date
    gross: Fraction
    share: Fraction
    is_plan: bool
    parts: tuple[tuple[Discount, ...], ...]


def _spans(facts: SubscriptionFacts) -> list[_Span]:
    found = [
        _Span(
            item.starts_on,
            facts.end_of(item) or date.max,
            _gross(item),
            _share(item),
            item.is_plan,
            tuple(each.parts(item.plan, item.belongs) for each in facts.discounts),
        )
        for item in facts.items
    ]
    return [span for span in found if span.start < span.end and (span.gross or span.is_plan)]


def _turns(spans: Sequence[_Span]) -> list[date]:
    """The days on which the worth may become another."""
    days = {day for span in spans for day in (span.start, span.end)} - {date.max}
    discounts = [each for span in spans for parts in span.parts for each in parts]
    days |= {each.starts_on for each in discounts}
    return sorted(days | {each.ends_on for each in discounts if each.ends_on is not None})


def _worth(facts: SubscriptionFacts, spans: Sequence[_Span], day: date) -> int:
    """A month of what is in force on a day, less the discounts that hold then, also those of a single period.

    An amount per bill counts once a period of the plan, by what is left of each item.
    """
    here = [span for span in spans if span.start <= day < span.end]
    often = max((span.share for span in here if span.is_plan), default=Fraction(0))
    left = [span.gross for span in here]
    for nth in range(len(facts.discounts)):
        mine = [(n, part) for n, span in enumerate(here) for part in span.parts[nth] if part.holds(day)]
        months = sum((left[n] * here[n].share for n, _ in mine), Fraction(0))
        for n, part in mine:
            if part.per is Per.LINE:
                left[n] -= part.off(left[n])
            elif months:
                left[n] -= left[n] * min(Fraction(part.amount) * often / months, Fraction(1))
    net = sum((rest * span.share for span, rest in zip(here, left, strict=True)), Fraction(0))
    try:
        return from_decimal(net, facts.currency).minor
    except MoneyError:  # beyond any amount there can be: no run bills it
        return 0

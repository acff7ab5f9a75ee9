"""Measured quantities against those before, with what moves all of a plan taken out.

How far is too far depends on three spreads: how much the subscription swings of its own accord, how much all of its
plan do this time, and a floor for what never moved. The fewer periods are known, the wider.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from billing.domain.gate.facts import Bill, Finding, Line, Severity
from billing.domain.gate.look import Look, number, plain
from billing.domain.gate.robust import fold, median, swing

KNOWN = 3
"""Periods after which a subscription's own swings count."""
FIRST = {1: 10, 2: 7, 3: 5}
"""How many times the usual it may be while no more are known."""
WINDOW = 5
"""Periods that are looked back on: what was long ago says little of somebody who grew."""
FLOOR, LONE, DROP, CAP = Fraction(7, 4), Fraction(3), Fraction(3), Fraction(4)
"""The least fold that is looked at however steady all is; the same where a plan has too few to say how steady it is,
and for less than usual; and the fold from which it is looked at however wild it was."""
SPREAD = 6
"""The power of the plan's middle fold that is still ordinary: four standard deviations of what is noise."""
NOISE = 36
"""A count within six of its own square roots is chance."""
SEASON, CROWD = 8, 20
"""Subscriptions of a plan from which their common movement is a season, and from which their spread counts."""
EXACT = 3000
"""Significant digits, read as a number, from which the same count twice is no chance."""
SHIFT = 3
"""How many times a whole plan's usage may move at once before each of its bills is looked at."""


@dataclass(frozen=True, slots=True)
class Measured:
    """How a batch's plans stand: by plan, year and month against each one's middle, and by plan the middle fold."""

    seasons: Mapping[tuple[str, int, int], Fraction]
    spreads: Mapping[str, Fraction]

    def season(self, line: Line) -> Fraction:
        """How usage of the line's plan stands in its month; 1 where that cannot be said."""
        return self.seasons.get((line.terms.plan, line.span.start.year, line.span.start.month), Fraction(1))

    def before(self, line: Line, past: Sequence[Line]) -> list[Fraction]:
        """Units a day of earlier periods, taken to the line's season."""
        season = self.season(line)
        return [daily(each) * season / self.season(each) for each in past[-WINDOW:]]


def daily(line: Line) -> Fraction:
    """Units a day."""
    return Fraction(line.quantity) / line.span.days


def measured(bills: Sequence[Bill]) -> Measured:
    """What the bills of a batch say of their plans."""
    seasons = Measured(_seasons(bills), {})
    folds: dict[str, list[Fraction]] = defaultdict(list)
    for bill in bills:
        for line, past in _pairs(bill):
            active = [each for each in seasons.before(line, past) if each > 0]
            if line.quantity > 0 and len(active) > KNOWN:
                folds[line.terms.plan].append(_off(daily(line), active))
    spreads = {plan: median(each) for plan, each in folds.items() if len(each) >= CROWD}
    return Measured(seasons.seasons, spreads)


def _pairs(bill: Bill) -> Iterator[tuple[Line, list[Line]]]:
    """Each measured line with the earlier ones of its item, as they are counted by now."""
    again = {(each.item, each.span.start): each for each in bill.recounted}
    for line in bill.lines:
        past = [each for each in bill.past if each.metered and each.item == line.item]
        if line.metered and past:
            yield line, [again.get((each.item, each.span.start), each) for each in past]


def _seasons(bills: Iterable[Bill]) -> dict[tuple[str, int, int], Fraction]:
    stood: dict[tuple[str, int, int], list[Fraction]] = defaultdict(list)
    for bill in bills:
        lines = [line for line in (*bill.past, *bill.lines) if line.metered and line.quantity > 0]
        if len(lines) <= KNOWN:
            continue
        middle = median(daily(line) for line in lines)
        for line in lines:
            start = line.span.start
            stood[line.terms.plan, start.year, start.month].append(daily(line) / middle)
    return {key: median(ratios) for key, ratios in stood.items() if len(ratios) >= SEASON}


def usage(look: Look, plans: Measured) -> Iterator[Finding]:
    """Findings about measured quantities that are not like those before."""
    for line, past in _pairs(look.bill):
        moved = fold(plans.season(line), median(plans.season(each) for each in past))
        if moved >= SHIFT:
            sentence = f"All usage of {line.terms.plan} moved by a factor of about {number(moved)} at once."
            yield look.finding("shift", Severity.ODD, line, sentence, now=line.quantity, usual=number(moved))
            continue
        yield from _like_before(look, line, past, plans)
        yield from _again(look, line, past)
    for line, past in _recounted(look.bill):
        yield from _like_before(look, line, past, plans)


def _recounted(bill: Bill) -> Iterator[tuple[Line, list[Line]]]:
    """Each period that was counted anew with the others of its item, or with what it was counted as before while the
    others say nothing.
    """
    for line in bill.recounted:
        past = [each for each in bill.past if each.metered and each.item == line.item]
        others = [each for each in past if each.span.start != line.span.start]
        yield line, others if any(each.quantity > 0 for each in others) else past


def _again(look: Look, line: Line, past: list[Line]) -> Iterator[Finding]:
    """The very count of the last period, from somebody whose counts were all different: billed once more?"""
    counts = [each.quantity for each in past]
    digits = int("".join(map(str, line.quantity.normalize().as_tuple().digits)))
    if line.quantity == counts[-1] and len(set(counts)) == len(counts) >= KNOWN and digits >= EXACT:
        sentence = f"It used {plain(line.quantity)}, exactly as the last time: is that the last period's usage again?"
        yield look.finding("again", Severity.ODD, line, sentence, now=line.quantity, usual=counts[-1])


def _like_before(look: Look, line: Line, past: list[Line], plans: Measured) -> Iterator[Finding]:
    before = plans.before(line, past)
    active = [each for each in before if each > 0]
    if not active:
        return
    now, usual = daily(line), median(before)
    if now:
        odd = _off(now, active) >= _limit(now, active, plans.spreads.get(line.terms.plan))
    else:
        odd = len(active) == len(before) >= KNOWN and swing(active) < DROP
    chance = (now - usual) ** 2 * line.span.days <= NOISE * max(now, usual)
    if odd and not chance:
        last = number(daily(past[-1]))
        sentence = f"It used {number(now)} a day; one expects about {number(usual)}, and the last time it was {last}."
        yield look.finding(
            "usage", Severity.ODD, line, sentence, now=plain(line.quantity), usual=plain(past[-1].quantity)
        )


def _off(now: Fraction, active: Sequence[Fraction]) -> Fraction:
    """How many times off the usual, or off the last two where that is nearer: somebody who grows is near those."""
    return min(fold(now, median(active)), fold(now, median(active[-2:])))


def _limit(now: Fraction, active: Sequence[Fraction], spread: Fraction | None) -> Fraction:
    """The fold that is odd: beyond its own swings to the power of one and a half, and beyond its plan's."""
    if len(active) <= KNOWN:
        return Fraction(FIRST[len(active)])
    floor = DROP if now < min(active) else FLOOR if spread else LONE
    own = swing(active)
    squared = max(own**3, floor**2, (spread or Fraction(1)) ** (2 * SPREAD))
    return CAP if squared >= CAP**2 else _root(squared)


def _root(squared: Fraction) -> Fraction:
    """The square root to a thousandth, from below."""
    return Fraction(isqrt(squared.numerator * 10**6 // squared.denominator), 1000)

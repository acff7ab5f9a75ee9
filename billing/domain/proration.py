"""How much of a period a part of it is: by its seconds, its days, thirtieths, or not at all."""

from datetime import date, time
from enum import StrEnum
from fractions import Fraction

from core.periods import Listed, Period, Unit

MONTH = 30
"""Days of every month, where parts are thirtieths."""
DAY = 24 * 60 * 60
"""Seconds of every day, also of one on which clocks are changed."""
MIDNIGHT = time()
_MONTHS = {Unit.MONTH: 1, Unit.QUARTER: 3, Unit.YEAR: 12}


class Proration(StrEnum):
    """What a part of a period costs; a subscription keeps to one for its whole life."""

    DAY = "day"
    """Its days of the days that the period has."""
    SECOND = "second"
    """Its seconds of those that the period has: what changes or ends at a time of day shares that day by it."""
    THIRTIETH = "thirtieth"
    """Its days of months that all have thirty: 23 May to 15 June are 22. Weeks, days and listed days go by days."""
    NONE = "none"
    """Nothing where it begins within a period, all of it where it ends within one; nothing of that is credited."""


def share(
    by: Proration,
    part: Period,
    whole: Period,
    unit: Unit | Listed,
    every: int,
    *,
    since: time = MIDNIGHT,
    until: time = MIDNIGHT,
) -> Fraction:
    """The exact share of a period of `every` x `unit` that a part of it costs, from 0 to 1.

    By seconds it begins at `since` on its first day and goes on to `until` on the day after its last.
    """
    if by is Proration.SECOND:
        return Fraction(_seconds(part, since, until), whole.days * DAY)
    if part == whole:
        return Fraction(1)
    if by is Proration.NONE:
        return Fraction(part.start == whole.start)
    if by is Proration.THIRTIETH and unit in _MONTHS:
        days = _thirties(part.end, whole) - _thirties(part.start, whole)
        return min(Fraction(days, MONTH * _MONTHS[unit] * every), Fraction(1))
    return Fraction(part.days, whole.days)


def unused(
    by: Proration,
    part: Period,
    billed: Period,
    whole: Period,
    unit: Unit | Listed,
    every: int,
    *,
    ended: time = MIDNIGHT,
    since: time = MIDNIGHT,
    until: time = MIDNIGHT,
) -> Fraction:
    """The exact share of what was billed for `billed` that its last days, `part`, are.

    Without proration it is nothing of what was begun, and all of what never was. By seconds the part begins at `ended`
    on its first day; `since` and `until` are of what was billed, see `share`.
    """
    if by is Proration.SECOND:
        return Fraction(_seconds(part, ended, until), _seconds(billed, since, until))
    if part == billed:
        return Fraction(1)
    if by is Proration.NONE:
        return Fraction(0)
    paid = share(by, billed, whole, unit, every)
    return min(share(by, part, whole, unit, every) / paid, Fraction(1)) if paid else Fraction(0)


def _seconds(days: Period, since: time, until: time) -> int:
    return days.days * DAY + _into(until) - _into(since)


def _into(at: time) -> int:
    """Seconds since its day began."""
    return (at.hour * 60 + at.minute) * 60 + at.second


def _thirties(day: date, whole: Period) -> int:
    """Days since the year 0 in which every month has thirty; a 31st is the 30th.

    Where a period begins or ends early for want of a day in its month, it does so on the day that is wanting.
    """
    number = max(whole.start.day, whole.end.day) if day in (whole.start, whole.end) else day.day
    return (day.year * 12 + day.month) * MONTH + min(number, MONTH)

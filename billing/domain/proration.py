"""How much of a period a part of it is: by its days, by thirtieths, or not at all."""

from datetime import date
from enum import StrEnum
from fractions import Fraction

from core.periods import Period, Unit

MONTH = 30
"""Days of every month, where parts are thirtieths."""
_MONTHS = {Unit.MONTH: 1, Unit.QUARTER: 3, Unit.YEAR: 12}


class Proration(StrEnum):
    """What a part of a period costs; a subscription keeps to one for its whole life."""

    DAY = "day"
    """Its days of the days that the period has."""
    THIRTIETH = "thirtieth"
    """Its days of months that all have thirty: 23 May to 15 June are 22. Weeks and days go by days."""
    NONE = "none"
    """Nothing where it begins within a period, all of it where it ends within one; nothing is credited."""


def share(by: Proration, part: Period, whole: Period, unit: Unit, every: int) -> Fraction:
    """The exact share of a period of `every` x `unit` that a part of it costs, from 0 to 1."""
    if part == whole:
        return Fraction(1)
    if by is Proration.NONE:
        return Fraction(part.start == whole.start)
    if by is Proration.THIRTIETH and unit in _MONTHS:
        days = _thirties(part.end) - _thirties(part.start)
        return min(Fraction(days, MONTH * _MONTHS[unit] * every), Fraction(1))
    return Fraction(part.days, whole.days)


def unused(by: Proration, part: Period, billed: Period, whole: Period, unit: Unit, every: int) -> Fraction:
    """The exact share of what was billed for `billed` that its last days, `part`, are; nothing without proration."""
    if by is Proration.NONE:
        return Fraction(0)
    if part == billed:
        return Fraction(1)
    paid = share(by, billed, whole, unit, every)
    return min(share(by, part, whole, unit, every) / paid, Fraction(1)) if paid else Fraction(0)


def _thirties(day: date) -> int:
    """Days since the year 0 in which every month has thirty; a 31st is the 30th."""
    return (day.year * 12 + day.month) * MONTH + min(day.day, MONTH)

"""Half-open local-date periods, computed from their anchor, or from the days of a year that are listed for them.

The n-th boundary always comes from the anchor (31 Jan, 28 Feb, 31 Mar) or the list, never from the one before it, so
month ends do not drift.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta


class Unit(StrEnum):
    """What a period is counted in."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


DATES = "dates"
"""What stands for a unit where periods begin on listed days."""


@dataclass(frozen=True, slots=True)
class Listed:
    """The days of each year on which periods begin: month and day, as 03-25, in order, none of them 29 February.

    It takes a unit's place where it is the whole of an interval: `every` is 1, and an anchor says nothing.
    """

    dates: tuple[str, ...]

    def __str__(self) -> str:
        return DATES

    def boundary(self, n: int) -> date:
        """The n-th of all listed days since the year 0."""
        year, place = divmod(n, len(self.dates))
        return date.fromisoformat(f"{year:04}-{self.dates[place]}")

    def index_on(self, day: date) -> int:
        """Number of the last listed day up to a day."""
        return day.year * len(self.dates) + bisect_right(self.dates, f"{day:%m-%d}") - 1


def unit_of(name: str, dates: Sequence[str]) -> Unit | Listed:
    """A unit by its name, or the days that are listed in its place."""
    return Listed(tuple(dates)) if name == DATES else Unit(name)


_STEP = {
    Unit.DAY: ("days", 1),
    Unit.WEEK: ("weeks", 1),
    Unit.MONTH: ("months", 1),
    Unit.QUARTER: ("months", 3),
    Unit.YEAR: ("years", 1),
}


@dataclass(frozen=True, slots=True)
class Period:
    """`[start, end)` in local dates: the end is the first day that does not belong to it."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError("A period ends after it starts.")

    @property
    def days(self) -> int:
        return (self.end - self.start).days


def boundary(anchor: date, unit: Unit | Listed, every: int, n: int) -> date:
    """Start of the n-th period of `every` x `unit`, counted from `anchor`; below zero it lies before the anchor.

    Where days are listed it is the n-th of those.
    """
    if isinstance(unit, Listed):
        return unit.boundary(n)
    name, step = _STEP[unit]
    return anchor + relativedelta(**{name: step * every * n})  # type: ignore[arg-type]


def period(anchor: date, unit: Unit | Listed, every: int, n: int) -> Period:
    """The n-th period."""
    return Period(boundary(anchor, unit, every, n), boundary(anchor, unit, every, n + 1))


def index_on(anchor: date, unit: Unit | Listed, every: int, day: date) -> int:
    """Number of the period that contains `day`; below zero before the anchor."""
    if isinstance(unit, Listed):
        return unit.index_on(day)
    name, step = _STEP[unit]
    approximate_days = {"days": 1.0, "weeks": 7.0, "months": 30.44, "years": 365.25}[name] * step * every
    n = int((day - anchor).days / approximate_days)
    while boundary(anchor, unit, every, n) > day:
        n -= 1
    while boundary(anchor, unit, every, n + 1) <= day:
        n += 1
    return n


def period_on(anchor: date, unit: Unit | Listed, every: int, day: date) -> Period:
    """The period that contains `day`."""
    return period(anchor, unit, every, index_on(anchor, unit, every, day))


def local_midnight(day: date, zone: str) -> datetime:
    """The instant, in UTC, at which `day` begins in `zone`; where midnight is skipped, the first instant after."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)

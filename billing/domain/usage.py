"""Counting usage: what an event says, the buckets it is counted into, and the figure a period comes to.

A figure is made of buckets of 15 minutes and of days, all of UTC: every zone's midnight falls on the beginning of one
of the former. What of a period begins or ends inside a bucket is read from the events themselves, so any two instants
will do. Values have at most 12 decimals and nothing is rounded but the quotient of an average.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from enum import IntEnum, StrEnum

SLOT, DAY = timedelta(minutes=15), timedelta(days=1)
ROOM = 100
"""Digits that sums are kept with: more than any sum of values can have."""
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PLACES = Decimal("1e-12")
_EXACT = Context(prec=ROOM)
ZERO = Decimal(0)


class Aggregation(StrEnum):
    """How a meter makes one figure of many events.

    `count` their number; `sum`, `max` and `last` of their values, `last` being that of the latest instant; `unique` how
    many different keys; `weighted_sum` the average over time of a level that each value changes.
    """

    COUNT = "count"
    SUM = "sum"
    MAX = "max"
    LAST = "last"
    UNIQUE = "unique"
    WEIGHTED_SUM = "weighted_sum"


class Grain(IntEnum):
    """What a bucket spans. `EVENT` is no bucket: what is shorter than a slot is read from the events."""

    SLOT = 0
    DAY = 1
    EVENT = 2


@dataclass(frozen=True, slots=True)
class Reading:
    """An event as far as it counts. `name` is its transaction id, which says who of two at one instant is later."""

    at: datetime
    value: Decimal
    name: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """What a bucket holds of its events: their number, the sum of values, the sum of each value times the seconds from
    the bucket's start, the largest, and the last with its instant and transaction id."""

    count: int = 0
    total: Decimal = ZERO
    area: Decimal = ZERO
    most: Decimal | None = None
    last: tuple[datetime, str, Decimal] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What is known of one group within a period. `level` is the sum of all values before it, `area` the sum of each
    value within times the seconds from it to the period's end, `keys` the number of different ones."""

    count: int = 0
    total: Decimal = ZERO
    area: Decimal = ZERO
    level: Decimal = ZERO
    most: Decimal | None = None
    last: tuple[datetime, str, Decimal] | None = None
    keys: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a period `[since, until)` that buckets of one grain make up, or events."""

    grain: Grain
    since: datetime
    until: datetime


def seconds(span: timedelta) -> Decimal:
    """Seconds with their microseconds, exact."""
    return Decimal(span // _MICROSECOND).scaleb(-6, _EXACT)


def floor(at: datetime, step: timedelta) -> datetime:
    """Start of the bucket of this length, by UTC, that an instant falls into."""
    return at - (at - _EPOCH) % step


def _ceiling(at: datetime, step: timedelta) -> datetime:
    return at + (_EPOCH - at) % step


def spans(start: datetime, end: datetime) -> list[Span]:
    """The stretches that make up `[start, end)` without gap or overlap: as many whole days as fit, slots around them,
    events at the edges. At most five."""
    first, last = _ceiling(start, SLOT), floor(end, SLOT)
    if first >= last:
        inner = [Span(Grain.EVENT, start, min(first, end))]
        return [each for each in [*inner, Span(Grain.EVENT, min(first, end), end)] if each.since < each.until]
    day_one, day_end = _ceiling(first, DAY), floor(last, DAY)
    if day_one >= day_end:
        middle = [Span(Grain.SLOT, first, last)]
    else:
        middle = [
            Span(Grain.SLOT, first, day_one),
            Span(Grain.DAY, day_one, day_end),
            Span(Grain.SLOT, day_end, last),
        ]
    edges = [Span(Grain.EVENT, start, first), *middle, Span(Grain.EVENT, last, end)]
    return [each for each in edges if each.since < each.until]


def before(start: datetime, first: datetime = datetime(1970, 1, 1, tzinfo=UTC)) -> list[Span]:
    """The stretches of everything before an instant."""
    return spans(first, start)


def tally(readings: Iterable[Reading], start: datetime) -> Tally:
    """The bucket that begins at `start` and holds these events, in whatever order they came."""
    inside = list(readings)
    if not inside:
        return Tally()
    with localcontext(_EXACT):
        return Tally(
            len(inside),
            sum((each.value for each in inside), ZERO),
            sum((each.value * seconds(each.at - start) for each in inside), ZERO),
            max(each.value for each in inside),
            max((each.at, each.name, each.value) for each in inside),
        )


def merged(tallies: Sequence[tuple[datetime, Tally]], start: datetime) -> Tally:
    """One bucket of several smaller ones, each with its own start."""
    with localcontext(_EXACT):
        return Tally(
            sum(each.count for _, each in tallies),
            sum((each.total for _, each in tallies), ZERO),
            sum((each.area + each.total * seconds(own - start) for own, each in tallies), ZERO),
            max((each.most for _, each in tallies if each.most is not None), default=None),
            max((each.last for _, each in tallies if each.last is not None), default=None),
        )


def buckets(readings: Sequence[tuple[int, Reading]]) -> dict[tuple[int, Grain, datetime], Tally]:
    """What events, each with the number of its group, add to the buckets of both grains, in the order of the keys."""
    slots: dict[tuple[int, datetime], list[Reading]] = {}
    for group, each in readings:
        slots.setdefault((group, floor(each.at, SLOT)), []).append(each)
    made: dict[tuple[int, Grain, datetime], Tally] = {}
    days: dict[tuple[int, datetime], list[tuple[datetime, Tally]]] = {}
    for (group, start), inside in slots.items():
        one = tally(inside, start)
        made[group, Grain.SLOT, start] = one
        days.setdefault((group, floor(start, DAY)), []).append((start, one))
    for (group, start), inner in days.items():
        made[group, Grain.DAY, start] = merged(inner, start)
    return dict(sorted(made.items(), key=lambda each: each[0]))


def figure(aggregation: Aggregation, parts: Sequence[Part], start: datetime, end: datetime) -> Decimal:
    """The figure of a period from the parts of its groups.

    Counts, sums, averages and unique keys of the groups are added, so a key that occurs in two groups counts twice; of
    `max` and `last` it is the one over all groups. Nothing in the period is 0. An average is rounded half up to 12
    decimals, over all groups once.
    """
    with localcontext(_EXACT):
        if aggregation is Aggregation.COUNT:
            found = Decimal(sum(each.count for each in parts))
        elif aggregation is Aggregation.SUM:
            found = sum((each.total for each in parts), ZERO)
        elif aggregation is Aggregation.UNIQUE:
            found = Decimal(sum(each.keys for each in parts))
        elif aggregation is Aggregation.MAX:
            found = max((each.most for each in parts if each.most is not None), default=ZERO)
        elif aggregation is Aggregation.LAST:
            latest = max((each.last for each in parts if each.last is not None), default=None)
            found = latest[2] if latest else ZERO
        else:
            found = _average(parts, seconds(end - start))
        return plain(found)


def _average(parts: Sequence[Part], whole: Decimal) -> Decimal:
    filled = sum((each.level * whole + each.area for each in parts), ZERO)
    return (filled / whole).quantize(_PLACES, ROUND_HALF_UP)


def plain(number: Decimal) -> Decimal:
    """The number without zeros at its end, and without an exponent."""
    with localcontext(_EXACT):
        short = number.normalize()
        exponent = short.as_tuple().exponent
        return short.quantize(Decimal(1)) if isinstance(exponent, int) and exponent > 0 else short + 0


def counted(
    aggregation: Aggregation, groups: Iterable[Sequence[Reading]], start: datetime, end: datetime
) -> Decimal:
    """The figure of `[start, end)` from all events there ever were, the plain way; what buckets are proved by."""
    parts = []
    with localcontext(_EXACT):
        for readings in groups:
            inside = [each for each in readings if start <= each.at < end]
            own = tally(inside, start)
            parts.append(
                Part(
                    count=own.count,
                    total=own.total,
                    area=sum((each.value * seconds(end - each.at) for each in inside), ZERO),
                    level=sum((each.value for each in readings if each.at < start), ZERO),
                    most=own.most,
                    last=own.last,
                    keys=len({each.key for each in inside}),
                )
            )
    return figure(aggregation, parts, start, end)

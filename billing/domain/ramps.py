"""A subscription's plan over time, as it follows from what was said of it. Pure; days are local to its zone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal

from billing.domain.proration import MIDNIGHT


@dataclass(frozen=True, slots=True)
class Held:
    """Which price (its id) holds, and how much of it."""

    price: int
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Said:
    """What was said from a day on: another price, another quantity or both; None stays as it is before the day.

    By seconds it holds from `at` of the day on.
    """

    on: date
    price: int | None = None
    quantity: Decimal | None = None
    at: time = MIDNIGHT

    def after(self, before: Held) -> Held:
        """What holds from its day on."""
        return Held(
            before.price if self.price is None else self.price,
            before.quantity if self.quantity is None else self.quantity,
        )


@dataclass(frozen=True, slots=True)
class Pause:
    """Days on which nothing holds, from `off` up to `again`, when that is known."""

    off: date
    again: date | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days on which one price and quantity hold; `paused`: a pause ends them.

    By seconds they hold from `starts_time` of the first day on, up to `ends_time` of the day on which they end.
    """

    starts_on: date
    ends_on: date | None
    held: Held
    paused: bool = False
    starts_time: time = MIDNIGHT
    ends_time: time = MIDNIGHT


_Turn = tuple[date, time, Held]


def held_on(first: Stretch, said: Sequence[Said], day: date) -> Held:
    """What was said to hold on a day, a pause or not, from the first stretch on."""
    held = first.held
    for each in sorted(said, key=lambda each: each.on):
        if first.starts_on < each.on <= day:
            held = each.after(held)
    return held


def stretches(first: Stretch, said: Sequence[Said], pause: Pause | None) -> list[Stretch]:
    """All of a plan from its first stretch on: no day twice, none left out but those of the pause.

    What changes nothing makes no stretch. What was said for a day in the pause holds when that is over. A pause that is
    over on the first day is so from when that begins.
    """
    turns = _turns(first, said)
    if pause is None:
        return _joined(turns, None)
    before = [turn for turn in turns if turn[0] < pause.off] or turns[:1]
    found = _joined(before, pause.off, paused=True)
    if pause.again is not None:
        after = [turn for turn in turns if turn[0] > pause.again]
        at = first.starts_time if pause.again == first.starts_on else MIDNIGHT
        found += _joined([(pause.again, at, held_on(first, said, pause.again)), *after], None)
    return found


def _turns(first: Stretch, said: Sequence[Said]) -> list[_Turn]:
    """The days, and times of them, from which something else holds."""
    turns = [(first.starts_on, first.starts_time, first.held)]
    for each in sorted(said, key=lambda each: each.on):
        after = each.after(turns[-1][2])
        if each.on > first.starts_on and after != turns[-1][2]:
            turns.append((each.on, each.at, after))
    return turns


def _joined(turns: Sequence[_Turn], end: date | None, *, paused: bool = False) -> list[Stretch]:
    """Each stretch up to the next one, the last up to the end."""
    ends = [*((day, at) for day, at, _ in turns[1:]), (end, MIDNIGHT)]
    last = len(turns) - 1
    return [
        Stretch(day, ends[n][0], held, paused and n == last, at, ends[n][1])
        for n, (day, at, held) in enumerate(turns)
    ]

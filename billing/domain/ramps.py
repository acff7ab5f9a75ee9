"""A subscription's plan over time, as it follows from what was said of it. Pure; days are local to its zone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Held:
    """Which price (its id) holds, and how much of it."""

    price: int
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Said:
    """What was said from a day on: another price, another quantity or both; None stays as it is before the day."""

    on: date
    price: int | None = None
    quantity: Decimal | None = None

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
    """Days on which one price and quantity hold; `paused`: a pause ends them."""

    starts_on: date
    ends_on: date | None
    held: Held
    paused: bool = False


def held_on(first: Stretch, said: Sequence[Said], day: date) -> Held:
    """What was said to hold on a day, a pause or not, from the first stretch on."""
    held = first.held
    for each in sorted(said, key=lambda each: each.on):
        if first.starts_on < each.on <= day:
            held = each.after(held)
    return held


def stretches(first: Stretch, said: Sequence[Said], pause: Pause | None) -> list[Stretch]:
    """All of a plan from its first stretch on: no day twice, none left out but those of the pause.

    What changes nothing makes no stretch. What was said for a day in the pause holds when that is over.
    """
    turns = _turns(first, said)
    if pause is None:
        return _joined(turns, None)
    before = [turn for turn in turns if turn[0] < pause.off] or turns[:1]
    found = _joined(before, pause.off, paused=True)
    if pause.again is not None:
        after = [turn for turn in turns if turn[0] > pause.again]
        found += _joined([(pause.again, held_on(first, said, pause.again)), *after], None)
    return found


def _turns(first: Stretch, said: Sequence[Said]) -> list[tuple[date, Held]]:
    """The days from which something else holds."""
    turns = [(first.starts_on, first.held)]
    for each in sorted(said, key=lambda each: each.on):
        after = each.after(turns[-1][1])
        if each.on > first.starts_on and after != turns[-1][1]:
            turns.append((each.on, after))
    return turns


def _joined(turns: Sequence[tuple[date, Held]], end: date | None, *, paused: bool = False) -> list[Stretch]:
    """Each stretch up to the next one, the last up to the end."""
    ends = [*(day for day, _ in turns[1:]), end]
    last = len(turns) - 1
    return [Stretch(day, ends[n], held, paused and n == last) for n, (day, held) in enumerate(turns)]

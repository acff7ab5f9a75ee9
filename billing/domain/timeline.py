"""What was agreed of a subscription over time, read back from its items and days. Pure; days are local to its zone."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise


class Kind(StrEnum):
    """What an entry of a timeline says, in the order in which those of one day are told."""

    BEGAN = "began"
    TRIAL_ENDED = "trial_ended"
    REACTIVATED = "reactivated"
    RESUMED = "resumed"
    PLAN_CHANGED = "plan_changed"
    QUANTITY_CHANGED = "quantity_changed"
    ITEM_ADDED = "item_added"
    ITEM_ENDED = "item_ended"
    DISCOUNT_GIVEN = "discount_given"
    DISCOUNT_ENDED = "discount_ended"
    OVERRIDE_GIVEN = "override_given"
    OVERRIDE_ENDED = "override_ended"
    PAUSED = "paused"
    ENDED = "ended"
    REVENUE = "revenue"
    HELD = "held"
    RELEASED = "released"
    BILLED = "billed"
    CREDITED = "credited"
    COUNTED_ANEW = "counted_anew"
    RENEWAL_TOLD = "renewal_told"
    NEXT_BILL = "next_bill"


@dataclass(frozen=True, slots=True)
class Agreed:
    """The days of a subscription itself."""

    starts_on: date
    trial_ends_on: date | None
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class Lived:
    """An item that is in force for a day at least: of which price how much, and from when to when."""

    item_id: int
    is_plan: bool
    price_id: int
    quantity: Decimal
    starts_on: date
    ends_on: date | None
    paused: bool

    @property
    def terms(self) -> tuple[int, Decimal]:
        return self.price_id, self.quantity


@dataclass(frozen=True, slots=True)
class Step:
    """Something agreed that holds from a day on; `item` is what is billed then, `before` what was."""

    kind: Kind
    day: date
    item: int | None = None
    before: int | None = None
    until: date | None = None


def steps(agreed: Agreed, items: Sequence[Lived]) -> list[Step]:
    """All that was agreed, in order of days. What begins or ends with the subscription's own end is not said again.

    A change of the plan is one step. What a pause or an end stopped and what took its place is told of the plan alone.
    An end that was taken back left no day behind, so it is not here.
    """
    plan = list(_plan(agreed, sorted((each for each in items if each.is_plan), key=_begins)))
    found = [*plan, *_added(plan, [each for each in items if not each.is_plan])]
    if agreed.ends_on is not None:
        found = [each for each in found if each.day < agreed.ends_on or each.kind is Kind.BEGAN]
        found.append(Step(Kind.ENDED, agreed.ends_on))
    return sorted(found, key=lambda each: (each.day, ORDER[each.kind]))


ORDER = {kind: place for place, kind in enumerate(Kind)}


def _begins(item: Lived) -> tuple[date, int]:
    return item.starts_on, item.item_id


def _plan(agreed: Agreed, chain: Sequence[Lived]) -> Iterator[Step]:
    if not chain:
        return
    yield Step(Kind.BEGAN, agreed.starts_on, chain[0].item_id, until=agreed.trial_ends_on)
    if agreed.trial_ends_on is not None:
        yield Step(Kind.TRIAL_ENDED, agreed.trial_ends_on, chain[0].item_id)
    for one, other in pairwise(chain):
        yield from _turn(one, other)
    last = chain[-1]
    if last.ends_on is not None:
        yield Step(Kind.PAUSED if last.paused else Kind.ENDED, last.ends_on, last.item_id)


def _turn(one: Lived, other: Lived) -> Iterator[Step]:
    """How a plan became the next one."""
    day, ended = other.starts_on, one.ends_on or other.starts_on
    if one.paused:
        yield Step(Kind.PAUSED, ended, one.item_id, until=day)
        yield Step(Kind.RESUMED, day, other.item_id)
        if one.terms != other.terms:
            yield _other(one, other)
    elif ended < day or one.terms == other.terms:
        if ended < day:
            yield Step(Kind.ENDED, ended, one.item_id)
        yield Step(Kind.REACTIVATED, day, other.item_id)
    else:
        yield _other(one, other)


def _other(one: Lived, other: Lived) -> Step:
    """A step of the plan."""
    kind = Kind.QUANTITY_CHANGED if one.price_id == other.price_id else Kind.PLAN_CHANGED
    return Step(kind, other.starts_on, other.item_id, before=one.item_id)


def _added(plan: Sequence[Step], items: Sequence[Lived]) -> Iterator[Step]:
    """What is beside the plan; it goes on where the plan does after a pause or an end."""
    again = {each.day for each in plan if each.kind in {Kind.RESUMED, Kind.REACTIVATED}}
    alike: dict[tuple[int, Decimal], list[Lived]] = defaultdict(list)
    for item in sorted(items, key=_begins):
        alike[item.terms].append(item)
    for rows in alike.values():
        for before, item, after in zip([None, *rows], rows, [*rows[1:], None], strict=False):
            if before is None or item.starts_on not in again:
                yield Step(Kind.ITEM_ADDED, item.starts_on, item.item_id)
            goes_on = after is not None and after.starts_on in again
            if item.ends_on is not None and not item.paused and not goes_on:
                yield Step(Kind.ITEM_ENDED, item.ends_on, item.item_id)

"""The open items of a batch, by what they can be found by, and what accepted decisions have left open."""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cached_property
from math import comb, gcd
from typing import Generic, TypeVar

from cashapp.domain.matching.records import Item, Line
from cashapp.domain.matching.sums import MAX_VALUES, Sums
from cashapp.domain.matching.text import key

MAX_SET = 8
_ENOUGH_FOR_GRID = 3
_AROUND = 100
_A_FEW = 16

K = TypeVar("K", bound=Hashable)
Group = tuple[int, str, int]
"""Customer, currency, legal entity: what the items of one line must share."""


@dataclass(frozen=True, slots=True)
class Found:
    """Items that may be meant, among how many it was looked, and whether the search had to stop."""

    items: tuple[Item, ...]
    among: int
    bounded: bool = False


@dataclass(frozen=True, slots=True)
class Habits:
    """How a customer's amounts are spread: all multiples of `grid` minor units; of `pairs` of items `equal` are equal.

    Taken from all items the batch began with, because few are left to tell when most are decided.
    """

    grid: int
    equal: int
    pairs: int

    def chance(self, paid: int, width: int) -> Fraction:
        """How likely one unrelated amount of about `paid` is to be within `width` minor units of a given one."""
        return max(Fraction(max(self.grid, width), max(paid, 1)), Fraction(self.equal, max(self.pairs, 1)))


def habits_of(amounts: Sequence[int]) -> Habits:
    """The habits that show in a customer's open amounts; too few show no grid."""
    times = Counter(amounts)
    grid = gcd(*times) if len(times) >= _ENOUGH_FOR_GRID else 1
    return Habits(grid, sum(comb(n, 2) for n in times.values()), comb(len(amounts), 2))


class Pool:
    """The items of one group that are open now. Made anew whenever a decision takes from one of them."""

    def __init__(self, items: list[Item], left: Mapping[int, int], habits: "Habits") -> None:
        self.items = items
        self.habits = habits
        self._left = left

    @cached_property
    def by_amount(self) -> Mapping[int, list[Item]]:
        """Items by what is open of them, in minor units."""
        found: dict[int, list[Item]] = defaultdict(list)
        for item in self.items:
            found[self._left[item.item_id]].append(item)
        return found

    @cached_property
    def _amounts(self) -> list[int]:
        return sorted(self.by_amount)

    def between(self, low: int, high: int) -> list[Item]:
        """Items of which low to high minor units are open, both included."""
        chosen = self._amounts[bisect_left(self._amounts, low) : bisect_right(self._amounts, high)]
        return [item for amount in chosen for item in self.by_amount[amount]]

    def adding_up(self, line: Line) -> list[Found]:
        """Sets of 2 to 8 items that add up to the line exactly.

        All items are searched up to 24; of more only those smaller than the line, and where these are too many the
        16 due nearest to it, for then nothing found can be certain anyway.
        """
        chosen, sums, bounded = self.items, self._sums, False
        if sums is None:
            near = self.around(line.booked_on)
            chosen = [item for item in near if self._left[item.item_id] < line.minor]
            bounded = len(near) < len(self.items)
            if bounded or len(chosen) > MAX_VALUES:
                chosen, bounded = chosen[:_A_FEW], True
            sums = self._sums_of(chosen)
        sets, ended = sums.find(line.minor, MAX_SET)
        return [Found(tuple(chosen[i] for i in indexes), len(chosen), bounded or ended) for indexes in sets]

    def around(self, day: date) -> list[Item]:
        """All items, or of more than 100 some 100 around that day by their due date; those due nearest come first."""
        at = bisect_left(self._by_due, day, key=lambda item: item.due_on)
        near = self._by_due[max(0, at - _AROUND // 2) : at + _AROUND // 2] if self._is_large else self._by_due
        return sorted(near, key=lambda item: (abs((item.due_on - day).days), item.item_id))

    @property
    def _is_large(self) -> bool:
        return len(self.items) > _AROUND

    @cached_property
    def _by_due(self) -> list[Item]:
        return sorted(self.items, key=lambda item: (item.due_on, item.item_id))

    @cached_property
    def _sums(self) -> Sums | None:
        return self._sums_of(self.items) if len(self.items) <= MAX_VALUES else None

    def _sums_of(self, items: list[Item]) -> Sums:
        return Sums([self._left[item.item_id] for item in items])


class Index(Generic[K]):
    """Items by a key that is rarely shared: no list for each key, which would cost more than all the searching."""

    def __init__(self) -> None:
        self._first: dict[K, Item] = {}
        self._more: dict[K, list[Item]] = defaultdict(list)

    def add(self, name: K, item: Item) -> None:
        """Remember the item under this key as well."""
        if self._first.setdefault(name, item) is not item:
            self._more[name].append(item)

    def get(self, name: K) -> list[Item]:
        """All items under this key."""
        return [self._first[name], *self._more.get(name, ())] if name in self._first else []


class Ledger:
    """All items of a batch. `take` is called for accepted decisions only."""

    def __init__(self, items: Iterable[Item]) -> None:
        self.left: dict[int, int] = {}
        self._items: dict[Group, list[Item]] = defaultdict(list)
        self._by_key = Index[str]()
        self._groups: dict[tuple[int, str], list[Group]] = defaultdict(list)
        self._pools: dict[Group, Pool] = {}
        self._habits: dict[tuple[int, str], Habits] = {}
        self._keys: dict[int, tuple[str, ...]] = {}
        for item in sorted(items, key=lambda item: item.item_id):
            if item.open_minor > 0:
                self._add(item)

    def _add(self, item: Item) -> None:
        self.left[item.item_id] = item.open_minor
        group = group_of(item)
        if group not in self._items:
            self._groups[item.customer_id, item.currency].append(group)
        self._items[group].append(item)
        for reference in item.references:
            if name := key(reference):
                self._by_key.add(name, item)

    def keys(self, item: Item) -> tuple[str, ...]:
        """The keys of the item's references, in their order."""
        if item.item_id not in self._keys:
            self._keys[item.item_id] = tuple(map(key, item.references))
        return self._keys[item.item_id]

    def pools(self, customer_id: int, currency: str) -> list[Pool]:
        """One pool per legal entity in which the customer owes in this currency."""
        return [self.pool(group) for group in self._groups.get((customer_id, currency), ())]

    def pool(self, group: Group) -> Pool:
        """The open items of a group, as accepted decisions left them."""
        if group not in self._pools:
            items = [item for item in self._items[group] if self.left[item.item_id] > 0]
            self._pools[group] = Pool(items, self.left, self._habits_in(group))
        return self._pools[group]

    def _habits_in(self, group: Group) -> Habits:
        payer = group[:2]
        if payer not in self._habits:
            amounts = [item.open_minor for own in self._groups[payer] for item in self._items[own]]
            self._habits[payer] = habits_of(amounts)
        return self._habits[payer]

    def quoted(self, keys: Iterable[str], currency: str) -> list[Item]:
        """Open items in this currency of which one of the keys is a reference."""
        found = {item.item_id: item for name in keys for item in self._by_key.get(name)}
        return [found[item_id] for item_id in sorted(found) if self._is_open(found[item_id], currency)]

    def _is_open(self, item: Item, currency: str) -> bool:
        return item.currency == currency and self.left[item.item_id] > 0

    def of_amount(self, currency: str, minor: int) -> Sequence[Item]:
        """Items of any customer that were and are open with exactly this amount."""
        found = self._by_amount.get((currency, minor))
        return [item for item in found if self.left[item.item_id] == minor]

    @cached_property
    def _by_amount(self) -> "Index[tuple[str, int]]":
        index = Index[tuple[str, int]]()
        for own in self._items.values():
            for item in own:
                index.add((item.currency, item.open_minor), item)
        return index

    def take(self, item: Item, minor: int) -> None:
        """An accepted decision uses `minor` of the item."""
        if not 0 < minor <= self.left[item.item_id]:
            raise ValueError("More than the item holds.")
        self.left[item.item_id] -= minor
        self._pools.pop(group_of(item), None)


def group_of(item: Item) -> Group:
    """What the items of one line must share."""
    return item.customer_id, item.currency, item.entity_id

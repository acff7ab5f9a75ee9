"""Everything a line could be about, found by bounded searches; whether it is, the guards say."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from cashapp.domain.matching.ledger import MAX_SET, Found, Group, Habits, Ledger, Pool, group_of
from cashapp.domain.matching.payers import Payer
from cashapp.domain.matching.reading import MAX_EDITS, Quote, Reading
from cashapp.domain.matching.records import Item, Line
from cashapp.domain.matching.sums import subsets

MAX_CUSTOMERS = 5
MAX_NEAR = 2
_TINY_FLOOR = 2


class Tie(IntEnum):
    """How the money compares with what is open of the items."""

    OVER = 0
    SHORT = 1
    TINY = 2
    EXACT = 3


@dataclass(frozen=True, slots=True)
class Guess:
    """Lines that may pay items, with what speaks for it.

    In minor units: `paid` is the money of the lines, `owed` what is open of the items, `smallest` what is open of the
    one with the least. `edits` is the worst item's, `names` the references read. `among` counts the sets that could
    have tied by chance, `habits` says how likely each.
    """

    lines: tuple[Line, ...]
    items: tuple[Item, ...]
    paid: int
    owed: int
    smallest: int
    quote: Quote
    edits: int
    names: tuple[str, ...]
    unexplained: tuple[str, ...]
    payer: Payer
    among: int
    habits: Habits
    bounded: bool

    @property
    def tie(self) -> Tie:
        """How `paid` compares with `owed`."""
        return compare(self.paid, self.owed)

    @property
    def customer_id(self) -> int:
        """Whose items they are."""
        return self.items[0].customer_id

    @property
    def ids(self) -> frozenset[int]:
        """The items, as a set."""
        return frozenset(item.item_id for item in self.items)


def tolerance(minor: int) -> int:
    """Minor units a payment may be off when references prove it: 2, or 2 in 100,000 of the amount."""
    return max(_TINY_FLOOR, minor // 50_000)


def compare(paid: int, owed: int) -> Tie:
    """EXACT to the minor unit, TINY within the tolerance, else SHORT or OVER."""
    if paid == owed:
        return Tie.EXACT
    if abs(paid - owed) <= tolerance(owed):
        return Tie.TINY
    return Tie.SHORT if paid < owed else Tie.OVER


class Guesser:
    """Makes the guesses of a batch against what its ledger holds now."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def of(self, line: Line, reading: Reading, payer: Payer) -> list[Guess]:
        """What one line could be about: items quoted, one item or a set that ties, failing these near references."""
        ledger = self.ledger
        own = [pool for customer in _some(payer.customers) for pool in ledger.pools(customer, line.currency)]
        reading.unglue((item for pool in own for item in pool.items), ledger)
        quoted = ledger.quoted(reading.keys, line.currency)
        first = [self._guess(line, reading, payer, items) for items in by_group(quoted)]
        proven = {guess.tie for guess in first if guess.quote is Quote.PROVEN}
        if Tie.EXACT in proven:
            return first
        others = {item.customer_id for item in quoted} - payer.customers
        pools = own + [pool for customer in _some(others) for pool in ledger.pools(customer, line.currency)]
        ties = [found for pool in pools for found in _ties(line, pool)]
        if not payer.customers:
            anywhere = ledger.of_amount(line.currency, line.minor)[:MAX_CUSTOMERS]
            ties += [Found((item,), len(anywhere)) for item in anywhere]
        if not ties and not reading.silent and not proven - {Tie.OVER}:
            ties = [found for pool in pools for found in self._near(line, reading, pool)]
        more = (self._guess(line, reading, payer, found.items, found) for found in ties)
        return list({guess.ids: guess for guess in (*more, *first)}.values())

    def _near(self, line: Line, reading: Reading, pool: Pool) -> list[Found]:
        """The items the memo comes near to, together and each of the nearest two."""
        read = pool.around(line.booked_on)
        edits = {item.item_id: reading.edits(item, self.ledger) for item in read}
        near = sorted(
            (item for item in read if edits[item.item_id] <= MAX_EDITS),
            key=lambda item: (edits[item.item_id], item.item_id),
        )
        sets = [tuple(near[:MAX_SET]), *((item,) for item in near[:MAX_NEAR])]
        return [Found(items, len(read), bounded=len(read) < len(pool.items)) for items in sets if items]

    def _guess(
        self, line: Line, reading: Reading, payer: Payer, items: Sequence[Item], found: Found | None = None
    ) -> Guess:
        ordered = tuple(sorted(items, key=lambda item: (item.due_on, item.item_id)))
        quote, edits = reading.quote(ordered, self.ledger)
        pool = self.ledger.pool(group_of(ordered[0]))
        left = [self.ledger.left[item.item_id] for item in ordered]
        return Guess(
            lines=(line,),
            items=ordered,
            paid=line.minor,
            owed=sum(left),
            smallest=min(left),
            quote=quote,
            edits=edits,
            names=reading.names(ordered, self.ledger),
            unexplained=reading.unexplained(ordered, self.ledger),
            payer=payer,
            among=subsets(found.among if found else len(pool.items), len(ordered)),
            habits=pool.habits,
            bounded=reading.cut or (found is not None and found.bounded),
        )


def by_group(items: Iterable[Item]) -> list[list[Item]]:
    """Items apart by what the items of one line must share."""
    groups: dict[Group, list[Item]] = {}
    for item in items:
        groups.setdefault(group_of(item), []).append(item)
    return [groups[group] for group in sorted(groups)]


def _some(customers: Iterable[int]) -> list[int]:
    return sorted(customers)[:MAX_CUSTOMERS]


def _ties(line: Line, pool: Pool) -> list[Found]:
    # Sets must tie exactly: with a tolerance, too many of them would.
    near = pool.between(line.minor - tolerance(line.minor), line.minor + tolerance(line.minor))
    one = [Found((item,), len(pool.items)) for item in near]
    return one + pool.adding_up(line)

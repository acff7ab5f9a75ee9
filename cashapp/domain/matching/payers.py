"""Who sent the money: by name, alias, account, an account seen with a name, or only by a similar name."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from cashapp.domain.matching.records import Known, Line
from cashapp.domain.matching.text import account_key, payer_key

_STEM = 5
_COMMON = 50
_ALIKE_PERCENT = 50
_MOST_ALIKE = 3


class Level(IntEnum):
    """How a payer was recognised, weakest first. Nothing below BRIDGE may decide."""

    NONE = 0
    SIMILAR = 1
    BRIDGE = 2
    ACCOUNT = 3
    ALIAS = 4
    NAME = 5
    GIVEN = 6


@dataclass(frozen=True, slots=True)
class Payer:
    """The customers a line may come from and the strongest way they were recognised."""

    level: Level
    customers: frozenset[int]

    @property
    def identified(self) -> bool:
        """One customer, recognised by more than a similar name."""
        return self.level >= Level.BRIDGE and len(self.customers) == 1


class Payers:
    """Recognises the payers of a batch of lines."""

    def __init__(self, lines: Sequence[Line], known: Known) -> None:
        self._known = known
        self._bridge: dict[str, frozenset[int]] = {}
        for line in lines:
            named = _given(line) or known.names.get(payer_key(line.payer))
            if named and (account := account_key(line.account)):
                self._bridge[account] = self._bridge.get(account, frozenset()) | named
        self._stems: dict[str, set[tuple[str, frozenset[int]]]] | None = None
        self._seen: dict[str, frozenset[int]] = {}

    def of(self, line: Line) -> Payer:
        """The payer of a line. Sources that agree narrow each other down, those that contradict add up."""
        name, account = payer_key(line.payer), account_key(line.account)
        given = _given(line)
        sources = [
            (Level.GIVEN, given),
            (Level.NAME, None if given else self._known.names.get(name)),
            (Level.ALIAS, None if given else self._known.aliases.get(name)),
            (Level.ACCOUNT, self._known.accounts.get(account) if account else None),
        ]
        if not given and name not in self._known.names:  # else the bridge would only be the name once more
            sources.append((Level.BRIDGE, self._bridge.get(account)))
        level, customers = Level.NONE, frozenset[int]()
        for source, found in sources:
            if found:
                level = max(level, source)
                customers = (customers & found) or (customers | found)
        if customers:
            return Payer(level, customers)
        alike = self._alike(name)
        return Payer(Level.SIMILAR, alike) if alike else Payer(Level.NONE, frozenset())

    def _alike(self, name: str) -> frozenset[int]:
        if name not in self._seen:
            self._seen[name] = self._look(name)
        return self._seen[name]

    def _look(self, name: str) -> frozenset[int]:
        if self._stems is None:
            self._stems = _by_stem(self._known.names, self._known.aliases)
        near = {entry for stem in _stems(name) for entry in self._stems.get(stem, ())}
        ranked = sorted((-_likeness(name, other), other, sorted(ids)) for other, ids in near)
        good = [ids for likeness, _, ids in ranked[:_MOST_ALIKE] if -likeness >= _ALIKE_PERCENT]
        return frozenset(customer for ids in good for customer in ids)


def _given(line: Line) -> frozenset[int] | None:
    return None if line.customer_id is None else frozenset({line.customer_id})


def _stems(name: str) -> set[str]:
    return {word[:_STEM] for word in name.split() if len(word) > 2}  # noqa: PLR2004 - initials say nothing


def _by_stem(*tables: Mapping[str, frozenset[int]]) -> dict[str, set[tuple[str, frozenset[int]]]]:
    found: dict[str, set[tuple[str, frozenset[int]]]] = defaultdict(set)
    for table in tables:
        for name, customers in table.items():
            for stem in _stems(name):
                found[stem].add((name, customers))
    # Words like "limited" stand in thousands of names: they would cost much and tell nothing.
    return {stem: entries for stem, entries in found.items() if len(entries) <= _COMMON}


def _likeness(one: str, other: str) -> int:
    """Percent of the letters of both names that stand in words beginning alike."""
    a, b = _stems(one), _stems(other)
    return 100 * _letters(a & b) // max(_letters(a | b), 1)


def _letters(words: Iterable[str]) -> int:
    return sum(map(len, words))

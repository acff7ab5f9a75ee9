"""What a memo says: which open items it quotes exactly, how near it comes to others, what it leaves unexplained."""

from collections.abc import Iterable, Sequence
from enum import IntEnum

from cashapp.domain.matching.edits import may_occur, substring_edits
from cashapp.domain.matching.ledger import Ledger
from cashapp.domain.matching.records import Item, Line
from cashapp.domain.matching.text import MAX_PIECES, pieces, spans

PROOF_LENGTH = 6
"""A shorter reference may be a year, a house number or an amount: alone it proves nothing."""
MAX_EDITS = 2
FAR = MAX_EDITS + 2
"""Stands for "nothing like it in the memo"; further edits are not counted."""
_TELLING_DIGITS = 5


class Quote(IntEnum):
    """How a memo names items: all exactly, all exactly or nearly, or not all."""

    NONE = 0
    NEAR = 1
    PROVEN = 2


class Reading:
    """One memo, read once. Items quoted are looked up again in each round, because open amounts change."""

    def __init__(self, line: Line) -> None:
        words = pieces(line.memo)
        self.cut = len(words) > MAX_PIECES
        words = words[:MAX_PIECES]
        self.text = "".join(words)
        self.keys = spans(words)
        self._numbers = [word for word in words if len(word) >= _TELLING_DIGITS and word.isdigit()]
        self._edits: dict[int, int] = {}

    def unglue(self, items: Iterable[Item], ledger: Ledger) -> None:
        """Read numbers written without a gap: a run of digits that is references of the items and nothing else."""
        runs = [number for number in self._numbers if len(number) >= 2 * PROOF_LENGTH]
        names = [name for item in items for name in ledger.keys(item)] if runs else []
        for run in runs:
            inside = {name for name in names if len(name) >= PROOF_LENGTH and name in run}
            rest = run
            for name in sorted(inside):
                rest = rest.replace(name, "", 1)
            if not rest:
                self.keys |= inside

    @property
    def silent(self) -> bool:
        """The memo has no number that could be a reference."""
        return not self._numbers

    def edits(self, item: Item, ledger: Ledger) -> int:
        """Edits from the item's best reference to the memo with spaces removed; FAR when more than MAX_EDITS."""
        if item.item_id not in self._edits:
            keys = ledger.keys(item)
            self._edits[item.item_id] = min((self._one(name) for name in keys), default=FAR)
        return self._edits[item.item_id]

    def _one(self, name: str) -> int:
        if name in self.keys:
            return 0
        if not PROOF_LENGTH <= len(name) <= len(self.text) + MAX_EDITS or not may_occur(
            name, self.text, MAX_EDITS
        ):
            return FAR
        return min(substring_edits(name, self.text), FAR)

    def quote(self, items: Sequence[Item], ledger: Ledger) -> tuple[Quote, int]:
        """How the memo names these items, and the edits of the one it names worst."""
        edits = max(self.edits(item, ledger) for item in items)
        if edits > MAX_EDITS:
            return Quote.NONE, edits
        names = (ledger.keys(item) for item in items)
        proven = all(any(len(n) >= PROOF_LENGTH and n in self.keys for n in keys) for keys in names)
        return (Quote.PROVEN if proven else Quote.NEAR), edits

    def names(self, items: Sequence[Item], ledger: Ledger) -> tuple[str, ...]:
        """The references of these items that the memo quotes exactly, as they were written."""
        return tuple(
            text
            for item in items
            for text, name in zip(item.references, ledger.keys(item), strict=True)
            if name in self.keys
        )

    def unexplained(self, items: Sequence[Item], ledger: Ledger) -> tuple[str, ...]:
        """Numbers of five digits and more that stand in no reference of the items."""
        names = [name for item in items for name in ledger.keys(item)]
        return tuple(number for number in self._numbers if not any(number in name for name in names))

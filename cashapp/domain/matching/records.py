"""What goes into matching and what comes out of it. Amounts are whole minor units of the record's currency."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Line:
    """One incoming line of money, as the bank tells it. `minor` that is not positive is never proposed for.

    `customer_id` says whose it is when that is known beforehand; the payer's name then says nothing. Of a line that was
    booked and `taken_back`, only a person decides.
    """

    line_id: int
    payer: str
    account: str
    memo: str
    currency: str
    minor: int
    booked_on: date
    customer_id: int | None = None
    taken_back: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """An open debit item. `references` are the texts a payer may quote, the document's number first."""

    item_id: int
    customer_id: int
    entity_id: int
    currency: str
    open_minor: int
    effective_on: date
    due_on: date
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """Who is known under which `payer_key` (names, aliases) or `account_key` (accounts): customer ids."""

    names: Mapping[str, frozenset[int]]
    aliases: Mapping[str, frozenset[int]]
    accounts: Mapping[str, frozenset[int]]


@dataclass(frozen=True, slots=True)
class Part:
    """`minor` of a line against an item; never more than the line has or the item holds."""

    item_id: int
    minor: int


@dataclass(frozen=True, slots=True)
class Reason:
    """A stable code and the plain facts of its sentence, which `words.say` writes."""

    code: str
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Proposal:
    """Lines against items of one customer, currency and legal entity.

    `parts` has the parts of each line; what they leave of a line stays unapplied. `certain` says that every guard
    agreed; `score` (0 to 100) only orders what a person sees.
    """

    line_ids: tuple[int, ...]
    customer_id: int
    parts: tuple[tuple[int, tuple[Part, ...]], ...]
    certain: bool
    score: int
    reasons: tuple[Reason, ...]
    doubts: tuple[Reason, ...]

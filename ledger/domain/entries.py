"""What an entry of the ledger is, before it is written. Debits are positive, credits negative, minor units."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Purpose(StrEnum):
    """What an account is for; postings name purposes, the organization's chart names the account."""

    RECEIVABLE = "receivable"
    UNAPPLIED = "unapplied"
    BANK = "bank"
    GATEWAY = "gateway"
    REVENUE = "revenue"
    TAX = "tax"
    WRITE_OFF = "write_off"
    OPENING = "opening"
    PREPAID = "prepaid"
    EXPIRED = "expired"


class Unbalanced(ValueError):
    """The legs of an entry do not sum to zero in every currency: a bug in the posting that made them."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of an entry: a signed amount on an account, with the customer and open item it concerns."""

    purpose: Purpose
    minor: int
    currency: str
    customer_id: int | None = None
    open_item_id: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A balanced set of legs. `key` is its natural key; `effective_on` dates it, `posted_on` puts it in a period."""

    key: str
    kind: str
    entity_id: int
    source: str
    effective_on: date
    posted_on: date
    legs: tuple[Leg, ...]

    def __post_init__(self) -> None:
        sums: dict[str, int] = defaultdict(int)
        for leg in self.legs:
            sums[leg.currency] += leg.minor
        if not self.legs or any(sums.values()):
            raise Unbalanced(f"{self.key}: {dict(sums)}")


def without_zeros(*legs: Leg) -> tuple[Leg, ...]:
    """The legs that move something; a zero leg is never written."""
    return tuple(leg for leg in legs if leg.minor)

"""Pure postings: from a fact about open items to the entry that books it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ledger.domain.entries import Entry, Leg, Purpose, without_zeros
from receivables.domain.items import SIDES, Kind, Side, control_account


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """An open item as a posting needs it; `total_minor` is positive whatever its side."""

    item_id: int
    kind: Kind
    customer_id: int
    entity_id: int
    currency: str
    total_minor: int
    source: str


def control_leg(item: ItemFacts, minor: int) -> Leg:
    """A leg on the item's control account."""
    return Leg(control_account(item.kind), minor, item.currency, item.customer_id, item.item_id)


def opened(
    item: ItemFacts, against: Sequence[tuple[Purpose, int]], *, effective_on: date, posted_on: date
) -> Entry:
    """The entry that brings an item into the books.

    `against` are positive amounts by purpose that sum to the item's total: revenue and tax of an invoice, the
    bank of a payment, the expense of a write-off. A debit item debits its control account and credits those.
    """
    sign = 1 if SIDES[item.kind] is Side.DEBIT else -1
    legs = without_zeros(
        control_leg(item, sign * item.total_minor),
        *(Leg(purpose, -sign * minor, item.currency, item.customer_id) for purpose, minor in against),
    )
    return Entry(
        key=f"open:{item.source}",
        kind=str(item.kind),
        entity_id=item.entity_id,
        source=item.source,
        effective_on=effective_on,
        posted_on=posted_on,
        legs=legs,
    )


def allocated(
    debit: ItemFacts, credit: ItemFacts, minor: int, *, key: str, effective_on: date, posted_on: date
) -> Entry:
    """The entry of one allocation: the credit item's control account gives, the debit item's takes.

    A negative `minor` undoes: the same entry mirrored.
    """
    return Entry(
        key=f"allocate:{key}",
        kind="allocation" if minor > 0 else "allocation_undone",
        entity_id=debit.entity_id,
        source=debit.source,
        effective_on=effective_on,
        posted_on=posted_on,
        legs=(control_leg(credit, minor), control_leg(debit, -minor)),
    )

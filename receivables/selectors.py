"""Reads of open items: what other apps may know about them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet

from core.errors import NotFound
from receivables.domain.items import Side
from receivables.models import Allocation, OpenItem


@dataclass(frozen=True, slots=True)
class ItemState:
    """How an item stands now. Amounts are minor units; `available_minor` is open and promised to nobody."""

    item_id: int
    public_id: str
    source: str
    label: str
    kind: str
    side: str
    customer_id: int
    entity_id: int
    currency: str
    total_minor: int
    open_minor: int
    reserved_minor: int
    effective_on: date
    due_on: date
    settled_on: date | None

    @property
    def available_minor(self) -> int:
        return self.open_minor - self.reserved_minor


def _state(item: OpenItem) -> ItemState:
    return ItemState(
        item_id=item.pk,
        public_id=item.public_id,
        source=item.source,
        label=item.label,
        kind=item.kind,
        side=item.side,
        customer_id=item.customer_id,
        entity_id=item.entity_id,
        currency=item.currency,
        total_minor=item.total_minor,
        open_minor=item.open_minor,
        reserved_minor=item.reserved_minor,
        effective_on=item.effective_on,
        due_on=item.due_on,
        settled_on=item.settled_on,
    )


def item_states(sources: Iterable[str]) -> dict[str, ItemState]:
    """Items by the public id of what they came from; what opened no item is not in the result. Inside work()."""
    return {item.source: _state(item) for item in OpenItem.objects.filter(source__in=list(sources))}


def states_by_id(item_ids: Iterable[int]) -> dict[int, ItemState]:
    """Items by id. Inside work()."""
    return {item.pk: _state(item) for item in OpenItem.objects.filter(pk__in=list(item_ids))}


def open_items_of(customer_id: int, currency: str, side: Side) -> list[ItemState]:
    """A customer's open items of one side and currency, oldest due first. Inside work()."""
    rows = OpenItem.objects.filter(customer_id=customer_id, currency=currency, side=side, open_minor__gt=0)
    return [_state(item) for item in rows.order_by("due_on", "id")]


def allocations_of(item_id: int) -> "QuerySet[Allocation]":
    """Everything put against or taken from an item, in order. Inside work()."""
    found: QuerySet[Allocation] = Allocation.objects.select_related("debit_item", "credit_item").filter(
        Q(debit_item_id=item_id) | Q(credit_item_id=item_id)
    )
    return found.order_by("id")


def allocation(allocation_id: int) -> Allocation:
    """The allocation with both its items; raises NotFound for an undo or what is not here. Inside work()."""
    found = Allocation.objects.select_related("debit_item", "credit_item").filter(
        pk=allocation_id, reverses=None
    )
    if (row := found.first()) is None:
        raise NotFound("That allocation is not here.")
    return row

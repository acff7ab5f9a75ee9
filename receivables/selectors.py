"""Reads of open items: what other apps may know about them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from django.db.models import Q, QuerySet, Sum

from core.errors import NotFound
from receivables.domain.deposits import due_by
from receivables.domain.items import Side, Target
from receivables.models import Allocation, OpenItem, Reference


@dataclass(frozen=True, slots=True)
class ItemState:
    """How an item stands now. Amounts are minor units; `available_minor` is open and promised to nobody.

    Something of it is due next on `due_on`; `later_minor` of it on `rest_due_on` only.
    """

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
    later_minor: int
    rest_due_on: date | None
    settled_on: date | None
    created_at: datetime

    @property
    def available_minor(self) -> int:
        return self.open_minor - self.reserved_minor

    @property
    def next_minor(self) -> int:
        """What of it is due on `due_on`, minor units."""
        return self.open_minor - self.later_minor

    @property
    def last_due_on(self) -> date:
        """The day from which nothing of it is due later."""
        return self.rest_due_on or self.due_on

    def due_by(self, day: date) -> int:
        """What of it is due by the end of a day, minor units."""
        return due_by(self.open_minor, self.later_minor, self.due_on, self.rest_due_on, day)

    @property
    def targets(self) -> list[Target]:
        """What is available, by the days on which it is due."""
        later = min(self.later_minor, self.available_minor)
        parts = [(self.available_minor - later, self.due_on), (later, self.rest_due_on)]
        return [Target(self.item_id, minor, day) for minor, day in parts if minor and day is not None]


_STATE = ("pk", *(each.name for each in fields(ItemState) if each.name != "item_id"))


def state_of(item: OpenItem) -> ItemState:
    """The row as other apps may know it."""
    return ItemState(*(getattr(item, name) for name in _STATE))


def _states(items: "QuerySet[OpenItem]") -> Iterator[ItemState]:
    """The same of many rows, without the rest of them."""
    return (ItemState(*row) for row in items.values_list(*_STATE))


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """What is wanted; "" and None leave a condition out. `customer` is a public id, `due_before` exclusive."""

    customer: str = ""
    currency: str = ""
    kind: str = ""
    side: str = ""
    due_before: date | None = None
    only_open: bool = False


def items(wanted: ItemFilter) -> "QuerySet[OpenItem]":
    """The items that are wanted, with their customers, in no order. Inside work()."""
    conditions = {
        "customer__public_id": wanted.customer,
        "currency": wanted.currency,
        "kind": wanted.kind,
        "side": wanted.side,
        "due_on__lt": wanted.due_before,
    }
    found: QuerySet[OpenItem] = OpenItem.objects.select_related("customer__parent")
    found = found.filter(**{name: value for name, value in conditions.items() if value})
    return found.filter(open_minor__gt=0) if wanted.only_open else found


def item(public_id: str) -> OpenItem:
    """The item with this public id; raises NotFound. Inside work()."""
    found = items(ItemFilter()).filter(public_id=public_id).first()
    if found is None:
        raise NotFound("That open item is not here.")
    return found


def item_states(sources: Iterable[str]) -> dict[str, ItemState]:
    """Items by the public id of what they came from; what opened no item is not in the result. Inside work()."""
    return {item.source: item for item in _states(OpenItem.objects.filter(source__in=list(sources)))}


def item_ids(sources: "QuerySet[Any, Any]") -> dict[str, int]:
    """Ids of items by what they came from, for a subquery of sources; one query. Inside work()."""
    return dict(OpenItem.objects.filter(source__in=sources).values_list("source", "id"))


def states_by_id(item_ids: Iterable[int]) -> dict[int, ItemState]:
    """Items by id. Inside work()."""
    return {item.item_id: item for item in _states(OpenItem.objects.filter(pk__in=list(item_ids)))}


def states_by_public_id(public_ids: Iterable[str]) -> dict[str, ItemState]:
    """Items by public id. Inside work()."""
    return {item.public_id: item for item in _states(OpenItem.objects.filter(public_id__in=list(public_ids)))}


def references_of(source: str) -> list[str]:
    """The further numbers of the item that came from this, as they were written. Inside work()."""
    return list(Reference.objects.filter(item__source=source).order_by("id").values_list("text", flat=True))


def open_items_of(customer_id: int, currency: str, side: Side) -> list[ItemState]:
    """A customer's open items of one side and currency (of any when it is ""), oldest due first. Inside work()."""
    rows = OpenItem.objects.filter(customer_id=customer_id, side=side, open_minor__gt=0)
    if currency:
        rows = rows.filter(currency=currency)
    return list(_states(rows.order_by("due_on", "id")))


@dataclass(frozen=True, slots=True)
class Payable:
    """An open debit item as matching sees it; `references` begin with its own number."""

    item_id: int
    customer_id: int
    entity_id: int
    currency: str
    available_minor: int
    effective_on: date
    due_on: date
    references: tuple[str, ...]


def payable(
    *, customers: Iterable[int], references: Iterable[str], amounts: Iterable[tuple[str, int]]
) -> list[Payable]:
    """Open debit items that money may be for: of these customers, by a reference key, or of exactly such an amount.

    Amounts are (currency, minor units). Whoever has one of the latter two is looked at whole, so that rivals are seen.
    Five queries, inside work().
    """
    rows = OpenItem.objects.filter(side=Side.DEBIT, open_minor__gt=0)
    keys = list(references)
    owners = set(customers)
    owners.update(rows.filter(reference__in=keys).values_list("customer_id", flat=True))
    named = Reference.objects.filter(key__in=keys, item__open_minor__gt=0)
    owners.update(named.values_list("item__customer_id", flat=True))
    wanted = set(amounts)
    alike = rows.filter(
        currency__in={currency for currency, _ in wanted}, open_minor__in={minor for _, minor in wanted}
    )
    owners.update(
        owner
        for owner, currency, minor in alike.values_list("customer_id", "currency", "open_minor")
        if (currency, minor) in wanted
    )
    found = list(rows.filter(customer_id__in=owners).order_by("id"))
    further: dict[int, list[str]] = {}
    texts = Reference.objects.filter(item_id__in=[item.pk for item in found]).order_by("id")
    for item_id, text in texts.values_list("item_id", "text"):
        further.setdefault(item_id, []).append(text)
    return [
        Payable(
            item.pk,
            item.customer_id,
            item.entity_id,
            item.currency,
            item.open_minor - item.reserved_minor,
            item.effective_on,
            item.due_on,
            (item.label, *further.get(item.pk, ())),
        )
        for item in found
        if item.open_minor > item.reserved_minor
    ]


def parts_of_credit(source: str) -> dict[int, int]:
    """Minor units that the credit item from `source` puts against each debit item now. Inside work()."""
    rows = Allocation.objects.filter(credit_item__source=source).values_list("debit_item_id")
    sums: dict[int, int] = dict(rows.annotate(minor=Sum("minor")))
    return {item_id: int(minor) for item_id, minor in sums.items() if minor}


def debits_of_credits(sources: "QuerySet[Any, Any]") -> dict[str, set[int]]:
    """Debit items that credit items, by their source, are put against now; one query. Inside work()."""
    rows = Allocation.objects.filter(credit_item__source__in=sources)
    found: dict[str, set[int]] = {}
    summed = rows.values_list("credit_item__source", "debit_item_id").annotate(minor=Sum("minor"))
    for source, item_id, minor in summed:
        if minor:
            found.setdefault(source, set()).add(item_id)
    return found


def debit_ids(customer_id: int, currency: str, public_ids: Iterable[str]) -> dict[str, int]:
    """Ids of a customer's debit items in a currency, open or not, by public id. Inside work()."""
    rows = OpenItem.objects.filter(customer_id=customer_id, currency=currency, side=Side.DEBIT)
    return dict(rows.filter(public_id__in=list(public_ids)).values_list("public_id", "id"))


def debits_named(customer_id: int, currency: str, names: Iterable[str]) -> dict[str, int]:
    """Ids of a customer's debit items in a currency, open or not, by public id and by what they came from.

    One query, inside work().
    """
    wanted = list(names)
    rows = OpenItem.objects.filter(customer_id=customer_id, currency=currency, side=Side.DEBIT)
    found: dict[str, int] = {}
    for pk, public_id, source in rows.filter(Q(public_id__in=wanted) | Q(source__in=wanted)).values_list(
        "id", "public_id", "source"
    ):
        found |= {public_id: pk, source: pk}
    return found


def currencies_of(customer_id: int) -> set[str]:
    """Currencies in which a customer ever owed or paid anything. Inside work()."""
    return set(OpenItem.objects.filter(customer_id=customer_id).values_list("currency", flat=True).distinct())


def open_currencies_of(customer_id: int, side: Side) -> list[str]:
    """Currencies in which something of a side is open, in order. Inside work()."""
    rows = OpenItem.objects.filter(customer_id=customer_id, side=side, open_minor__gt=0)
    return sorted(set(rows.values_list("currency", flat=True).distinct()))


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

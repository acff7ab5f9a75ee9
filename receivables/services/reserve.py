"""Promising open amounts to payment attempts under way, so that nobody else can use them."""

from collections.abc import Iterable, Mapping

from core.errors import NotFound
from core.locks import lock
from receivables.domain.items import Side
from receivables.models import OpenItem
from receivables.selectors import ItemState, state_of
from receivables.services.allocate import TooMuch


def reserve(amounts: Mapping[int, int]) -> list[OpenItem]:
    """Reserve positive minor units of debit items by id and return the items, locked. Inside work().

    Raises NotFound for an absent item, TooMuch when less than that is open and unreserved; then nothing changed.
    """
    items = lock(OpenItem.objects.filter(pk__in=amounts, side=Side.DEBIT))
    if len(items) != len(amounts):
        raise NotFound("One of the items is not here.")
    for item in items:
        minor = amounts[item.pk]
        if not 0 < minor <= item.open_minor - item.reserved_minor:
            raise TooMuch(f"Only {item.open_minor - item.reserved_minor} of {item.label} can be paid.")
    for item in items:
        item.reserved_minor += amounts[item.pk]
        item.touch("reserved_minor")
    return items


def held(item_ids: Iterable[int]) -> dict[int, ItemState]:
    """The items by id, locked until the transaction ends: what is decided on them stays true. Inside work()."""
    return {item.pk: state_of(item) for item in lock(OpenItem.objects.filter(pk__in=list(item_ids)))}


def release(amounts: Mapping[int, int]) -> None:
    """Give reserved amounts back. Inside work(); the caller knows that they are its own."""
    for item in lock(OpenItem.objects.filter(pk__in=amounts)):
        item.reserved_minor -= amounts[item.pk]
        item.touch("reserved_minor")

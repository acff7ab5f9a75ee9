"""Taking a credit item back as a whole: a payment booked by mistake, a write-off that was paid after all."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import date

from django.db import transaction
from django.db.models import QuerySet

from core.errors import Busy, Invalid, NotFound
from core.locks import lock, lock_one
from ledger.domain.entries import Purpose
from receivables.domain.items import Kind
from receivables.models import Allocation, OpenItem
from receivables.services.allocate import AlreadyUndone, Part, allocate, undo
from receivables.services.items import ItemDraft, open_items
from tenants.days import require_near

_TRIES = 5
_MIRROR = {Kind.PAYMENT: Kind.REVERSAL, Kind.WRITE_OFF: Kind.RECOVERY}


def reverse(source: str, *, against: Purpose, on: date, reason: str) -> None:
    """Undo every allocation of the credit item from `source` and book its mirror against `against`. Inside work().

    What was settled by it is open again; the credit itself is used up by the mirror, which is not dated before it.
    Natural key: the source; a rerun adds nothing. Raises NotFound for what is no payment or write-off, Invalid
    without a reason.
    """
    if not reason.strip():
        raise Invalid("Say why this is taken back.", fields={"reason": "Say why."})
    item = _locked(OpenItem.objects.filter(source=source, kind__in=list(_MIRROR)))
    mirror, on = f"reverse:{source}", max(on, item.effective_on)
    if OpenItem.objects.filter(source=mirror).exists():
        return
    live = Allocation.objects.filter(credit_item=item, reverses=None)
    undone = Allocation.objects.filter(credit_item=item, reverses__isnull=False).values_list(
        "reverses_id", flat=True
    )
    for allocation_id in live.exclude(pk__in=list(undone)).order_by("id").values_list("id", flat=True):
        undo(allocation_id, on=on, reason=reason)
    (counter,) = open_items([_mirror(item, mirror, against, on)])
    allocate([Part(mirror, counter.item_id, item.pk, item.total_minor, reason)], effective_on=on)


def take_back(allocation_id: int, *, on: date, reason: str) -> None:
    """Take one allocation back as a person means it: a write-off's with its expense, any other alone. Inside work().

    Raises what `undo` and `reverse` raise, Invalid for a day that is far away.
    """
    require_near(on=on)
    given_up = Allocation.objects.select_related("credit_item").filter(
        pk=allocation_id, reverses=None, credit_item__kind=Kind.WRITE_OFF
    )
    found = given_up.exclude(debit_item__kind=Kind.RECOVERY).first()
    if found is None:
        undo(allocation_id, on=on, reason=reason)
        return
    if Allocation.objects.filter(reverses=found).exists():
        raise AlreadyUndone("This was taken back already.")
    reverse(found.credit_item.source, against=Purpose.WRITE_OFF, on=on, reason=reason)


def reopen_written_off(item_id: int, *, minor: int, on: date, reason: str) -> int:
    """Take write-offs of a debit item back, the newest first, until `minor` of them is open again. Inside work().

    A write-off is taken back whole: returns what is open again beyond `minor`, for the caller to give up anew.
    """
    reopened = 0
    given_up = Allocation.objects.filter(debit_item_id=item_id, credit_item__kind=Kind.WRITE_OFF)
    for source, total in _standing(given_up).order_by("-id").values_list("credit_item__source", "minor"):
        if reopened >= minor:
            break
        reverse(source, against=Purpose.WRITE_OFF, on=on, reason=reason)
        reopened += total
    return max(0, reopened - minor)


def written_off(item_ids: Iterable[int]) -> set[int]:
    """Those of the debit items of which something was written off and not taken back; one query. Inside work()."""
    given_up = Allocation.objects.filter(debit_item_id__in=list(item_ids), credit_item__kind=Kind.WRITE_OFF)
    return set(_standing(given_up).values_list("debit_item_id", flat=True))


def _standing(rows: "QuerySet[Allocation]") -> "QuerySet[Allocation]":
    """Those of the allocations that were not taken back."""
    undone = Allocation.objects.filter(reverses__in=rows.values("pk")).values_list("reverses_id", flat=True)
    return rows.filter(reverses=None).exclude(pk__in=list(undone))


def _locked(credit: "QuerySet[OpenItem]") -> OpenItem:
    """The credit item, locked in order with the debits it was put against: they are locked again to undo.

    When another was added before the locks were had, they are given back and taken again with it, in order.
    """
    for _ in range(_TRIES):
        with suppress(_Grown), transaction.atomic():
            wanted = _with_debits(credit)
            lock(OpenItem.objects.filter(pk__in=wanted))
            found = lock_one(credit)
            if not _with_debits(credit) <= wanted:
                raise _Grown
            return found
    raise Busy("Somebody else is using this. Nothing was changed; try again.")


class _Grown(Exception):
    """The item was put against something more meanwhile."""


def _with_debits(credit: "QuerySet[OpenItem]") -> set[int]:
    own = set(credit.values_list("pk", flat=True))
    return own | set(Allocation.objects.filter(credit_item__in=own).values_list("debit_item_id", flat=True))


def _mirror(item: OpenItem, source: str, against: Purpose, on: date) -> ItemDraft:
    if item.kind not in _MIRROR:
        raise NotFound("That cannot be taken back.")
    return ItemDraft(
        kind=_MIRROR[Kind(item.kind)],
        customer_id=item.customer_id,
        entity_id=item.entity_id,
        label=item.label,
        source=source,
        currency=item.currency,
        effective_on=on,
        posted_on=on,
        due_on=on,
        against=((against, item.total_minor),),
    )

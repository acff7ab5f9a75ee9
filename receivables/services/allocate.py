"""Putting credits against debits, and taking that back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Max

from core import bulk, clock
from core.errors import Conflict, Invalid, KeyReused, NotFound
from core.events import emit_all
from core.locks import lock
from core.search import starts
from ledger.services.post import post
from receivables.domain.items import Kind, Side, why_final
from receivables.domain.postings import ItemFacts, allocated
from receivables.events import ItemReopened, ItemSettled
from receivables.models import Allocation, OpenItem


class TooMuch(Conflict):
    """More was to be applied than is open; nothing was written."""

    code = "more_than_open"


class AlreadyUndone(Conflict):
    """The allocation was taken back before."""

    code = "already_undone"


class Final(Conflict):
    """The allocation belongs to a void or to something taken back, and stays as that does."""

    code = "final"


@dataclass(frozen=True, slots=True)
class Part:
    """`minor` (positive) of the credit item put against the debit item. `key` is the natural key.

    `on` and `posted_on` are its own days where parts of one call differ.
    """

    key: str
    debit_item_id: int
    credit_item_id: int
    minor: int
    reason: str = ""
    on: date | None = None
    posted_on: date | None = None


def facts_of(item: OpenItem) -> ItemFacts:
    """The item as a posting needs it."""
    return ItemFacts(
        item.pk,
        Kind(item.kind),
        item.customer_id,
        item.entity_id,
        item.currency,
        item.total_minor,
        item.source,
    )


def allocate(parts: Sequence[Part], *, effective_on: date, posted_on: date | None = None) -> None:
    """Apply the parts: allocations, entries, settlement, events. Inside work().

    Locks the items by id, so concurrent callers queue. Promises all parts or none. A part whose key is already
    written is skipped, so a rerun adds nothing. Raises TooMuch when a part exceeds what is open or reserved by
    others, KeyReused for a key that was written for something else, NotFound for an absent item, Invalid for an
    amount that is not positive and for items that do not belong together. Emits item.settled.

    A part counts from `effective_on`, but not before both its items do: a payment received before the invoice was
    issued counts from the invoice's day on, or the books would not agree as of the days between.
    """
    parts = _unwritten(parts)
    if not parts:
        return
    if any(part.minor <= 0 for part in parts):
        raise Invalid("An amount to apply is positive.")
    items = _locked({part.debit_item_id for part in parts} | {part.credit_item_id for part in parts})
    parts = _unwritten(parts)  # another worker may have written them while we waited for the locks
    _guard(parts, items)
    posting = {part.key: part.posted_on for part in parts}
    days = {part.key: _first_day(part, items, part.on or effective_on) for part in parts}
    posted = {key: max(day, posting.get(key) or posted_on or day) for key, day in days.items()}
    at = clock.now()
    bulk.insert(
        Allocation,
        [
            {
                "key": part.key,
                "debit_item_id": part.debit_item_id,
                "credit_item_id": part.credit_item_id,
                "minor": part.minor,
                "effective_on": days[part.key],
                "posted_on": posted[part.key],
                "recorded_at": at,
                "reason": part.reason,
            }
            for part in parts
        ],
    )
    post(
        [
            allocated(
                facts_of(items[part.debit_item_id]),
                facts_of(items[part.credit_item_id]),
                part.minor,
                key=part.key,
                effective_on=days[part.key],
                posted_on=posted[part.key],
            )
            for part in parts
        ]
    )
    settle(set(items))


def _first_day(part: Part, items: dict[int, OpenItem], wanted: date) -> date:
    return max(wanted, items[part.debit_item_id].effective_on, items[part.credit_item_id].effective_on)


def is_written(parts: Sequence[Part]) -> bool:
    """Whether `allocate` was called before with one of the parts' keys. Inside work()."""
    return Allocation.objects.filter(key__in=[part.key for part in parts]).exists()


def is_begun(key: str) -> bool:
    """Whether parts were written whose keys are `key`, a colon and something. Inside work()."""
    return Allocation.objects.filter(starts("key", f"{key}:")).exists()


def undo(allocation_id: int, *, on: date, reason: str) -> None:
    """Take one allocation back by its mirror, dated `on` but not before the allocation counts. Inside work().

    Raises NotFound, AlreadyUndone when that was done before, Final for the allocation of a void or of something
    taken back, which is for good. Emits item.reopened for what was settled.
    """
    original = Allocation.objects.filter(pk=allocation_id, reverses=None).first()
    if original is None:
        raise NotFound("That allocation is not here.")
    items = _locked({original.debit_item_id, original.credit_item_id})
    if why := why_final(items[original.debit_item_id].kind, items[original.credit_item_id].kind):
        raise Final(why)
    if Allocation.objects.filter(reverses=original).exists():
        raise AlreadyUndone("This was taken back already.")
    key, on = f"undo:{original.key}", max(on, original.effective_on)
    Allocation.objects.create(
        key=key,
        debit_item_id=original.debit_item_id,
        credit_item_id=original.credit_item_id,
        minor=-original.minor,
        effective_on=on,
        posted_on=on,
        reason=reason,
        reverses=original,
    )
    debit, credit = items[original.debit_item_id], items[original.credit_item_id]
    post(
        [
            allocated(
                facts_of(debit), facts_of(credit), -original.minor, key=key, effective_on=on, posted_on=on
            )
        ]
    )
    settle(set(items))


def _unwritten(parts: Sequence[Part]) -> list[Part]:
    written = {
        row.key: (row.debit_item_id, row.credit_item_id, row.minor)
        for row in Allocation.objects.filter(key__in=[part.key for part in parts])
    }
    for part in parts:
        same = (part.debit_item_id, part.credit_item_id, part.minor)
        if written.get(part.key, same) != same:
            raise KeyReused("This was sent before with another amount. Reload the page and look again.")
    return [part for part in parts if part.key not in written]


def _locked(item_ids: set[int]) -> dict[int, OpenItem]:
    items = {item.pk: item for item in lock(OpenItem.objects.filter(pk__in=item_ids))}
    if len(items) != len(item_ids):
        raise NotFound("One of the items is not here.")
    return items


def _belong_together(debit: OpenItem, credit: OpenItem) -> None:
    if (debit.side, credit.side) != (Side.DEBIT, Side.CREDIT):
        raise Invalid("A payment or credit is put against something that is owed.")
    if (debit.customer_id, debit.entity_id, debit.currency) != (
        credit.customer_id,
        credit.entity_id,
        credit.currency,
    ):
        raise Invalid("Both must be of one customer, one legal entity and one currency.")


def _guard(parts: Sequence[Part], items: dict[int, OpenItem]) -> None:
    for part in parts:
        _belong_together(items[part.debit_item_id], items[part.credit_item_id])
    left = {pk: item.open_minor - item.reserved_minor for pk, item in items.items()}
    for part in parts:
        for item_id in (part.debit_item_id, part.credit_item_id):
            left[item_id] -= part.minor
            if left[item_id] < 0:
                item = items[item_id]
                raise TooMuch(
                    f"Only {item.open_minor - item.reserved_minor} of {item.label} can be used.",
                    item=item.public_id,
                    open_minor=item.open_minor,
                    reserved_minor=item.reserved_minor,
                )


def settle(item_ids: set[int]) -> None:
    """Date items as settled, by the last of their allocations, or open again, and say so by event. Items are locked."""
    items = OpenItem.objects.filter(pk__in=item_ids)
    closed = [item for item in items if item.open_minor == 0 and item.settled_on is None]
    reopened = [item for item in items if item.open_minor and item.settled_on is not None]
    last = _last_days([item.pk for item in closed])
    bulk.update(
        OpenItem,
        [
            *({"id": item.pk, "settled_on": last[item.pk]} for item in closed),
            *({"id": item.pk, "settled_on": None} for item in reopened),
        ],
    )
    for item in (*closed, *reopened):
        item.version += 1
    emit_all(
        [
            *(
                ItemSettled(
                    item.public_id,
                    item.version,
                    source=item.source,
                    kind=item.kind,
                    settled_on=last[item.pk].isoformat(),
                )
                for item in closed
            ),
            *(
                ItemReopened(item.public_id, item.version, source=item.source, kind=item.kind)
                for item in reopened
            ),
        ]
    )


def _last_days(item_ids: Sequence[int]) -> dict[int, date]:
    """The last day on which something was put against each item."""
    days: dict[int, date] = {}
    for side in ("debit_item_id", "credit_item_id") if item_ids else ():
        found = Allocation.objects.filter(**{f"{side}__in": item_ids}).values_list(side)
        days.update(found.annotate(last=Max("effective_on")))
    return days

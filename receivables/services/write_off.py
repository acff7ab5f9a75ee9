"""Giving up what is open of an item."""

from datetime import date

from core.errors import Invalid, KeyReused
from core.locks import lock_one
from ledger.domain.entries import Purpose
from receivables.domain.items import Kind, Side
from receivables.models import Allocation, OpenItem
from receivables.services.allocate import Part, TooMuch, allocate
from receivables.services.items import ItemDraft, open_items


def write_off(item_id: int, *, minor: int, on: date, reason: str, key: str) -> None:
    """Write `minor` of a debit item off as bad debt, dated `on`. Inside work().

    Books an expense as a credit item and applies it, so an undo is an undo like any other. Natural key: `key`,
    which names the intent (a form's hidden key); a rerun with it adds nothing. Raises TooMuch beyond what is open,
    KeyReused when the key was used for another item or amount.
    """
    item = lock_one(OpenItem.objects.filter(pk=item_id, side=Side.DEBIT))
    source = f"wo_{key}"
    done = Allocation.objects.filter(key=source).first()
    if done is not None:
        if (done.debit_item_id, done.minor) != (item_id, minor):
            raise KeyReused("This was sent before for something else. Reload the page and look again.")
        return
    if not reason.strip():
        raise Invalid("A write-off needs a reason.", fields={"reason": "Say why."})
    if not 0 < minor <= item.open_minor - item.reserved_minor:
        raise TooMuch("Only what is open can be written off.", open_minor=item.open_minor)
    (credit,) = open_items(
        [
            ItemDraft(
                kind=Kind.WRITE_OFF,
                customer_id=item.customer_id,
                entity_id=item.entity_id,
                label=f"Write-off of {item.label}",
                source=source,
                currency=item.currency,
                effective_on=on,
                posted_on=on,
                due_on=on,
                against=((Purpose.WRITE_OFF, minor),),
            )
        ]
    )
    allocate([Part(source, item.pk, credit.item_id, minor, reason)], effective_on=on)

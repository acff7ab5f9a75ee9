"""Voiding what was issued, and giving up what is open of it: by new rows, never by changing old ones."""

from datetime import date

from core import states
from core.errors import Conflict, Invalid
from core.events import emit
from core.locks import lock_one
from invoicing.domain.prepaid import Gone
from invoicing.domain.states import MOVES, State
from invoicing.events import InvoiceVoided
from invoicing.models import Document
from invoicing.services.issue import earned
from invoicing.services.prepaid import of_document, take
from receivables.domain.items import Kind
from receivables.selectors import ItemState, item_states
from receivables.services.allocate import Part, allocate
from receivables.services.items import ItemDraft, open_items
from receivables.services.reverse import reopen_written_off
from receivables.services.write_off import write_off


class NotCorrectable(Conflict):
    """The document is not one that this correction is for."""

    code = "not_correctable"


def void(public_id: str, *, on: date, reason: str) -> Document:
    """Void an issued invoice of which nothing was paid or credited. It keeps its number. Inside work().

    Books the mirror of the issue and applies it in full. Raises NotCorrectable when something was paid or it is
    not an issued invoice, Invalid without a reason. Natural key: the document. Emits invoice.voided.
    """
    document = lock_one(Document.objects.filter(public_id=public_id))
    if not reason.strip():
        raise Invalid("A void needs a reason.", fields={"reason": "Say why."})
    if document.kind == "credit_note" or document.state != State.ISSUED:
        raise NotCorrectable("Only an issued invoice can be voided.")
    if Document.objects.filter(credits=document, state=State.ISSUED).exists():
        raise NotCorrectable("A credit note took something of it back; credit the rest instead.")
    top_up = of_document(document)
    if top_up is not None and top_up.left_minor != top_up.total_minor:
        raise NotCorrectable("Something of it was drawn; credit the rest instead.")
    item = item_states([public_id]).get(public_id)
    if item is not None:
        if item.available_minor != item.total_minor:
            raise NotCorrectable(
                "Something was paid or credited on it, or a payment is under way; credit it instead."
            )
        source = f"void:{public_id}"
        (credit,) = open_items([void_item(document, source, on)])
        allocate([Part(source, item.item_id, credit.item_id, item.total_minor, reason)], effective_on=on)
    states.move(document, State.VOID, moves=MOVES, reason=reason)
    if top_up is not None:
        take(top_up, Gone.VOIDED, top_up.total_minor, on=on)
    emit(InvoiceVoided(document.public_id, document.version, number=document.number, reason=reason))
    return document


def void_item(document: Document, source: str, on: date) -> ItemDraft:
    """The mirror of what the issue of the document opened."""
    return ItemDraft(
        kind=Kind.VOID,
        customer_id=document.customer_id,
        entity_id=document.entity_id,
        label=document.number,
        source=source,
        currency=document.currency,
        effective_on=on,
        posted_on=on,
        due_on=on,
        against=earned(document),
    )


def give_up(public_id: str, *, minor: int | None, on: date, reason: str, key: str) -> None:
    """Write off what is open of an issued invoice, or `minor` of it, as bad debt. Inside work().

    Of a top-up no more than was drawn: the rest was never had, and is credited. Natural key: `key`, with it the amount.
    Raises NotCorrectable where nothing can be owed, Invalid for an invoice of nothing, and what `write_off` raises.
    """
    document, item = _owed(public_id)
    top_up = of_document(document)
    left = top_up.left_minor if top_up is not None else 0
    most = item.available_minor - left
    write_off(item.item_id, minor=most if minor is None else minor, on=on, reason=reason, key=key)
    if item_states([public_id])[public_id].open_minor < min(left, item.open_minor):
        raise NotCorrectable("What is left of a prepaid balance is credited, not written off.")


def take_up(public_id: str, *, on: date, reason: str) -> None:
    """Take back every write-off of an invoice that stands; what was given up is open again. Inside work().

    A write-off is not taken back before its own day. Raises NotCorrectable when none stands, Invalid without a reason.
    """
    _document, item = _owed(public_id)
    if not reason.strip():
        raise Invalid("Say why this is taken back.", fields={"reason": "Say why."})
    reopen_written_off(item.item_id, minor=item.total_minor, on=on, reason=reason)
    if item_states([public_id])[public_id].open_minor == item.open_minor:
        raise NotCorrectable("Nothing of it is written off.")


def _owed(public_id: str) -> tuple[Document, ItemState]:
    """An issued invoice, locked, and its open item."""
    document = lock_one(Document.objects.filter(public_id=public_id))
    item = item_states([public_id]).get(public_id)
    if document.kind == "credit_note" or document.state != State.ISSUED:
        raise NotCorrectable("Only what is owed of an issued invoice can be written off.")
    if item is None:
        raise Invalid("Nothing is open of it.")
    return document, item

"""Invoices that another system issued, brought in with their own numbers as opening items: no PDF, mail or charge."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from core import bulk, clock, ids
from core.errors import Conflict
from core.events import emit_all
from core.locks import lock
from core.states import record_moves
from customers.selectors import billing_facts
from invoicing.domain.seal import seal
from invoicing.domain.states import State
from invoicing.events import InvoiceImported, InvoiceVoided
from invoicing.models import Document
from invoicing.services.correct import void_item
from invoicing.services.issue import header
from ledger.domain.entries import Purpose
from receivables.domain.items import Kind
from receivables.selectors import ItemState, item_states
from receivables.services.allocate import Part, allocate
from receivables.services.items import ItemDraft, open_items

KIND = "opening"
_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class OpeningDraft:
    """An invoice as the other system has it: gross minor units; `source` is its natural key here."""

    entity_id: int
    customer_id: int
    number: str
    currency: str
    total_minor: int
    issued_on: date
    due_on: date
    source: str
    memo: str = ""
    external_id: str = ""
    references: tuple[str, ...] = ()


def open_documents(drafts: Sequence[OpeningDraft], *, posted_on: date) -> list[str]:
    """Bring the invoices in, issued on their own days and posted on one. Inside work(); public ids in order.

    Promises, all or none, in a constant number of statements: documents sealed as they are, open items against
    opening balances, events. Raises IntegrityError on a number that is taken, PeriodClosed from the ledger. Emits
    invoice.imported.
    """
    documents = [_document(draft) for draft in drafts]
    at = clock.now()
    columns = (
        "public_id", "kind", "state", "entity_id", "customer_id", "number", "currency", "issued_on", "due_on",
        "net_minor", "tax_minor", "total_minor", "memo", "source", "external_id", "seal",
    )  # fmt: skip
    bulk.insert(
        Document,
        [
            {**{name: getattr(each, name) for name in columns}, "created_at": at, "updated_at": at}
            for each in documents
        ],
    )
    open_items([_item(each, draft, posted_on) for each, draft in zip(documents, drafts, strict=True)])
    customers = billing_facts({draft.customer_id for draft in drafts})
    emit_all([_event(each, customers[each.customer_id].public_id) for each in documents])
    return [each.public_id for each in documents]


def _document(draft: OpeningDraft) -> Document:
    document = Document(
        public_id=ids.new(Document.PREFIX),
        kind=KIND,
        state=State.ISSUED,
        entity_id=draft.entity_id,
        customer_id=draft.customer_id,
        number=draft.number,
        currency=draft.currency,
        issued_on=draft.issued_on,
        due_on=draft.due_on,
        net_minor=draft.total_minor,
        tax_minor=0,
        total_minor=draft.total_minor,
        memo=draft.memo,
        external_id=draft.external_id,
        source=draft.source,
    )
    document.seal = seal({"lines": [], "taxes": [], "party": None, **header(document)})
    return document


def _item(document: Document, draft: OpeningDraft, posted_on: date) -> ItemDraft:
    return ItemDraft(
        kind=Kind.OPENING,
        customer_id=draft.customer_id,
        entity_id=draft.entity_id,
        label=draft.number,
        source=document.public_id,
        currency=draft.currency,
        effective_on=draft.issued_on,
        posted_on=posted_on,
        due_on=draft.due_on,
        against=((Purpose.OPENING, draft.total_minor),),
        references=draft.references,
    )


def _event(document: Document, customer: str) -> InvoiceImported:
    return InvoiceImported(
        document.public_id,
        document.version,
        number=document.number,
        customer=customer,
        currency=document.currency,
        total_minor=document.total_minor,
        issued_on=str(document.issued_on),
        due_on=str(document.due_on),
    )


def withdraw(public_ids: Sequence[str], *, on: date, reason: str) -> None:
    """Take opening invoices back, all or none; their numbers are free again. Inside work().

    Books the mirror of each and applies it in full. Raises Conflict when something was paid, written off or promised
    on one of them. What is void already is left. Emits invoice.voided.
    """
    for start in range(0, len(public_ids), _CHUNK):
        _withdraw(public_ids[start : start + _CHUNK], on=on, reason=reason)


def _withdraw(public_ids: Sequence[str], *, on: date, reason: str) -> None:
    bulk.plan_anew()
    documents = lock(Document.objects.filter(public_id__in=public_ids, kind=KIND, state=State.ISSUED))
    items = item_states([each.public_id for each in documents])
    used = [each.number for each in documents if _used(items[each.public_id])]
    if used:
        raise Conflict(
            f"{len(used)} of these invoices were paid, written off or are being paid, {used[0]} among them.",
            numbers=used[:20],
        )
    mirrors = open_items([void_item(each, f"void:{each.public_id}", on) for each in documents])
    allocate(
        [
            Part(mirror.source, items[each.public_id].item_id, mirror.item_id, each.total_minor, reason)
            for each, mirror in zip(documents, mirrors, strict=True)
        ],
        effective_on=on,
    )
    bulk.update(Document, [{"id": each.pk, "state": State.VOID} for each in documents])
    record_moves([(each.public_id, State.ISSUED, State.VOID) for each in documents], reason=reason)
    emit_all(
        [
            InvoiceVoided(each.public_id, each.version + 1, number=each.number, reason=reason)
            for each in documents
        ]
    )


def _used(item: ItemState) -> bool:
    return item.available_minor != item.total_minor

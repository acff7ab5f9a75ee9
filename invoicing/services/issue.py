"""Issuing documents: from draft to numbered, sealed, in the books and announced. In bulk, constant statements."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import cast

from django.db import connection

from core import bulk
from core.events import Event, emit_all
from core.locks import lock
from core.scope import current
from core.states import StateConflict, record_moves
from core.suspension import require_live
from customers.selectors import CustomerFacts, billing_facts
from invoicing.domain.numbers import document_number
from invoicing.domain.seal import seal
from invoicing.domain.states import State
from invoicing.domain.terms import due_day
from invoicing.events import CreditNoteIssued, InvoiceIssued
from invoicing.models import Document, Party
from invoicing.selectors import sealed_contents
from ledger.domain.entries import Purpose
from receivables.domain.items import Kind
from receivables.services.items import ItemDraft, open_items
from tenants.selectors import EntityFacts, entity_facts


def issue(document_ids: Sequence[int], *, issued_on: date, reason: str = "") -> list[Document]:
    """Issue drafts, all dated `issued_on` (a date of the legal entity's zone). Inside work().

    Promises, all or none: party snapshots, one block of numbers per legal entity and kind, seals, open items with
    their entries, events. Whatever can be computed is computed before the numbers are taken, because the series
    is locked from then to COMMIT. Raises StateConflict when one is not a draft any more, Suspended while the
    organization is, PeriodClosed from the ledger. Emits invoice.issued and credit_note.issued. A total of zero opens
    no item. `reason` is kept with each invoice; a credit note has its own, which is printed on it.
    """
    require_live()
    documents = lock(Document.objects.filter(pk__in=document_ids))
    if len(documents) != len(set(document_ids)) or any(each.state != State.DRAFT for each in documents):
        raise StateConflict("One of these is no longer a draft.")
    if not documents:
        return []
    customers = billing_facts({each.customer_id for each in documents})
    entities = entity_facts()
    parties = _snapshot_parties(documents, customers, entities)
    contents = sealed_contents([each.pk for each in documents], parties=parties)
    _number(documents, entities, issued_on)
    for each in documents:
        each.seal = seal({**contents[each.pk], **header(each)})
    open_items([_item(each) for each in documents])
    _write(documents)
    reasons = {each.public_id: each.memo if each.kind == "credit_note" else reason for each in documents}
    record_moves([(each.public_id, State.DRAFT, State.ISSUED) for each in documents], reason=reasons)
    credited = _names({each.credits_id for each in documents if each.credits_id})
    emit_all(
        [_event(each, customers[each.customer_id], credited.get(each.credits_id, "")) for each in documents]
    )
    return documents


def header(document: Document) -> dict[str, object]:
    """The part of the sealed content that the document's own row holds."""
    return {
        "kind": document.kind,
        "number": document.number,
        "currency": document.currency,
        "issued_on": document.issued_on,
        "due_on": document.due_on,
        "net_minor": document.net_minor,
        "tax_minor": document.tax_minor,
        "total_minor": document.total_minor,
        "memo": document.memo,
        **({"prepays": True} if document.prepays else {}),
        **({"deposit_percent": document.deposit_percent} if document.deposit_percent else {}),
    }


def _snapshot_parties(
    documents: Sequence[Document], customers: dict[int, CustomerFacts], entities: dict[int, EntityFacts]
) -> list[Party]:
    return list(
        Party.objects.bulk_create(
            Party(
                document=each,
                seller=entities[each.entity_id].snapshot,
                buyer=customers[each.customer_id].snapshot,
            )
            for each in documents
        )
    )


def _number(documents: Sequence[Document], entities: dict[int, EntityFacts], issued_on: date) -> None:
    """Give each document its number and dates: one block per series, gapless because it commits with them."""
    series: dict[tuple[int, str], list[Document]] = defaultdict(list)
    for each in documents:
        series[each.entity_id, each.kind].append(each)
    for (entity_id, kind), members in sorted(series.items()):
        first = _take(entity_id, kind, issued_on.year, len(members))
        for counter, each in enumerate(members, first):
            each.number = document_number(kind, entities[entity_id].code, issued_on.year, counter)
            each.issued_on = issued_on
            each.due_on = due_day(issued_on, each.terms_days, each.deposit_percent)


def _take(entity_id: int, kind: str, year: int, count: int) -> int:
    """First of a block of `count` counters of a series, which stays locked until COMMIT."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO invoicing_numberseries AS s (organization_id, entity_id, kind, year, next_counter)"
            " VALUES (%s, %s, %s, %s, 1 + %s) ON CONFLICT (organization_id, entity_id, kind, year)"
            " DO UPDATE SET next_counter = s.next_counter + %s RETURNING next_counter",
            [current().organization_id, entity_id, kind, year, count, count],
        )
        return int(cursor.fetchone()[0]) - count


def _write(documents: Sequence[Document]) -> None:
    for each in documents:
        each.state = State.ISSUED
        each.version += 1
    columns = ("id", "state", "number", "issued_on", "due_on", "seal")
    bulk.update(Document, [{name: getattr(each, name) for name in columns} for each in documents])


def _item(document: Document) -> ItemDraft:
    issued_on, due_on = cast(date, document.issued_on), cast(date, document.due_on)
    return ItemDraft(
        kind=Kind.INVOICE if document.kind == "invoice" else Kind.CREDIT_NOTE,
        customer_id=document.customer_id,
        entity_id=document.entity_id,
        label=document.number,
        source=document.public_id,
        currency=document.currency,
        effective_on=issued_on,
        posted_on=issued_on,
        due_on=due_on,
        against=earned(document),
        deposit_minor=document.deposit_minor,
        deposit_due_on=issued_on if document.deposit_minor else None,
    )


def earned(document: Document) -> tuple[tuple[Purpose, int], ...]:
    """What stands against the document's open item: revenue and tax, the opening balance it was brought in with, or
    what is owed to the customer for it.
    """
    if document.kind == "opening":
        return ((Purpose.OPENING, document.total_minor),)
    if document.prepays:
        return ((Purpose.PREPAID, document.total_minor),)
    return ((Purpose.REVENUE, document.net_minor), (Purpose.TAX, document.tax_minor))


def _names(document_ids: set[int]) -> dict[int | None, str]:
    found = Document.objects.filter(pk__in=document_ids) if document_ids else Document.objects.none()
    return dict(found.values_list("pk", "public_id"))


def _event(document: Document, customer: CustomerFacts, credits: str) -> Event:
    if document.kind == "credit_note":
        return CreditNoteIssued(
            document.public_id,
            document.version,
            number=document.number,
            customer=customer.public_id,
            currency=document.currency,
            total_minor=document.total_minor,
            issued_on=str(document.issued_on),
            credits=credits,
        )
    return InvoiceIssued(
        document.public_id,
        document.version,
        number=document.number,
        customer=customer.public_id,
        currency=document.currency,
        total_minor=document.total_minor,
        issued_on=str(document.issued_on),
        due_on=str(document.due_on),
        autopay=document.autopay,
        deposit_minor=document.deposit_minor,
    )

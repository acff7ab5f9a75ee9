"""Correcting what was issued: by new rows, never by changing old ones."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from core import states
from core.errors import Conflict, Invalid, KeyReused
from core.events import emit
from core.locks import lock_one
from core.money import Money, MoneyError
from invoicing.domain.credits import CreditsTooMuch, Rate, Taken, credit_totals, left_to_credit
from invoicing.domain.prepaid import Gone
from invoicing.domain.states import MOVES, State
from invoicing.domain.totals import LineDraft, TaxDraft
from invoicing.events import InvoiceVoided
from invoicing.models import Document, Line, TaxLine
from invoicing.selectors import lines_left
from invoicing.services.drafts import DocumentDraft, write_drafts
from invoicing.services.issue import earned, issue
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


def credit(
    public_id: str,
    *,
    on: date,
    reason: str,
    key: str,
    amounts: Mapping[int, int] | Mapping[int, Taken] | None = None,
) -> Document:
    """Issue a credit note over an issued invoice and apply it to what is open. Inside work().

    `amounts` are positive net minor units by line position, or what is known of them; without them, whatever no credit
    note took back yet.
    What was written off of the invoice is taken back first, as far as the note needs it; what was paid of it stays as
    the customer's credit. Natural key: `key` (a form's hidden key).
    Raises NotCorrectable, KeyReused, Invalid when a line or the whole is credited beyond its amount or there is
    nothing left.
    """
    document = lock_one(Document.objects.filter(public_id=public_id))
    source = f"credit:{key}"
    if (done := Document.objects.filter(source=source).first()) is not None:
        if done.credits_id != document.pk:
            raise KeyReused("This was sent before for another invoice. Reload the page and look again.")
        return done
    if document.kind != "invoice" or document.state != State.ISSUED:
        raise NotCorrectable("Only an issued invoice can be credited.")
    top_up = of_document(document)
    lines = _credit_lines(document, amounts)
    draft = DocumentDraft(
        kind="credit_note",
        entity_id=document.entity_id,
        customer_id=document.customer_id,
        currency=document.currency,
        terms_days=0,
        source=source,
        lines=lines,
        memo=reason,
        prepays=document.prepays,
        credits_id=document.pk,
    )
    try:
        draft = replace(draft, totals=credit_totals(lines, _left(document)))
    except (CreditsTooMuch, MoneyError) as error:
        raise Invalid(str(error)) from error
    if draft.totals and draft.totals.total_minor > _total_left(document):
        raise Invalid("More than the invoice still holds; credit its discount with it.")
    (note,) = issue(write_drafts([draft]), issued_on=on, reason=reason)
    if top_up is not None:
        take(top_up, Gone.CREDITED, note.total_minor, on=on, document=note)
    _apply(note, document, on, reason)
    return note


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What was taken back of an invoice's lines, net minor units by their source, and the credit note, if any."""

    number: str
    note: Document | None
    amounts: Mapping[str, int]


def take_back(document_id: int, parts: Mapping[str, Taken], *, on: date, reason: str, key: str) -> TakenBack:
    """Credit lines of an invoice by their source, each at most what no credit note took back yet. Inside work().

    Of a void invoice nothing is left. Natural key: `key`. Raises what `credit` raises, Invalid for a source that no
    line has.
    """
    document = lock_one(Document.objects.filter(pk=document_id))
    places = dict(Line.objects.filter(document=document).values_list("source", "position"))
    if not parts.keys() <= places.keys():
        raise Invalid(f"{document.number} has no such line.")
    left = lines_left(document) if document.state == State.ISSUED else {}
    amounts = {source: max(0, min(part.minor, left.get(places[source], 0))) for source, part in parts.items()}
    taken = {places[source]: replace(part, minor=amounts[source]) for source, part in parts.items()}
    note = None
    if any(amounts.values()):
        note = credit(document.public_id, on=on, reason=reason, key=key, amounts=taken)
    return TakenBack(document.number, note, amounts)


def put_to(note: Document, invoice: Document, *, on: date) -> None:
    """Put what a credit note leaves as the customer's credit to another invoice of it. Inside work(). Once."""
    states = item_states([note.public_id, invoice.public_id])
    if note.public_id not in states or invoice.public_id not in states:
        return
    from_item, to_item = states[note.public_id], states[invoice.public_id]
    minor = min(from_item.available_minor, to_item.available_minor)
    if minor > 0:
        key, reason = f"rest:{note.public_id}", f"Credit of {note.number}"
        allocate([Part(key, to_item.item_id, from_item.item_id, minor, reason)], effective_on=on)


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
    if left and item_states([public_id])[public_id].open_minor < left:
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


def _credit_lines(
    document: Document, amounts: Mapping[int, int] | Mapping[int, Taken] | None
) -> tuple[LineDraft, ...]:
    left = lines_left(document)
    given = (left if amounts is None else amounts).items()
    parts = {position: each if isinstance(each, Taken) else Taken(each) for position, each in given}
    if not any(part.minor for part in parts.values()):
        raise Invalid("There is nothing left to credit.")
    lines = {line.position: line for line in Line.objects.filter(document=document)}
    drafts = []
    for position, part in sorted(parts.items()):
        minor, most = part.minor, left.get(position, 0)
        if not minor:
            continue
        if not (0 < minor <= most or most <= minor < 0):
            raise Invalid(
                f"Line {position} has less than that left to credit.", line=position, left_minor=most
            )
        line = lines[position]
        whole = minor == line.amount_minor
        drafts.append(
            LineDraft(
                description=line.description,
                detail=line.detail,
                quantity=line.quantity if whole else Decimal(1),
                unit_price=line.unit_price if whole else Money(minor, document.currency).decimal,
                amount_minor=minor,
                tax_percent=line.tax_percent,
                service_start=part.service_start,
                service_end=part.service_end,
                source=str(position),
                why=({"text": f"Takes back line {position} of {document.number}"}, *part.why),
                untaxed=document.prepays,
            )
        )
    return tuple(drafts)


def _total_left(document: Document) -> int:
    """What no credit note took back of the invoice's total. The document is locked."""
    notes = Document.objects.filter(credits=document, state=State.ISSUED)
    return document.total_minor - sum(notes.values_list("total_minor", flat=True))


def _left(document: Document) -> dict[Rate, tuple[int, int]]:
    def taxes(**where: object) -> list[TaxDraft]:
        return [
            TaxDraft(row.category, row.percent, row.base_minor, row.tax_minor)
            for row in TaxLine.objects.filter(**where)
        ]

    return left_to_credit(
        taxes(document=document), taxes(document__credits=document, document__state=State.ISSUED)
    )


def _apply(note: Document, document: Document, on: date, reason: str) -> None:
    """Put the note against what is open of its invoice, and before that against what was given up of it.

    What was credited was never owed, so it is no bad debt: a write-off is taken back as far as the note needs it,
    and the rest is written off anew. Otherwise a customer who never paid would be left with a credit.
    """
    items = item_states([note.public_id, document.public_id])
    if note.public_id not in items or document.public_id not in items:
        return
    item_id, wanted = items[document.public_id].item_id, items[note.public_id].available_minor
    rest = reopen_written_off(
        item_id, minor=max(0, wanted - items[document.public_id].available_minor), on=on, reason=reason
    )
    credit_item, invoice_item = items[note.public_id], item_states([document.public_id])[document.public_id]
    minor = min(wanted, invoice_item.available_minor)
    if minor:
        part = Part(f"note:{note.public_id}", item_id, credit_item.item_id, minor, reason)
        allocate([part], effective_on=on)
    if rest:
        write_off(item_id, minor=rest, on=on, reason=reason, key=f"rest_{note.public_id}")

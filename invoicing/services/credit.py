"""Taking back what was invoiced: credit notes, many at once, each put against what is open of its invoice."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.db.models import Sum

from core.errors import Invalid, KeyReused
from core.locks import lock, lock_one
from core.money import Money, MoneyError
from invoicing.domain.credits import CreditsTooMuch, Rate, Taken, credit_totals, left_to_credit
from invoicing.domain.prepaid import Gone
from invoicing.domain.states import State
from invoicing.domain.totals import LineDraft, TaxDraft
from invoicing.models import Document, Line, TaxLine, TopUp
from invoicing.selectors import lines_left_of
from invoicing.services.correct import NotCorrectable
from invoicing.services.drafts import DocumentDraft, write_drafts
from invoicing.services.issue import issue
from invoicing.services.prepaid import of_document, take
from receivables.selectors import item_states
from receivables.services.allocate import Part, allocate
from receivables.services.reserve import held
from receivables.services.reverse import reopen_written_off, written_off
from receivables.services.write_off import write_off


def credit(
    public_id: str,
    *,
    on: date,
    reason: str,
    key: str,
    amounts: Mapping[int, int] | None = None,
) -> Document:
    """Issue a credit note over an issued invoice and apply it to what is open. Inside work().

    `amounts` are positive net minor units by line position; without them, whatever no credit note took back yet.
    What was written off of the invoice is taken back first, as far as the note needs it; what was paid of it stays as
    the customer's credit. Natural key: `key` (a form's hidden key).
    Raises NotCorrectable, KeyReused, Invalid when a line or the whole is credited beyond its amount or there is
    nothing left.
    """
    document = lock_one(Document.objects.filter(public_id=public_id))
    taken = None if amounts is None else {position: Taken(minor) for position, minor in amounts.items()}
    (note,) = _credit([_Asked(document, taken, reason, key)], _books([document]), on)
    return note


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be taken back of an invoice's lines, by their source. `key` is the natural key of the credit note."""

    document_id: int
    parts: Mapping[str, Taken]
    reason: str
    key: str


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What was taken back of an invoice's lines, net minor units by their source, and the credit note, if any."""

    number: str
    note: Document | None
    amounts: Mapping[str, int]


def take_back(wishes: Sequence[Wish], *, on: date) -> list[TakenBack]:
    """Credit lines of invoices, each at most what no credit note took back yet and beyond its `rest`, wish by wish.

    Inside work(). Of a void invoice nothing is left. A constant number of statements for any number of invoices; wishes
    about one invoice are fulfilled one after the other. Raises what `credit` raises, Invalid for a source that no line
    has.
    """
    documents = {
        row.pk: row for row in lock(Document.objects.filter(pk__in={each.document_id for each in wishes}))
    }
    found: dict[int, TakenBack] = {}
    for turn in _turns(wishes):
        found |= _take_back(turn, documents, on)
    return [found[n] for n in range(len(wishes))]


def _turns(wishes: Sequence[Wish]) -> Iterator[dict[int, Wish]]:
    """The wishes by their place, in turns that have each invoice once."""
    waiting = dict(enumerate(wishes))
    while waiting:
        first: dict[int, int] = {}
        for n, each in waiting.items():
            first.setdefault(each.document_id, n)
        yield {n: waiting.pop(n) for n in sorted(first.values())}


def _take_back(turn: Mapping[int, Wish], documents: Mapping[int, Document], on: date) -> dict[int, TakenBack]:
    books = _books([documents[each.document_id] for each in turn.values()])
    given = {n: _amounts(each, documents[each.document_id], books) for n, each in turn.items()}
    asked = {
        n: _Asked(
            documents[each.document_id],
            {
                books.place(each, source): replace(part, minor=given[n][source])
                for source, part in each.parts.items()
            },
            each.reason,
            each.key,
        )
        for n, each in turn.items()
        if any(given[n].values())
    }
    notes = dict(zip(asked, _credit(list(asked.values()), books, on), strict=True))
    return {
        n: TakenBack(documents[each.document_id].number, notes.get(n), given[n]) for n, each in turn.items()
    }


def _amounts(wish: Wish, document: Document, books: "_Books") -> dict[str, int]:
    left = books.left[document.pk] if document.state == State.ISSUED else {}
    return {
        source: max(0, min(part.minor, left.get(books.place(wish, source), 0) - part.rest))
        for source, part in wish.parts.items()
    }


def put_to(pairs: Iterable[tuple[Document, Document]], *, on: date) -> None:
    """Put what credit notes leave as the customer's credit to another invoice each, in order. Inside work(). Once."""
    pairs = list(pairs)
    if not pairs:
        return
    states = item_states({row.public_id for pair in pairs for row in pair})
    left = {name: state.available_minor for name, state in states.items()}
    parts = []
    for note, invoice in pairs:
        minor = min(left.get(note.public_id, 0), left.get(invoice.public_id, 0))
        if minor <= 0:
            continue
        left[note.public_id] -= minor
        left[invoice.public_id] -= minor
        to_item, from_item = states[invoice.public_id].item_id, states[note.public_id].item_id
        parts.append(Part(f"rest:{note.public_id}", to_item, from_item, minor, f"Credit of {note.number}"))
    allocate(parts, effective_on=on)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A credit note over a locked document: amounts by line position, or all that is left."""

    document: Document
    amounts: Mapping[int, Taken] | None
    reason: str
    key: str

    @property
    def source(self) -> str:
        return f"credit:{self.key}"


@dataclass(frozen=True, slots=True)
class _Books:
    """What credit notes need of documents, by document: their lines by position, what is left of each and of the
    total, (base, tax) left of each rate, and the top-ups that they made.
    """

    lines: Mapping[int, Mapping[int, Line]]
    left: Mapping[int, Mapping[int, int]]
    total_left: Mapping[int, int]
    taxes: Mapping[int, Mapping[Rate, tuple[int, int]]]
    tops: Mapping[int, TopUp]

    def place(self, wish: Wish, source: str) -> int:
        """The position of the line of a source; raises Invalid when there is none."""
        for position, line in self.lines[wish.document_id].items():
            if line.source == source:
                return position
        raise Invalid("The invoice has no such line.")


def _books(documents: Sequence[Document]) -> _Books:
    """Five queries for any number of documents, which are locked; so are their top-ups, before what is left is read."""
    wanted = [each.pk for each in documents]
    tops = {each.pk: top_up for each in documents if (top_up := of_document(each)) is not None}
    lines: dict[int, dict[int, Line]] = defaultdict(dict)
    for line in Line.objects.filter(document__in=wanted).order_by("position"):
        lines[line.document_id][line.position] = line
    notes = Document.objects.filter(credits__in=wanted, state=State.ISSUED)
    taken = dict(notes.order_by().values_list("credits_id").annotate(minor=Sum("total_minor")))
    invoiced, credited = defaultdict(list), defaultdict(list)
    for row in TaxLine.objects.filter(document__in=wanted):
        invoiced[row.document_id].append(_tax(row))
    over = TaxLine.objects.filter(document__credits__in=wanted, document__state=State.ISSUED)
    for row in over.select_related("document"):
        credited[row.document.credits_id].append(_tax(row))
    return _Books(
        lines=lines,
        left=lines_left_of(documents, lines),
        total_left={each.pk: each.total_minor - int(taken.get(each.pk, 0)) for each in documents},
        taxes={pk: left_to_credit(invoiced[pk], credited[pk]) for pk in wanted},
        tops=tops,
    )


def _tax(row: TaxLine) -> TaxDraft:
    return TaxDraft(row.category, row.percent, row.base_minor, row.tax_minor)


def _credit(asked: Sequence[_Asked], books: _Books, on: date) -> list[Document]:
    """The credit notes that are asked for, each of another document, in order; what was made before as it is."""
    done = {row.source: row for row in Document.objects.filter(source__in=[each.source for each in asked])}
    for each in asked:
        _require_creditable(each, done.get(each.source))
    fresh = [each for each in asked if each.source not in done]
    issued = issue(write_drafts([_draft(each, books) for each in fresh]), issued_on=on)
    notes = {row.source: row for row in issued}
    for each in fresh:
        notes[each.source].credits = each.document
        if (top_up := books.tops.get(each.document.pk)) is not None:
            note = notes[each.source]
            take(top_up, Gone.CREDITED, note.total_minor, on=on, document=note)
    _apply([(notes[each.source], each) for each in fresh], on)
    return [done.get(each.source) or notes[each.source] for each in asked]


def _require_creditable(each: _Asked, done: Document | None) -> None:
    document = each.document
    if done is not None and done.credits_id != document.pk:
        raise KeyReused("This was sent before for another invoice. Reload the page and look again.")
    if done is None and (document.kind != "invoice" or document.state != State.ISSUED):
        raise NotCorrectable("Only an issued invoice can be credited.")


def _draft(each: _Asked, books: _Books) -> DocumentDraft:
    document = each.document
    lines = _lines(each, books)
    draft = DocumentDraft(
        kind="credit_note",
        entity_id=document.entity_id,
        customer_id=document.customer_id,
        currency=document.currency,
        terms_days=0,
        source=each.source,
        lines=lines,
        memo=each.reason,
        prepays=document.prepays,
        credits_id=document.pk,
    )
    try:
        draft = replace(draft, totals=credit_totals(lines, books.taxes[document.pk]))
    except (CreditsTooMuch, MoneyError) as error:
        raise Invalid(str(error)) from error
    if draft.totals and draft.totals.total_minor > books.total_left[document.pk]:
        raise Invalid("More than the invoice still holds; credit its discount with it.")
    return draft


def _lines(each: _Asked, books: _Books) -> tuple[LineDraft, ...]:
    left = books.left[each.document.pk]
    parts = (
        {position: Taken(minor) for position, minor in left.items()} if each.amounts is None else each.amounts
    )
    if not any(part.minor for part in parts.values()):
        raise Invalid("There is nothing left to credit.")
    lines = books.lines[each.document.pk]
    drafts = []
    for position, part in sorted(parts.items()):
        minor, most = part.minor, left.get(position, 0)
        if not minor:
            continue
        if not (0 < minor <= most or most <= minor < 0):
            raise Invalid(
                f"Line {position} has less than that left to credit.", line=position, left_minor=most
            )
        drafts.append(_line(each.document, lines[position], part))
    return tuple(drafts)


def _line(document: Document, line: Line, part: Taken) -> LineDraft:
    whole = part.minor == line.amount_minor
    return LineDraft(
        description=line.description,
        detail=line.detail,
        quantity=line.quantity if whole else Decimal(1),
        unit_price=line.unit_price if whole else Money(part.minor, document.currency).decimal,
        amount_minor=part.minor,
        tax_percent=line.tax_percent,
        service_start=part.service_start,
        service_end=part.service_end,
        source=str(line.position),
        why=({"text": f"Takes back line {line.position} of {document.number}"}, *part.why),
        untaxed=document.prepays,
    )


def _apply(notes: Sequence[tuple[Document, _Asked]], on: date) -> None:
    """Put each note against what is open of its invoice, and before that against what was given up of it.

    What was credited was never owed, so it is no bad debt: a write-off is taken back as far as the note needs it,
    and the rest is written off anew. Otherwise a customer who never paid would be left with a credit.
    """
    found = item_states([name for note, each in notes for name in (note.public_id, each.document.public_id)])
    now = held(state.item_id for state in found.values())  # or a payment might come between
    states = {name: now[state.item_id] for name, state in found.items()}
    parts: list[Part] = []
    short: dict[int, tuple[Document, _Asked, int]] = {}
    for note, each in notes:
        if note.public_id not in states or each.document.public_id not in states:
            continue
        credit_item, invoice_item = states[note.public_id], states[each.document.public_id]
        wanted, there = credit_item.available_minor, invoice_item.available_minor
        if wanted > there:
            short[invoice_item.item_id] = (note, each, wanted - there)
        if minor := min(wanted, there):
            key = f"note:{note.public_id}"
            parts.append(Part(key, invoice_item.item_id, credit_item.item_id, minor, each.reason))
    given_up = written_off(short) if short else set()
    allocate([part for part in parts if part.debit_item_id not in given_up], effective_on=on)
    for item_id in sorted(given_up):
        note, each, minor = short[item_id]
        _apply_to_written_off(note, each, item_id, minor, on)


def _apply_to_written_off(note: Document, each: _Asked, item_id: int, minor: int, on: date) -> None:
    rest = reopen_written_off(item_id, minor=minor, on=on, reason=each.reason)
    states = item_states([note.public_id, each.document.public_id])
    credit_item, invoice_item = states[note.public_id], states[each.document.public_id]
    if minor := min(credit_item.available_minor, invoice_item.available_minor):
        part = Part(f"note:{note.public_id}", item_id, credit_item.item_id, minor, each.reason)
        allocate([part], effective_on=on)
    if rest:
        write_off(item_id, minor=rest, on=on, reason=each.reason, key=f"rest_{note.public_id}")

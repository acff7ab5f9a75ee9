"""Reads of documents."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _

from core.errors import Conflict, NotFound
from core.models import Job, StoredFile
from customers.domain.cards import Kept
from customers.services.methods import card_for
from invoicing import subscriptions
from invoicing.domain.display import standing
from invoicing.domain.states import State
from invoicing.models import Document, Line, Party, TaxLine, TopUp
from receivables.selectors import ItemState, item_ids, item_states

_LINE = (
    "position", "description", "detail", "quantity", "unit_price", "amount_minor", "tax_category", "tax_percent",
    "service_start", "service_end", "why",
)  # fmt: skip
_TAX = ("category", "percent", "base_minor", "tax_minor")


def _grouped(rows: Iterable[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    groups: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row.pop("document_id")].append(row)
    return groups


def sealed_contents(
    document_ids: Sequence[int], *, parties: Iterable[Party] | None = None
) -> dict[int, dict[str, Any]]:
    """Lines, taxes and parties of documents as they are sealed, read back from the database. Inside work().

    `parties` were just written; being plain text, they come back as they went in, and are not read again.
    """
    lines = _grouped(
        Line.objects.filter(document_id__in=document_ids).order_by("position").values("document_id", *_LINE)
    )
    taxes = _grouped(
        TaxLine.objects.filter(document_id__in=document_ids)
        .order_by("category", "percent")
        .values("document_id", *_TAX)
    )
    if parties is None:
        parties = Party.objects.filter(document_id__in=document_ids)
    sides = {party.document_id: {"seller": party.seller, "buyer": party.buyer} for party in parties}
    return {pk: {"lines": lines[pk], "taxes": taxes[pk], "party": sides.get(pk)} for pk in document_ids}


class NoPdf(Conflict):
    """There is no PDF of the document, or not yet."""

    code = "no_pdf"


@dataclass(frozen=True)
class DocumentView:
    """A document with everything its page, its PDF and the pay page show.

    `credited` are the lines of credit notes over it, each with its note; `source` names the line that it takes back.
    """

    document: Document
    lines: list[Line]
    credited: list[Line]
    taxes: list[TaxLine]
    item: ItemState | None

    @cached_property
    def party(self) -> Party | None:
        """Who sold to whom; read when it is asked for. Inside work()."""
        found: Party | None = Party.objects.filter(document=self.document).first()
        return found

    @cached_property
    def card(self) -> Kept | None:
        """The kept card that what is open is charged to on its due day; None where its customer is to pay. Inside
        work()."""
        row = self.document
        if not (row.autopay and self.item and self.item.open_minor):
            return None
        return card_for(row.customer_id, since=self.item.created_at, due_on=self.item.last_due_on)

    @property
    def billed(self) -> dict[int, dict[str, str]]:
        """The subscription that each line bills or takes back, {"id", "name"}, by position; of lines of none nothing.

        It is known of a view that was asked for it.
        """
        found = ((each.position, getattr(each, "billed", None)) for each in self.lines)
        return {position: billed for position, billed in found if billed}

    @property
    def notes(self) -> list[Document]:
        """Credit notes over this document, in order."""
        return list({line.document_id: line.document for line in self.credited}.values())

    @property
    def left(self) -> dict[int, int]:
        """Net minor units by line position that no credit note took back; negative for a discount."""
        taken = [line for line in self.credited if line.document.state == State.ISSUED]
        left = _left(
            ((line.position, line.amount_minor) for line in self.lines),
            ((line.source, line.amount_minor) for line in taken),
        )
        prepays = self.document.prepays and self.document.kind == "invoice"
        return _undrawn(self.document, left) if prepays else left

    def states(self, today: date) -> list[str]:
        """How it stands, in the words of pages and lists, the most urgent first."""
        row = self.document
        return standing(
            row.kind,
            row.state,
            total_minor=row.total_minor,
            open_minor=self.item.open_minor if self.item else None,
            due_on=self.due_on,
            today=today,
        )

    def deposit_minor(self, today: date) -> int:
        """What of it is due first, minor units, while the rest is not due by a day; else 0."""
        item = self.item
        return item.next_minor if item and item.later_minor and item.last_due_on > today else 0

    @property
    def due_on(self) -> date | None:
        """The day on which something of it is due next; in the end its own."""
        return self.item.due_on if self.item else self.document.due_on

    @property
    def open_minor(self) -> int:
        return self.item.open_minor if self.item else 0

    @property
    def paid_minor(self) -> int:
        return self.document.total_minor - self.open_minor if self.item else 0


def numbers(public_ids: Iterable[str]) -> dict[str, str]:
    """Numbers of documents by public id; a draft is called so. One query, inside work()."""
    found = Document.objects.filter(public_id__in=list(public_ids)).values_list("public_id", "number")
    return {public_id: number or _("Draft") for public_id, number in found}


def bulk_job(public_id: str) -> Job:
    """A job over many documents; raises NotFound, for a job of another kind too. Inside work()."""
    found: Job | None = Job.objects.filter(public_id=public_id, kind="documents.bulk").first()
    if found is None:
        raise NotFound("That is not here.")
    return found


def document(public_id: str) -> Document:
    """The document with this public id; raises NotFound."""
    found = Document.objects.select_related("customer", "entity", "pdf", "credits").filter(
        public_id=public_id
    )
    if (row := found.first()) is None:
        raise NotFound("That document is not here.")
    return row


def view(public_id: str, *, billing: bool = False) -> DocumentView:
    """The document in full, four queries; raises NotFound. Inside work(). `billing`: with its subscriptions."""
    (found,) = views([document(public_id)], billing=billing)
    return found


def views(rows: Sequence[Document], *, billing: bool = False) -> list[DocumentView]:
    """Documents in full, four queries however many, three for one. Inside work().

    `billing`: with the subscriptions that their lines bill.
    """
    ids = [row.pk for row in rows]
    own, credited, taxes = defaultdict(list), defaultdict(list), defaultdict(list)
    for line in _lines(ids, billing=billing):
        own[line.document_id].append(line)
        if line.credits_id:
            credited[line.credits_id].append(line)
    for tax in TaxLine.objects.filter(document__in=ids).order_by("category", "percent"):
        taxes[tax.document_id].append(tax)
    items = item_states([row.public_id for row in rows])
    return [
        DocumentView(row, own[row.pk], credited[row.pk], taxes[row.pk], items.get(row.public_id))
        for row in rows
    ]


def _lines(ids: Sequence[int], *, billing: bool) -> list[Any]:
    """Lines of documents, and of the credit notes over them with their notes; `credits_id` says which are those."""
    notes = Document.objects.filter(credits__in=ids)
    lines = Line.objects.annotate(credits_id=F("document__credits_id")).order_by("document_id", "position")
    lines = subscriptions.billing(lines) if billing else lines
    if len(ids) == 1:  # a page: its few lines bring their documents along
        both = Document.objects.filter(pk__in=ids).values("pk").union(notes.values("pk"))
        return list(lines.filter(document__in=both).select_related("document"))
    known = {note.pk: note for note in notes.order_by("pk")}
    found = list(lines.filter(document__in=[*ids, *known]))
    for line in found:
        if line.document_id in known:
            line.document = known[line.document_id]
    return found


def stored_pdf(public_id: str) -> StoredFile:
    """The PDF of a document; raises NoPdf while there is none, with why, and NotFound. Inside work()."""
    row = document(public_id)
    if row.pdf is not None:
        found: StoredFile = row.pdf
        return found
    if row.state == State.DRAFT:
        raise NoPdf(_("A draft has no PDF yet."))
    if row.kind == "opening":
        raise NoPdf(_("It was brought in from another system; there is no PDF of it here."))
    raise NoPdf(row.pdf_problem or _("The PDF is not made yet."), code="pdf_pending")


def lines_left(document: Document) -> dict[int, int]:
    """Net minor units by line position that no credit note took back; negative for a discount. Inside work().

    Of a top-up no more is left than there is of its balance.
    """
    lines = Line.objects.filter(document=document).order_by("position")
    return lines_left_of([document], {document.pk: {each.position: each for each in lines}})[document.pk]


def lines_left_of(
    documents: Sequence[Document], lines: Mapping[int, Mapping[int, Line]]
) -> dict[int, dict[int, int]]:
    """`lines_left` of many documents, whose lines by position are known; one query. Inside work()."""
    notes: dict[int, list[tuple[str, int]]] = defaultdict(list)
    taken = Line.objects.filter(
        document__credits__in=[each.pk for each in documents], document__state=State.ISSUED
    )
    for document_id, position, minor in taken.values_list("document__credits_id", "source", "amount_minor"):
        notes[document_id].append((position, minor))
    found = {}
    for each in documents:
        own = lines.get(each.pk, {})
        left = _left(((position, line.amount_minor) for position, line in own.items()), notes[each.pk])
        found[each.pk] = _undrawn(each, left) if each.prepays else left
    return found


def _undrawn(document: Document, left: dict[int, int]) -> dict[int, int]:
    there = TopUp.objects.filter(document=document).values_list("left_minor", flat=True)
    return {position: min(minor, sum(there)) for position, minor in left.items()}


def _left(lines: Iterable[tuple[int, int]], taken: Iterable[tuple[str, int]]) -> dict[int, int]:
    left = dict(lines)
    for position, minor in taken:
        left[int(position)] -= minor
    return left


def items_by_external_id() -> dict[str, int]:
    """Open items of documents by the id that the document has in the other system. Two queries, inside work()."""
    sources = Document.objects.exclude(external_id="").exclude(state=State.VOID)
    by_source = item_ids(sources.values("public_id"))
    rows = sources.values_list("external_id", "public_id")
    return {external_id: by_source[source] for external_id, source in rows if source in by_source}

"""Drafts written by hand: made once, changed under lock by whoever saw the newest version, deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import IntegrityError, transaction

from core import bulk
from core.errors import Conflict, Invalid
from core.locks import lock_one
from core.states import StateConflict
from invoicing.domain.states import State
from invoicing.domain.totals import LineDraft
from invoicing.models import Document, Line, TaxLine
from invoicing.services.drafts import DocumentDraft, line_rows, sums_of, tax_rows, write_drafts

MAX_LINES = 150


class Stale(Conflict):
    """Somebody saved the draft after it was opened here."""

    code = "stale"


class ExternalIdTaken(Conflict):
    """Another document of the kind, which is not void, has this id of another system."""

    code = "external_id_taken"

    def __init__(self, external_id: str) -> None:
        super().__init__(f"Another document is called “{external_id}” by your system.")


@dataclass(frozen=True, slots=True)
class DraftContent:
    """What a person wrote. `customer` is the customer's row: its legal entity and currency become the draft's."""

    customer: Any
    terms_days: int
    lines: tuple[LineDraft, ...]
    memo: str = ""
    deposit_percent: int = 0


def create_draft(
    content: DraftContent, *, key: str, external_id: str = "", metadata: Mapping[str, str] | None = None
) -> Document:
    """A draft invoice of the content. Inside work().

    Natural key: `key`, a form's hidden key; with one that was used the draft made then is returned unchanged, so a
    double click makes one. Raises Invalid as `write_drafts` does, and beyond 150 lines; ExternalIdTaken.
    """
    draft = replace(
        as_draft(content, source=f"manual:{key}"), external_id=external_id, metadata=dict(metadata or {})
    )
    if (made := Document.objects.filter(source=draft.source).first()) is not None:
        return made
    try:
        with transaction.atomic():
            (pk,) = write_drafts([draft])
    except (
        IntegrityError
    ) as error:  # the other click committed meanwhile, or another invoice has the external id
        if (made := Document.objects.filter(source=draft.source).first()) is None:
            raise ExternalIdTaken(external_id) from error
        return made
    return Document.objects.get(pk=pk)


def label(public_id: str, *, version: int, **labels: Any) -> Document:
    """Set what another system knows a document by: `external_id` and `metadata`, also of an issued one. Inside work().

    Raises Stale when `version` is not the newest, ExternalIdTaken, NotFound. The same again changes nothing.
    """
    document = lock_one(Document.objects.filter(public_id=public_id))
    if document.version != version:
        raise Stale("Somebody changed this meanwhile.", version=document.version)
    changed = {name: value for name, value in labels.items() if getattr(document, name) != value}
    for name, value in changed.items():
        setattr(document, name, value)
    try:
        with transaction.atomic():
            return document.touch(*changed) if changed else document
    except IntegrityError as error:
        raise ExternalIdTaken(document.external_id) from error


def save_draft(public_id: str, content: DraftContent, *, version: int) -> Document:
    """Replace what a draft says. Inside work().

    Locks the draft. Raises Stale when `version` is not the newest, StateConflict when it is no longer a draft,
    NotFound, Invalid as `create_draft` does; then nothing is changed.
    """
    document = _locked(public_id, version)
    draft = as_draft(content, source=document.source)
    total = sums_of(draft)
    Line.objects.filter(document=document).delete()
    TaxLine.objects.filter(document=document).delete()
    bulk.insert(Line, line_rows(document.pk, draft.lines))
    bulk.insert(TaxLine, tax_rows(document.pk, total))
    changed = {
        "customer_id": draft.customer_id,
        "entity_id": draft.entity_id,
        "currency": draft.currency,
        "terms_days": draft.terms_days,
        "deposit_percent": draft.deposit_percent,
        "memo": draft.memo,
        "net_minor": total.net_minor,
        "tax_minor": total.tax_minor,
        "total_minor": total.total_minor,
    }
    for name, value in changed.items():
        setattr(document, name, value)
    return document.touch(*changed)


def delete_draft(public_id: str, *, version: int) -> None:
    """Delete a draft with its lines; it never had a number. Inside work().

    Raises Stale, StateConflict and NotFound as `save_draft` does, Conflict when something was made from it.
    """
    document = _locked(public_id, version)
    try:
        with transaction.atomic():
            Line.objects.filter(document=document).delete()
            TaxLine.objects.filter(document=document).delete()
            document.delete()
    except IntegrityError as error:
        raise Conflict("Something else refers to this draft, so it stays.") from error


def _locked(public_id: str, version: int) -> Document:
    document = lock_one(Document.objects.filter(public_id=public_id))
    if document.state != State.DRAFT:
        raise StateConflict("This is no longer a draft.")
    if document.version != version:
        raise Stale(
            "Somebody changed this draft after you opened it. Your text is kept.", version=document.version
        )
    return document


def as_draft(content: DraftContent, *, source: str) -> DocumentDraft:
    """The content as a document to write; raises Invalid beyond 150 lines."""
    if len(content.lines) > MAX_LINES:
        raise Invalid(f"A document has at most {MAX_LINES} lines.")
    return DocumentDraft(
        kind="invoice",
        entity_id=content.customer.entity_id,
        customer_id=content.customer.pk,
        currency=content.customer.currency,
        terms_days=content.terms_days,
        deposit_percent=content.deposit_percent,
        source=source,
        lines=tuple(content.lines),
        memo=content.memo,
    )


def replaced_lines(public_id: str, drafts: Sequence[tuple[LineDraft, int | None]]) -> tuple[LineDraft, ...]:
    """The lines with what the editor does not show kept from the line that each came from: (line, old position).

    Where quantity, price and tax are as before, the line also keeps how its amount came about. Inside work().
    """
    old = {line.position: line for line in Line.objects.filter(document__public_id=public_id)}
    kept = []
    for each, position in drafts:
        line = old.get(position) if position is not None else None
        if line is None:
            kept.append(each)
            continue
        same = (line.quantity, line.unit_price, line.tax_percent) == (
            each.quantity, each.unit_price, each.tax_percent,
        )  # fmt: skip
        kept.append(
            replace(
                each,
                detail=line.detail,
                service_start=line.service_start,
                service_end=line.service_end,
                source=line.source,
                why=tuple(line.why) if same else (),
            )
        )
    return tuple(kept)

"""Writing drafts in bulk: documents, lines and tax lines, a constant number of statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core import bulk, clock, ids
from core.errors import Invalid
from core.money import MoneyError
from invoicing.domain.totals import LineDraft, Totals, totals
from invoicing.models import Document, Line, TaxLine


@dataclass(frozen=True, slots=True)
class DocumentDraft:
    """A document to write. `source` is its natural key: a second document of one source is refused.

    `totals` are computed from the lines unless given, as a credit note's are, which end what was not credited yet.
    """

    kind: str
    entity_id: int
    customer_id: int
    currency: str
    terms_days: int
    source: str
    lines: tuple[LineDraft, ...]
    memo: str = ""
    external_id: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    autopay: bool = False
    prepays: bool = False
    credits_id: int | None = None
    deposit_percent: int = 0
    totals: Totals | None = None


def write_drafts(drafts: Sequence[DocumentDraft]) -> list[int]:
    """Write the drafts and return their ids in order. Inside work().

    Raises Invalid when a document has no line or comes to less than zero, IntegrityError on a second document of
    one source or external id. Natural key: `source`.
    """
    if not drafts:
        return []
    sums = [sums_of(draft) for draft in drafts]
    document_ids = bulk.reserve_ids(Document, len(drafts))
    at = clock.now()
    bulk.insert(
        Document,
        [
            _document(pk, draft, total, at)
            for pk, draft, total in zip(document_ids, drafts, sums, strict=True)
        ],
    )
    bulk.insert(
        Line,
        [row for pk, draft in zip(document_ids, drafts, strict=True) for row in line_rows(pk, draft.lines)],
    )
    TaxLine.objects.bulk_create(
        TaxLine(**row) for pk, total in zip(document_ids, sums, strict=True) for row in tax_rows(pk, total)
    )
    return document_ids


def sums_of(draft: DocumentDraft) -> Totals:
    """What the draft comes to; raises Invalid without a line, below zero, or beyond what is accepted."""
    if not draft.lines:
        problem = "A document needs at least one line."
        raise Invalid(problem, fields={"lines": problem})
    if draft.totals is not None:
        return draft.totals
    try:
        return totals(draft.lines)
    except MoneyError as error:
        raise Invalid(str(error), fields={"lines": str(error)}) from error


def _document(pk: int, draft: DocumentDraft, total: Totals, at: Any) -> dict[str, Any]:
    return {
        "id": pk,
        "public_id": ids.new(Document.PREFIX),
        "kind": draft.kind,
        "entity_id": draft.entity_id,
        "customer_id": draft.customer_id,
        "currency": draft.currency,
        "terms_days": draft.terms_days,
        "deposit_percent": draft.deposit_percent,
        "net_minor": total.net_minor,
        "tax_minor": total.tax_minor,
        "total_minor": total.total_minor,
        "memo": draft.memo,
        "external_id": draft.external_id,
        "metadata": dict(draft.metadata),
        "source": draft.source,
        "autopay": draft.autopay,
        "prepays": draft.prepays,
        "credits_id": draft.credits_id,
        "created_at": at,
        "updated_at": at,
    }


def line_rows(document_id: int, lines: Sequence[LineDraft]) -> list[dict[str, Any]]:
    """The lines as rows of a document, numbered from 1."""
    return [_line(document_id, position, each) for position, each in enumerate(lines, 1)]


def tax_rows(document_id: int, total: Totals) -> list[dict[str, Any]]:
    """The taxes as rows of a document."""
    return [
        {
            "document_id": document_id,
            "category": tax.category,
            "percent": tax.percent,
            "base_minor": tax.base_minor,
            "tax_minor": tax.tax_minor,
        }
        for tax in total.taxes
    ]


def _line(document_id: int, position: int, each: LineDraft) -> dict[str, Any]:
    return {
        "document_id": document_id,
        "position": position,
        "description": each.description,
        "detail": each.detail,
        "quantity": each.quantity,
        "unit_price": each.unit_price,
        "amount_minor": each.amount_minor,
        "tax_category": each.tax_category,
        "tax_percent": each.tax_percent,
        "service_start": each.service_start,
        "service_end": each.service_end,
        "source": each.source,
        "why": list(each.why),
    }

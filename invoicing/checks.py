"""Invariants of documents; each returns what breaks it."""

from typing import Any

from core.registry import checks
from core.tallies import proof
from invoicing.domain.seal import seal
from invoicing.models import Document
from invoicing.selectors import sealed_contents
from invoicing.services.issue import header

checks["a document's total = its lines + its tax"] = (
    "SELECT d.id, d.number FROM invoicing_document d"
    " LEFT JOIN (SELECT organization_id, document_id, sum(amount_minor) AS net FROM invoicing_line GROUP BY 1, 2) l"
    " ON l.organization_id = d.organization_id AND l.document_id = d.id"
    " LEFT JOIN (SELECT organization_id, document_id, sum(tax_minor) AS tax, sum(base_minor) AS base"
    " FROM invoicing_taxline GROUP BY 1, 2) t ON t.organization_id = d.organization_id AND t.document_id = d.id"
    " WHERE CASE d.kind WHEN 'opening' THEN d.tax_minor <> 0 OR coalesce(l.net, t.base) IS NOT NULL"
    " ELSE d.net_minor <> coalesce(l.net, 0) OR d.tax_minor <> coalesce(t.tax, 0)"
    " OR coalesce(l.net, 0) <> coalesce(t.base, 0) END"
)
checks["numbers have no gap and none twice"] = (
    "SELECT s.entity_id, s.kind, s.year, s.next_counter - 1, count(d.id) FROM invoicing_numberseries s"
    " LEFT JOIN invoicing_document d ON d.organization_id = s.organization_id AND d.entity_id = s.entity_id"
    " AND d.kind = s.kind AND d.state <> 'draft' AND extract(year FROM d.issued_on) = s.year"
    " GROUP BY 1, 2, 3, 4 HAVING count(d.id) <> s.next_counter - 1"
)
checks[
    "each issued document with a total has one open item of that total, each item of a document its document"
] = (
    "SELECT d.id, i.id FROM (SELECT * FROM invoicing_document WHERE state <> 'draft' AND total_minor > 0) d"
    " FULL JOIN (SELECT * FROM receivables_openitem WHERE kind IN ('invoice', 'credit_note')"
    " OR (kind = 'opening' AND source LIKE 'doc\\_%')) i"
    " ON i.organization_id = d.organization_id AND i.source = d.public_id"
    " WHERE d.id IS NULL OR i.id IS NULL OR d.total_minor <> i.total_minor OR d.currency <> i.currency"
)
checks["a void document owes nothing"] = (
    "SELECT d.id, i.open_minor FROM invoicing_document d JOIN receivables_openitem i"
    " ON i.organization_id = d.organization_id AND i.source = d.public_id"
    " WHERE d.state = 'void' AND i.open_minor <> 0"
)
checks["credit notes never exceed the invoice they correct"] = (
    "SELECT d.id, d.total_minor, sum(c.total_minor) FROM invoicing_document d JOIN invoicing_document c"
    " ON c.organization_id = d.organization_id AND c.credits_id = d.id AND c.state = 'issued'"
    " GROUP BY d.id, d.total_minor HAVING sum(c.total_minor) > d.total_minor"
)

_CHUNK = 2000


def broken_seals() -> list[tuple[Any, ...]]:
    """Issued documents whose content no longer has the hash that was stored at issue."""
    broken: list[tuple[Any, ...]] = []
    last = 0
    while chunk := list(Document.objects.exclude(state="draft").filter(pk__gt=last).order_by("pk")[:_CHUNK]):
        contents = sealed_contents([row.pk for row in chunk])
        broken += [
            (row.pk, row.number) for row in chunk if row.seal != seal({**contents[row.pk], **header(row)})
        ]
        last = chunk[-1].pk
    return broken


checks["an issued document's content has the hash stored at issue"] = broken_seals
checks["tallies of documents = the documents"] = proof(
    "documents",
    "SELECT currency, kind, state, date '1970-01-01', count(*), sum(total_minor), 0 FROM invoicing_document"
    " GROUP BY 1, 2, 3",
)

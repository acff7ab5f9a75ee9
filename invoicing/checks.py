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

checks["what is left of a top-up = what it was less what is gone"] = (
    "SELECT t.id, t.left_minor, t.total_minor - coalesce(sum(m.minor), 0) FROM invoicing_topup t"
    " LEFT JOIN invoicing_topupmove m ON m.organization_id = t.organization_id AND m.top_up_id = t.id"
    " GROUP BY t.id, t.left_minor, t.total_minor HAVING t.left_minor <> t.total_minor - coalesce(sum(m.minor), 0)"
)
checks["what the books owe for prepaid balances = what is left of them, by customer and currency"] = (
    "SELECT customer_id, currency, sum(minor) FROM (SELECT l.customer_id, l.currency, l.minor FROM ledger_leg l"
    " JOIN ledger_account a ON a.organization_id = l.organization_id AND a.id = l.account_id AND a.purpose = 'prepaid'"
    " UNION ALL SELECT customer_id, currency, left_minor FROM invoicing_topup) both_sides"
    " GROUP BY 1, 2 HAVING sum(minor) <> 0"
)
checks["every issued invoice that prepays made a top-up of its total, and every top-up such an invoice"] = (
    "SELECT d.id, t.id FROM (SELECT * FROM invoicing_document WHERE prepays AND kind = 'invoice'"
    " AND state <> 'draft') d"
    " FULL JOIN invoicing_topup t ON t.organization_id = d.organization_id AND t.document_id = d.id"
    " WHERE d.id IS NULL OR t.id IS NULL OR d.total_minor <> t.total_minor OR d.tax_minor <> 0"
    " OR (d.state = 'void') <> EXISTS (SELECT FROM invoicing_topupmove m WHERE m.organization_id = t.organization_id"
    " AND m.top_up_id = t.id AND m.kind = 'voided')"
)
checks[
    "what was drawn of a top-up pays for its invoice, and what was credited stands on a note over its own"
] = (
    "SELECT m.id, a.id FROM (SELECT m.*, 'draw:' || t.public_id || ':' || d.public_id AS source, t.document_id AS of,"
    " d.credits_id, d.total_minor FROM invoicing_topupmove m"
    " JOIN invoicing_topup t ON t.organization_id = m.organization_id AND t.id = m.top_up_id"
    " JOIN invoicing_document d ON d.organization_id = m.organization_id AND d.id = m.document_id) m"
    " FULL JOIN (SELECT a.organization_id, a.id, a.minor, a.key FROM receivables_allocation a"
    " JOIN receivables_openitem i ON i.organization_id = a.organization_id AND i.id = a.credit_item_id"
    " AND i.kind = 'prepaid') a ON a.organization_id = m.organization_id AND a.key = m.source AND m.kind = 'drawn'"
    " WHERE CASE m.kind WHEN 'credited' THEN m.credits_id <> m.of OR m.total_minor <> m.minor"
    " ELSE m.id IS NULL OR a.id IS NULL OR a.minor <> m.minor END"
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

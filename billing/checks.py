"""Invariants of billing; each statement returns what breaks it."""

from core.registry import checks

checks["no subscription is billed twice for a day"] = (
    "SELECT a.subscription_id, a.period_start, b.period_start FROM billing_billedperiod a"
    " JOIN billing_billedperiod b ON b.organization_id = a.organization_id"
    " AND b.subscription_id = a.subscription_id AND b.id <> a.id"
    " AND b.period_start < a.period_end AND a.period_start < b.period_end"
)
checks["billed periods follow each other without a gap up to the next one due"] = (
    "SELECT s.id, s.anchor, s.next_bill_on, count(p.id) FROM billing_subscription s"
    " LEFT JOIN billing_billedperiod p ON p.organization_id = s.organization_id AND p.subscription_id = s.id"
    " GROUP BY s.id, s.anchor, s.next_bill_on, s.next_index"
    " HAVING count(p.id) <> s.next_index OR (count(p.id) > 0 AND (min(p.period_start) <> s.anchor"
    " OR max(p.period_end) <> s.next_bill_on OR sum(p.period_end - p.period_start) <> s.next_bill_on - s.anchor))"
)
checks["a billed period's amount stands on an issued invoice"] = (
    "SELECT p.id FROM billing_billedperiod p JOIN invoicing_document d"
    " ON d.organization_id = p.organization_id AND d.id = p.document_id WHERE d.state = 'draft'"
)

"""Invariants of billing; each statement returns what breaks it."""

from core.registry import checks

checks["nothing is billed twice for a day"] = (
    "SELECT a.item_id, a.period_start, b.period_start FROM billing_billedperiod a"
    " JOIN billing_billedperiod b ON b.organization_id = a.organization_id"
    " AND b.item_id = a.item_id AND b.id <> a.id"
    " AND b.period_start < a.period_end AND a.period_start < b.period_end"
)
checks["billed periods of an item follow each other from its first day without a gap"] = (
    "SELECT i.id, i.starts_on, count(*) FROM billing_subscriptionitem i"
    " JOIN billing_billedperiod p ON p.organization_id = i.organization_id AND p.item_id = i.id"
    " GROUP BY i.id, i.starts_on HAVING min(p.period_start) <> i.starts_on"
    " OR sum(p.period_end - p.period_start) <> max(p.period_end) - i.starts_on"
)
checks["what is billed in advance is due when its last period ends"] = (
    "SELECT i.id, s.next_bill_on, t.through FROM billing_subscription s"
    " JOIN billing_subscriptionitem i ON i.organization_id = s.organization_id AND i.subscription_id = s.id"
    " JOIN billing_price r ON r.organization_id = i.organization_id AND r.id = i.price_id AND r.timing = 'advance'"
    " CROSS JOIN LATERAL (SELECT max(p.period_end) AS billed, coalesce(max(p.period_end), i.starts_on) AS through"
    " FROM billing_billedperiod p WHERE p.organization_id = i.organization_id AND p.item_id = i.id) t"
    " WHERE s.state = 'active' AND (r.unit <> 'once' OR t.billed IS NULL)"
    " AND t.through < coalesce(least(i.ends_on, s.ends_on), 'infinity') AND s.next_bill_on > t.through"
)
checks["a subscription's price and quantity are those of one of its plan items"] = (
    "SELECT s.id FROM billing_subscription s WHERE NOT EXISTS (SELECT FROM billing_subscriptionitem i"
    " WHERE i.organization_id = s.organization_id AND i.subscription_id = s.id AND i.role = 'plan'"
    " AND i.price_id = s.price_id AND i.quantity = s.quantity)"
)
checks["a billed period's amount stands on an issued invoice"] = (
    "SELECT p.id FROM billing_billedperiod p JOIN invoicing_document d"
    " ON d.organization_id = p.organization_id AND d.id = p.document_id WHERE d.state = 'draft'"
)

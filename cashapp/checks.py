"""Invariants of payments and attempts; each statement returns what breaks it."""

from core.registry import checks

checks["each payment has one open item of its amount, each payment item its payment"] = (
    "SELECT p.id, i.id FROM cashapp_payment p FULL JOIN"
    " (SELECT * FROM receivables_openitem WHERE kind = 'payment') i"
    " ON i.organization_id = p.organization_id AND i.source = p.public_id"
    " WHERE p.id IS NULL OR i.id IS NULL OR p.minor <> i.total_minor OR p.currency <> i.currency"
)
checks["a booked bank line and its payment are the same money"] = (
    "SELECT l.id, p.id FROM (SELECT * FROM cashapp_bankline WHERE state = 'booked') l"
    " FULL JOIN (SELECT * FROM cashapp_payment WHERE provider = 'bank' AND state = 'received') p"
    " ON p.organization_id = l.organization_id AND p.id = l.payment_id"
    " WHERE l.id IS NULL OR p.id IS NULL OR l.minor <> p.minor OR l.currency <> p.currency"
    " OR l.booked_on <> p.received_on"
)
checks["each attempt that succeeded has exactly one payment of its amount, no other attempt has one"] = (
    "SELECT a.id, a.state, count(p.id) FROM cashapp_attempt a LEFT JOIN cashapp_payment p"
    " ON p.organization_id = a.organization_id AND p.attempt_id = a.id"
    " GROUP BY a.id, a.state, a.minor HAVING count(p.id) <> CASE a.state WHEN 'succeeded' THEN 1 ELSE 0 END"
    " OR coalesce(max(p.minor), a.minor) <> a.minor"
)
checks["each charge that succeeded at the sandbox has at most one payment, of that amount"] = (
    "SELECT s.reference, count(p.id) FROM cashapp_sandboxcharge s LEFT JOIN cashapp_payment p"
    " ON p.organization_id = s.organization_id AND p.provider = 'sandbox' AND p.provider_ref = s.reference"
    " GROUP BY s.reference, s.outcome, s.minor"
    " HAVING count(p.id) > CASE s.outcome WHEN 'succeeded' THEN 1 ELSE 0 END"
    " OR coalesce(max(p.minor), s.minor) <> s.minor"
)
checks["reserved = live attempts"] = (
    "SELECT i.id, i.reserved_minor, coalesce(sum(a.minor), 0) FROM receivables_openitem i"
    " LEFT JOIN cashapp_attemptitem a ON a.organization_id = i.organization_id AND a.item_id = i.id AND a.live"
    " GROUP BY i.id, i.reserved_minor HAVING i.reserved_minor <> coalesce(sum(a.minor), 0)"
)
checks["an attempt's items are live exactly while it is"] = (
    "SELECT a.id, a.state FROM cashapp_attempt a JOIN cashapp_attemptitem i"
    " ON i.organization_id = a.organization_id AND i.attempt_id = a.id"
    " WHERE i.live <> (a.state IN ('created', 'sent', 'unknown', 'action_required'))"
)

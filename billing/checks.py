"""Invariants of billing; each statement returns what breaks it."""

from billing.usage import LEFT
from core.money import EXPONENTS
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
checks["a subscription is on one plan at a time"] = (
    "SELECT a.id, b.id FROM billing_subscriptionitem a JOIN billing_subscriptionitem b"
    " ON b.organization_id = a.organization_id AND b.subscription_id = a.subscription_id AND b.id > a.id"
    " WHERE a.role = 'plan' AND b.role = 'plan' AND a.ends_on IS DISTINCT FROM a.starts_on"
    " AND b.ends_on IS DISTINCT FROM b.starts_on AND a.starts_on < coalesce(b.ends_on, 'infinity')"
    " AND b.starts_on < coalesce(a.ends_on, 'infinity')"
)
checks["a subscription's price and quantity are those of one of its plan items"] = (
    "SELECT s.id FROM billing_subscription s WHERE NOT EXISTS (SELECT FROM billing_subscriptionitem i"
    " WHERE i.organization_id = s.organization_id AND i.subscription_id = s.id AND i.role = 'plan'"
    " AND i.price_id = s.price_id AND i.quantity = s.quantity)"
)
_CREDITED = (
    "SELECT {columns} FROM billing_creditedperiod c"
    " JOIN billing_billedperiod p ON p.organization_id = c.organization_id AND p.id = c.period_id"
    " JOIN billing_subscriptionitem i ON i.organization_id = c.organization_id AND i.id = c.item_id"
    " JOIN billing_subscription s ON s.organization_id = c.organization_id AND s.id = i.subscription_id "
)
checks["what is credited of an item is its last billed days, from its end on"] = (
    _CREDITED.format(columns="i.id, min(c.period_start), max(p.period_end)")
    + "GROUP BY i.organization_id, i.id, i.ends_on, s.ends_on"
    " HAVING min(c.period_start) < coalesce(least(i.ends_on, s.ends_on), 'infinity')"
    " OR sum(c.period_end - c.period_start) <> (SELECT max(b.period_end) FROM billing_billedperiod b"
    " WHERE b.organization_id = i.organization_id AND b.item_id = i.id) - min(c.period_start)"
)
checks["no more is credited of a billed period than it came to"] = (
    _CREDITED.format(columns="p.id, p.amount_minor, sum(c.unused_minor)")
    + "GROUP BY p.organization_id, p.id, p.amount_minor HAVING sum(c.unused_minor) > p.amount_minor"
    " OR bool_or(c.period_start < p.period_start OR c.period_end > p.period_end OR c.item_id <> p.item_id)"
)
_SCALE = (
    "CASE r.currency "
    + " ".join(f"WHEN '{code}' THEN {10**n}" for code, n in EXPONENTS.items())
    + " ELSE 100 END"
)
checks["bills of one day take no more of an amount per bill than there is"] = (
    "SELECT h.discount_id, h.due_on, sum(h.amount_minor) FROM billing_discountshare h"
    " JOIN billing_subscriptiondiscount d ON d.organization_id = h.organization_id AND d.id = h.discount_id"
    " JOIN billing_billedperiod p ON p.organization_id = h.organization_id AND p.id = h.period_id"
    " JOIN billing_subscriptionitem i ON i.organization_id = h.organization_id AND i.id = p.item_id"
    " JOIN billing_price r ON r.organization_id = h.organization_id AND r.id = i.price_id"
    " WHERE NOT EXISTS (SELECT FROM billing_creditedperiod c WHERE c.organization_id = p.organization_id"
    " AND c.period_id = p.id AND c.period_start = p.period_start)"
    " GROUP BY h.organization_id, h.discount_id, h.due_on, d.amount, r.currency"
    f" HAVING sum(h.amount_minor) > round(d.amount * {_SCALE}) OR bool_or(p.subscription_id <> d.subscription_id)"
)
checks["what is credited of a billed period stands on a credit note over its invoice"] = (
    _CREDITED.format(columns="c.id")
    + "LEFT JOIN invoicing_document d ON d.organization_id = c.organization_id AND d.id = c.document_id"
    " WHERE (c.amount_minor > 0 OR c.document_id IS NOT NULL)"
    " AND (d.credits_id = p.document_id AND d.kind = 'credit_note' AND d.state <> 'draft') IS NOT TRUE"
)
checks["what is billed beyond its end is credited or due to be"] = (
    "SELECT i.id, t.through FROM billing_subscriptionitem i"
    " JOIN billing_subscription s ON s.organization_id = i.organization_id AND s.id = i.subscription_id"
    " JOIN billing_price r ON r.organization_id = i.organization_id AND r.id = i.price_id AND r.unit <> 'once'"
    " AND r.meter_id IS NULL CROSS JOIN LATERAL (SELECT coalesce((SELECT min(c.period_start)"
    " FROM billing_creditedperiod c WHERE c.organization_id = i.organization_id AND c.item_id = i.id),"
    " max(p.period_end)) AS through FROM billing_billedperiod p"
    " WHERE p.organization_id = i.organization_id AND p.item_id = i.id) t"
    " WHERE least(i.ends_on, s.ends_on) IS NOT NULL AND t.through > greatest(least(i.ends_on, s.ends_on), i.starts_on)"
    " AND (s.state <> 'active' OR s.next_bill_on > greatest(least(i.ends_on, s.ends_on), i.starts_on))"
)
_CORRECTED = (
    "SELECT {columns} FROM billing_correctedperiod c"
    " JOIN billing_billedperiod p ON p.organization_id = c.organization_id AND p.id = c.period_id"
    " LEFT JOIN invoicing_document d ON d.organization_id = c.organization_id AND d.id = c.document_id "
)
checks["the corrections of a billed period add up to what it says it comes to as it was counted last"] = (
    "SELECT id, after_minor, total, place FROM (SELECT c.id, c.nth, c.item_id, p.item_id AS billed, c.after_minor,"
    " p.amount_minor + sum(c.difference_minor) OVER steps AS total, row_number() OVER steps AS place,"
    " c.quantity_now, c.quantity_before, coalesce(lag(c.quantity_now) OVER steps, p.quantity) AS last,"
    " lag(c.quantity_before) OVER steps AS before_last FROM billing_correctedperiod c"
    " JOIN billing_billedperiod p ON p.organization_id = c.organization_id AND p.id = c.period_id"
    " WINDOW steps AS (PARTITION BY c.organization_id, c.period_id ORDER BY c.nth)) s"
    " WHERE after_minor <> total OR nth <> place OR item_id <> billed"
    " OR (quantity_before IS DISTINCT FROM last"
    " AND (quantity_before, quantity_now) IS DISTINCT FROM (before_last, last))"
)
checks["what was counted after it was billed stands on an issued invoice of its own amount"] = (
    _CORRECTED.format(columns="c.id, c.amount_minor, l.amount_minor")
    + "LEFT JOIN billing_subscriptionitem i ON i.organization_id = c.organization_id AND i.id = c.item_id"
    " LEFT JOIN invoicing_line l ON l.organization_id = c.organization_id AND l.document_id = c.document_id"
    " AND l.source = i.public_id || ':' || to_char(p.period_start, 'YYYY-MM-DD') || ':' || c.nth"
    " WHERE c.difference_minor > 0 AND (d.kind = 'invoice' AND d.state <> 'draft'"
    " AND l.amount_minor = c.amount_minor) IS NOT TRUE"
)
checks[
    "what was billed and is not counted any more stands on a credit note over an invoice that billed it"
] = (
    _CORRECTED.format(columns="c.id, c.amount_minor")
    + "WHERE c.difference_minor < 0 AND (c.amount_minor < 0 OR c.document_id IS NOT NULL)"
    " AND (d.kind = 'credit_note' AND d.state <> 'draft' AND d.credits_id IN (SELECT p.document_id UNION"
    " SELECT o.document_id FROM billing_correctedperiod o WHERE o.organization_id = c.organization_id"
    " AND o.period_id = c.period_id AND o.difference_minor > 0)) IS NOT TRUE"
)
checks["a billed period's amount stands on an issued invoice"] = (
    "SELECT p.id FROM billing_billedperiod p JOIN invoicing_document d"
    " ON d.organization_id = p.organization_id AND d.id = p.document_id WHERE d.state = 'draft'"
)
checks["movements of monthly recurring revenue add up, and their kinds follow each other"] = (
    "SELECT id, kind, delta_minor, after_minor, total, place FROM (SELECT id, kind, delta_minor, after_minor,"
    " sum(delta_minor) OVER days AS total, row_number() OVER days AS place FROM billing_mrrmovement"
    " WINDOW days AS (PARTITION BY organization_id, subscription_id ORDER BY day)) m"
    " WHERE after_minor <> total OR (kind = 'new') <> (place = 1)"
)
checks["a movement of monthly recurring revenue is in its subscription's currency"] = (
    "SELECT m.id, m.currency, p.currency FROM billing_mrrmovement m JOIN billing_subscription s"
    " ON s.organization_id = m.organization_id AND s.id = m.subscription_id"
    " JOIN billing_price p ON p.organization_id = s.organization_id AND p.id = s.price_id"
    " WHERE p.currency <> m.currency"
)
_COUNTED = (
    "SELECT {grain} AS grain, e.organization_id, e.series_id, date_bin('{step}', e.at, '2000-01-01 00:00+00') AS start,"
    " e.at, e.value, e.transaction_id FROM billing_usageevent e WHERE " + LEFT
)
checks["buckets of usage hold what their events come to"] = (
    "SELECT coalesce(c.series_id, b.series_id), coalesce(c.start, b.start), c.count, b.count, c.total, b.total FROM ("
    " SELECT organization_id, series_id, grain, start, count(*) AS count, sum(value) AS total,"
    " sum(value * extract(epoch FROM at - start)) AS area, max(value) AS most, max(at) AS last_at,"
    " (array_agg(value ORDER BY at DESC, transaction_id DESC))[1] AS last,"
    " (array_agg(transaction_id ORDER BY at DESC, transaction_id DESC))[1] AS last_name FROM ("
    + _COUNTED.format(grain=0, step="15 minutes")
    + " UNION ALL "
    + _COUNTED.format(grain=1, step="24 hours")
    + ") e GROUP BY organization_id, series_id, grain, start) c FULL JOIN billing_usagebucket b"
    " USING (organization_id, series_id, grain, start)"
    " WHERE (coalesce(c.count, 0), coalesce(c.total, 0), coalesce(c.area, 0), c.most, c.last, c.last_at,"
    " coalesce(c.last_name, '')) IS DISTINCT FROM (b.count, b.total, b.area, b.most, b.last, b.last_at, b.last_name)"
)
checks["what was seen of unique keys is what their events say"] = (
    "SELECT coalesce(c.series_id, u.series_id), coalesce(c.key, u.key), c.count, u.count FROM ("
    " SELECT e.organization_id, e.series_id, date_bin('24 hours', e.at, '2000-01-01 00:00+00') AS day, e.key,"
    " count(*) AS count, min(e.at) AS first_at, max(e.at) AS last_at FROM billing_usageevent e WHERE e.key <> '' AND "
    + LEFT
    + " GROUP BY 1, 2, 3, 4) c FULL JOIN billing_usageseen u USING (organization_id, series_id, day, key)"
    " WHERE (c.count, c.first_at, c.last_at) IS DISTINCT FROM (u.count, u.first_at, u.last_at)"
)
checks["every transaction id of usage is one event's"] = (
    "SELECT coalesce(k.id, e.id), k.transaction_id, e.transaction_id FROM billing_usagekey k"
    " FULL JOIN billing_usageevent e USING (organization_id, id)"
    " WHERE (k.transaction_id, k.at, k.series_id) IS DISTINCT FROM (e.transaction_id, e.at, e.series_id)"
)
checks["what is void of usage was an event"] = (
    "SELECT v.id, v.transaction_id FROM billing_usagevoid v LEFT JOIN billing_usagekey k"
    " ON k.organization_id = v.organization_id AND k.transaction_id = v.transaction_id AND k.id = v.event_id"
    " AND k.series_id = v.series_id AND k.at = v.at WHERE k.id IS NULL"
)
checks["what is granted of a feature fits its kind"] = (
    "SELECT g.id, f.code FROM (SELECT organization_id, id, feature_id, amount, text, 'set' AS mode, true AS granted"
    " FROM billing_featuregrant UNION ALL SELECT organization_id, id, feature_id, amount, text, mode, granted"
    " FROM billing_featureoverride) g JOIN billing_feature f ON f.organization_id = g.organization_id"
    " AND f.id = g.feature_id WHERE (f.kind <> 'limit' AND (g.amount IS NOT NULL OR g.mode = 'add'))"
    " OR (f.kind <> 'text' AND g.text <> '') OR (f.kind = 'text' AND g.granted AND g.text = '')"
)

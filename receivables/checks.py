"""Invariants of open items against their allocations and the ledger; each statement returns what breaks them."""

from core.registry import checks
from core.tallies import proof

_BY_ITEM = (
    "SELECT i.id, i.side, i.total_minor, i.open_minor, {sum} FROM receivables_openitem i"
    " LEFT JOIN ({rows}) x ON x.organization_id = i.organization_id AND x.item_id = i.id"
    " GROUP BY i.id, i.side, i.total_minor, i.open_minor HAVING {wrong}"
)

checks["open = total - allocations"] = _BY_ITEM.format(
    sum="coalesce(sum(x.minor), 0)",
    rows=(
        "SELECT organization_id, debit_item_id AS item_id, minor FROM receivables_allocation"
        " UNION ALL SELECT organization_id, credit_item_id, minor FROM receivables_allocation"
    ),
    wrong="i.open_minor <> i.total_minor - coalesce(sum(x.minor), 0)",
)
checks["the ledger holds each item's open amount on its control account"] = _BY_ITEM.format(
    sum="coalesce(sum(x.minor), 0)",
    rows=(
        "SELECT l.organization_id, l.open_item_id AS item_id, l.minor FROM ledger_leg l"
        " JOIN ledger_account a ON a.organization_id = l.organization_id AND a.id = l.account_id"
        " WHERE a.purpose IN ('receivable', 'unapplied') AND l.open_item_id IS NOT NULL"
    ),
    wrong="coalesce(sum(x.minor), 0) <> CASE i.side WHEN 'debit' THEN i.open_minor ELSE -i.open_minor END",
)
checks["control accounts = open items, by account, customer and currency"] = (
    "SELECT purpose, customer_id, currency, sum(minor) FROM ("
    " SELECT a.purpose, l.customer_id, l.currency, l.minor FROM ledger_leg l"
    " JOIN ledger_account a ON a.organization_id = l.organization_id AND a.id = l.account_id"
    " WHERE a.purpose IN ('receivable', 'unapplied')"
    " UNION ALL SELECT CASE WHEN kind IN ('payment', 'reversal') THEN 'unapplied' ELSE 'receivable' END,"
    " customer_id, currency,"
    " CASE side WHEN 'debit' THEN -open_minor ELSE open_minor END FROM receivables_openitem) both_sides"
    " GROUP BY 1, 2, 3 HAVING sum(minor) <> 0"
)
checks["every allocation has its entry, and every such entry its allocation"] = (
    "SELECT coalesce(a.key, e.key) FROM receivables_allocation a FULL JOIN"
    " (SELECT * FROM ledger_entry WHERE kind IN ('allocation', 'allocation_undone')) e"
    " ON e.organization_id = a.organization_id AND e.key = 'allocate:' || a.key"
    " WHERE a.id IS NULL OR e.id IS NULL"
)
checks["an item is settled exactly when nothing is open"] = (
    "SELECT id, open_minor, settled_on FROM receivables_openitem"
    " WHERE (open_minor = 0) <> (settled_on IS NOT NULL)"
)
checks["tallies of items = the items"] = proof(
    "items",
    "SELECT currency, kind, '', effective_on, count(*), sum(total_minor), 0 FROM receivables_openitem GROUP BY 1, 2, 4",
)
checks["tallies of what is open = the open items"] = proof(
    "open",
    "SELECT currency, kind, '', due_on, count(*), sum(open_minor), sum(total_minor) FROM receivables_openitem"
    " WHERE open_minor > 0 GROUP BY 1, 2, 4",
)
checks["tallies of what is due later = the rests of items whose deposit is open"] = proof(
    "later",
    "SELECT currency, kind, '', day, 0, sum(minor), 0 FROM receivables_openitem"
    " CROSS JOIN LATERAL (VALUES (due_on, -later_minor), (rest_due_on, later_minor)) v(day, minor)"
    " WHERE later_minor > 0 GROUP BY 1, 2, 4",
)

"""Invariants of the ledger; each statement returns the rows that break it."""

from core.registry import checks
from core.tallies import proof

checks["every entry balances in every currency"] = (
    "SELECT entry_id, currency, sum(minor) FROM ledger_leg GROUP BY 1, 2 HAVING sum(minor) <> 0"
)
checks["every entry balances in base currency"] = (
    "SELECT entry_id, sum(base_minor) FROM ledger_leg GROUP BY 1"
    " HAVING sum(base_minor) <> 0 OR count(base_minor) NOT IN (0, count(*))"
)
checks["every entry has at least two legs"] = (
    "SELECT e.id, e.key FROM ledger_entry e LEFT JOIN ledger_leg l"
    " ON l.organization_id = e.organization_id AND l.entry_id = e.id GROUP BY e.id, e.key HAVING count(l.id) < 2"
)
checks["nothing is posted into a closed period after it was closed"] = (
    "SELECT e.id, e.key, e.posted_on FROM ledger_entry e JOIN ledger_periodlock p"
    " ON p.organization_id = e.organization_id AND p.entity_id = e.entity_id"
    " WHERE e.posted_on <= p.closed_through AND e.recorded_at > p.closed_at"
)
checks["tallies of legs = the legs"] = proof(
    "legs",
    "SELECT l.currency, e.kind, l.account_id::text, e.effective_on, count(*), sum(l.minor), 0 FROM ledger_leg l"
    " JOIN ledger_entry e ON e.organization_id = l.organization_id AND e.id = l.entry_id GROUP BY 1, 2, 3, 4",
)

"""The rows by name."""

from collections.abc import Callable, Iterator

from tools.bench import api, billing, clock, documents, features, gate, imports, lists, matching, usage
from tools.bench.report import Row

ROWS: dict[str, Callable[[], Iterator[Row]]] = {
    "billing-run": billing.billing_run,
    "rating": billing.rating,
    "statements": billing.statements,
    "audit": billing.audit,
    "nothing-due": billing.nothing_due,
    "gate": gate.gate,
    "import": imports.bring_in,
    "matching": matching.matching,
    "lists": lists.lists,
    "api": api.api,
    "pdf": documents.pdf,
    "clock": clock.sandbox_clock,
    "usage": usage.usage,
    "features": features.features,
}

"""Short ways for the tests of invoices by API."""

from typing import Any

from core import clock
from core.events import OutboxEvent
from core.scope import Scope, enter, work
from customers.models import Customer
from invoicing.models import Document, Line
from ledger.models import Entry
from messaging.models import Message
from receivables.models import Allocation, OpenItem
from tests.db.api.conftest import Program

ZONE = "Europe/Berlin"


def today() -> Any:
    return clock.today(ZONE)


def body(owner: Customer, **given: Any) -> dict[str, Any]:
    lines = [
        {"description": "Track Pro", "quantity": "3", "unit_price": "14.50"},
        {
            "description": "Setup",
            "detail": "on site",
            "unit_price": "99.995",
            "tax_percent": "7",
            "service_start": "2026-11-01",
            "service_end": "2026-12-01",
        },
    ]
    return {"customer": owner.public_id, "lines": lines, **given}


def written(house: Scope) -> tuple[int, ...]:
    """How much there is: nothing of it grows by what is refused."""
    kinds = (Document, Line, OpenItem, Entry, Allocation, Message, OutboxEvent)
    with enter(house), work():
        versions = sum(Document.objects.values_list("version", flat=True))
        return (*(kind.objects.count() for kind in kinds), versions)


def draft(api: Program, owner: Customer, **given: Any) -> Any:
    return api.post("/invoices", body(owner, **given), 201)


def issued(api: Program, owner: Customer, **given: Any) -> Any:
    return api.post(f"/invoices/{draft(api, owner, **given)['id']}/issue", {})

"""A customer whose kept card is charged in tests: billed, lived through its days, and what came of it."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from billing.models import Subscription
from billing.services.run import run_billing
from cashapp.gateways.port import NoAnswer
from cashapp.gateways.sandbox import Sandbox
from cashapp.handlers import sweep
from cashapp.models import SandboxCharge
from cashapp.services.cards import keep_card
from core.models import OutboxEvent
from core.scope import Scope, work
from customers.models import Customer, PaymentMethod
from invoicing.models import Document
from messaging.models import Message
from receivables.models import OpenItem
from tests import factories
from tests.lived import at, live

ZONE = ZoneInfo("Europe/Berlin")
BEGAN = date(2026, 12, 1)
DUE = date(2026, 12, 31)
CONSENT = "Acorn charges this card on the day an invoice of my subscriptions is due, until I remove it here."


@pytest.fixture
def owner(acorn: Scope) -> Customer:
    """Who subscribes for 17.26 a month and has 30 days to pay, from BEGAN on."""
    with work():
        made = factories.customer(name="Kestrel", email="rita@kestrel.example")
    with at(BEGAN, 1), work():
        factories.subscription(made, BEGAN)
    return made


def keep(owner: Customer, method: str = "card_ok", *, on: date = BEGAN) -> PaymentMethod:
    with at(on, 2):
        return keep_card(owner.public_id, method=method, consent=CONSENT)


def bill(on: date = BEGAN, hour: int = 3) -> Document:
    """What is kept is heard of, then the run bills, and its invoice is sent."""
    live(on, hour)
    with at(on, hour):
        run_billing(on)
    live(on, hour + 1)
    with work():
        return Document.objects.get()  # type: ignore[no-any-return]


def open_of(document: Document) -> tuple[int, int]:
    """What is open of it, and what of that is promised to a charge."""
    with work():
        item = OpenItem.objects.get(source=document.public_id)
        return item.open_minor, item.reserved_minor


def credit_left(owner: Customer) -> int:
    """What the customer has with us."""
    with work():
        rows = OpenItem.objects.filter(customer=owner, side="credit")
        return sum(rows.values_list("open_minor", flat=True))


def charged() -> list[tuple[int, str]]:
    """What the gateway was asked for, and what it said."""
    with work():
        return list(SandboxCharge.objects.order_by("id").values_list("minor", "outcome"))


def mails(kind: str) -> list[Message]:
    with work():
        return list(Message.objects.filter(kind=kind).order_by("id"))


def events(name: str) -> list[dict[str, Any]]:
    with work():
        return [row.payload for row in OutboxEvent.objects.filter(name=name).order_by("id")]


def owner_subscription() -> Any:
    return Subscription.objects.all()


def never_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(self: Sandbox, request: object) -> None:
        raise NoAnswer("down")

    monkeypatch.setattr(Sandbox, "charge", down)


def swept(day: date, hour: int) -> None:
    live(day, hour)
    with at(day, hour):
        sweep([])
    live(day, hour)

"""Pages of people and customers, as the cast opens them; everything in a transaction that is rolled back."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.scope import Scope, enter, work
from customers.models import Customer
from tenants.models import User
from tests import factories
from tests.conftest import seat

HOUSES = {"Ana": "acorn", "Ben": "acorn", "Vic": "acorn", "Bea": "birch"}


@pytest.fixture(autouse=True)
def own_cache(settings: object) -> None:
    """Counters of rate limits start at nothing."""
    settings.CACHES = {  # type: ignore[attr-defined]
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": uuid4().hex}
    }


@pytest.fixture
def client_of(db: None) -> Callable[[str], Client]:
    """A signed-in client: client_of("Ana")."""

    def make(name: str) -> Client:
        client = Client()
        client.force_login(User.objects.get(email=f"{name.lower()}@{HOUSES[name]}.example"))
        return client

    return make


@pytest.fixture
def ana(client_of: Callable[[str], Client]) -> Client:
    return client_of("Ana")


@pytest.fixture
def house(db: None) -> Scope:
    """Ana's scope, not entered: pages enter their own."""
    return seat("acorn", "ana@acorn.example")


@pytest.fixture
def kestrel(house: Scope) -> Customer:
    with enter(house), work():
        return factories.customer(name="Kestrel Freight", number="K-77", email="ap@kestrel.example")


@pytest.fixture
def snapshot(house: Scope) -> Callable[[], dict[str, list[object]]]:
    """Everything the pages here could write."""
    from core.models import AuditEntry, OutboxEvent
    from customers.models import Contact
    from tenants.models import LegalEntity, Membership, Role

    def take() -> dict[str, list[object]]:
        with enter(house), work():
            rows: dict[str, list[object]] = {
                model.__name__: list(model.objects.order_by("id").values_list("id", "version"))
                for model in (Customer, Contact, Membership, Role, LegalEntity)
            }
            rows |= {model.__name__: [model.objects.count()] for model in (AuditEntry, OutboxEvent)}
        return {
            **rows,
            "users": list(User.objects.order_by("id").values_list("email", "password", "is_active")),
        }

    return take


@pytest.fixture
def queries() -> Callable[[Client, str], int]:
    """Statements that one GET takes; the answer must be a page."""

    def count(client: Client, path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(path)
        assert answer.status_code == 200
        return len(captured)

    return count

"""Pages as people open them: one signed-in client per member of the cast, in a transaction that is rolled back."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.scope import Scope, work
from tenants.models import User

HOUSES = {"Ana": "acorn", "Ben": "acorn", "Vic": "acorn", "Bea": "birch"}


def signed_in(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(email=f"{name.lower()}@{HOUSES[name]}.example"))
    return client


@pytest.fixture
def ana(acorn: Scope) -> Client:
    return signed_in("Ana")


@pytest.fixture
def ben(acorn: Scope) -> Client:
    return signed_in("Ben")


@pytest.fixture
def vic(acorn: Scope) -> Client:
    return signed_in("Vic")


@pytest.fixture
def bea(acorn: Scope) -> Client:
    return signed_in("Bea")


@pytest.fixture
def snapshot(acorn: Scope) -> Callable[[], dict[str, int]]:
    """Row count and newest version of everything that the pages could write."""
    from billing.models import BillingRun, Price, Subscription
    from core.models import Effect, OutboxEvent, StateChange
    from invoicing.models import Document, Line
    from ledger.models import Entry
    from receivables.models import Allocation, OpenItem

    models = (
        Document,
        Line,
        Entry,
        OpenItem,
        Allocation,
        OutboxEvent,
        StateChange,
        Effect,
        Price,
        Subscription,
        BillingRun,
    )

    def take() -> dict[str, int]:
        with work():
            counts = {model.__name__: model.objects.count() for model in models}
            versions = sum(Document.objects.values_list("version", flat=True))
            held = Subscription.objects.filter(held_at__isnull=False).count()
            return {**counts, "versions": versions, "held": held}

    return take


@pytest.fixture
def queries() -> Callable[[Client, str], int]:
    """Statements that one GET takes; the answer must be a page."""

    def count(client: Client, path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(path)
        assert answer.status_code == 200, path
        return len(captured)

    return count

"""How many statements a page may take: what is read grows with the page, never with the pile behind it."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.services.run import run_billing
from core.scope import Scope, work
from invoicing.models import Document
from invoicing.services.credit import credit
from tests import factories
from tests.db.pages_documents.conftest import signed_in
from tests.factories import DAY

MOST = 12
GREYED = 1
"""Whoever sees greyed controls is told who can grant them, which is asked once a page."""


@pytest.fixture
def credited(acorn: Scope) -> Document:
    with work():
        made = factories.invoice(factories.customer(number="K-1"), ("1", "100.00"), ("2", "10.00"), on=DAY)
        for n in range(3):
            credit(made.public_id, amounts={1: 1_000}, on=DAY, reason="late", key=f"k{n}")
        factories.payment(made.customer, 500)
        return made


def reads(client: Client, address: str) -> list[str]:
    """Statements of a page but those that only open, name or end its transactions."""
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200, address
    frames = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "SELECT set_config")
    return [query["sql"] for query in seen if not query["sql"].startswith(frames)]


@pytest.mark.parametrize(
    "name",
    [
        "invoices",
        "customers",
        "payments",
        "ageing",
        "dso",
        "mrr",
        "mrr-movements",
        "home",
        "invoice",
        "customer",
    ],
)
@pytest.mark.parametrize("who", ["Ana", "Vic"])
def test_a_page_reads_at_most_twelve_times(credited: Document, name: str, who: str) -> None:
    thing = {"invoice": [credited.public_id], "customer": [credited.customer.public_id]}.get(name, [])
    found = reads(signed_in(who), reverse(name, args=["acorn", *thing]))
    assert len(found) <= MOST + (GREYED if who == "Vic" else 0), "\n".join(found)


@pytest.mark.parametrize(
    "query", ["?state=open", "?state=overdue", "?state=paid", "?q=INV-2026", "?kind=credit_note"]
)
def test_a_filtered_list_reads_at_most_twelve_times(credited: Document, query: str) -> None:
    assert len(reads(signed_in("Ana"), reverse("invoices", args=["acorn"]) + query)) <= MOST


@pytest.mark.parametrize("of", ["invoice", "note", "list"])
def test_a_page_of_what_subscriptions_bill_reads_at_most_twelve_times(acorn: Scope, of: str) -> None:
    with work():
        owner = factories.customer(one_invoice=True)
        subs = [factories.subscription(owner, DAY) for _ in range(3)]
    run_billing(DAY)
    with work():
        (made,) = Document.objects.all()
        note = credit(made.public_id, amounts={1: 100, 3: 100}, on=DAY, reason="late", key="k")
    address = {
        "invoice": reverse("invoice", args=["acorn", made.public_id]),
        "note": reverse("invoice", args=["acorn", note.public_id]),
        "list": reverse("invoices", args=["acorn"]) + f"?subscription={subs[0].public_id}",
    }[of]
    found = reads(signed_in("Ana"), address)
    assert len(found) <= MOST, "\n".join(found)

"""Prepaid balances by API: topped up, drawn by a run as previewed, read back, taken back; refused by the field."""

from datetime import timedelta
from typing import Any

import pytest

from core.models import OutboxEvent
from core.scope import Scope, enter, work
from customers.models import Customer
from invoicing.services.prepaid import hold, pay_in_advance
from tests import factories
from tests.db.api.conftest import Program, pointers
from tests.db.api.invoices import today
from tests.db.api.test_billing import written

pytestmark = pytest.mark.usefixtures("judged")


def pay(api: Program, customer: str, minor: int) -> None:
    """Money that goes to what is due first."""
    body = {
        "customer": customer, "amount_minor": minor, "currency": "EUR", "received_on": str(today()),
        "method": "bank_transfer",
    }  # fmt: skip
    api.post("/payments", body, 201)


def test_a_balance_is_topped_up_paid_drawn_and_taken_back(
    api: Program, house: Scope, kestrel: Customer
) -> None:
    made = api.post(
        "/top_ups", {"customer": kestrel.public_id, "amount_minor": 20000, "memo": "Order 7"}, 201
    )
    assert (made["state"], made["left_minor"], made["available_minor"]) == ("unpaid", 20000, 0)
    invoice = api.get(f"/invoices/{made['invoice']}")
    assert (invoice["tax_minor"], invoice["total_minor"], invoice["memo"]) == (0, 20000, "Order 7")
    assert invoice["lines"][0]["tax_category"] == "O"
    pay(api, kestrel.public_id, 15000)
    assert api.get(f"/top_ups/{made['id']}")["available_minor"] == 15000
    with enter(house), work():
        bill = factories.invoice(kestrel, on=today())
        pay_in_advance(hold([kestrel.pk]), {bill.pk: 9000}, {bill.pk: bill}, on=today())
    now = api.get(f"/top_ups/{made['id']}?expand[]=customer")
    assert (now["state"], now["left_minor"], now["available_minor"]) == ("active", 11000, 6000)
    assert now["customer"]["id"] == kestrel.public_id
    assert now["version"] > made["version"]
    note = api.post(f"/invoices/{made['invoice']}/credit", {"reason": "leaves"}, 201)
    assert note["total_minor"] == 11000
    moves = api.get(f"/top_ups/{made['id']}/moves")["data"]
    assert [(each["kind"], each["amount_minor"], each["document"]) for each in moves] == [
        ("credited", 11000, note["id"]), ("drawn", 9000, bill.public_id),
    ]  # fmt: skip
    assert api.get("/top_ups?left=true")["data"] == []
    assert [each["state"] for each in api.get(f"/top_ups?customer={kestrel.public_id}")["data"]] == ["used"]
    with enter(house), work():
        told = (
            OutboxEvent.objects.filter(object_public_id=made["id"])
            .order_by("id")
            .values_list("name", flat=True)
        )
        assert list(told) == ["top_up.created", "top_up.drawn"]


@pytest.mark.parametrize(("wish", "fields"), [
    ({"amount_minor": 0}, ["/amount_minor"]), ({"amount_minor": "5"}, ["/amount_minor"]),
    ({"amount_minor": 10**16}, ["/amount_minor"]), ({"customer": "cus_none"}, ["/customer"]),
    ({"customer": ""}, ["/customer"]),
    ({"expires_on": "x"}, ["/expires_on"]), ({"expires_on": "2000-01-01"}, ["/expires_on"]), ({"extra": 1}, ["/extra"]),
    ({"memo": "x" * 2001}, ["/memo"]),
])  # fmt: skip
def test_what_cannot_be_topped_up_is_named(
    api: Program, house: Scope, kestrel: Customer, wish: dict[str, Any], fields: list[str]
) -> None:
    before = written(house)
    refused = api("POST", "/top_ups", {"customer": kestrel.public_id, "amount_minor": 100, **wish})
    assert (refused.status_code, pointers(refused)) == (422, fields)
    assert written(house) == before


def test_the_same_key_tops_up_once(api: Program, kestrel: Customer) -> None:
    body = {
        "customer": kestrel.public_id,
        "amount_minor": 100,
        "expires_on": str(today() + timedelta(days=1)),
    }
    said = [api("POST", "/top_ups", body, Idempotency_Key="once") for _ in range(2)]
    assert [each.status_code for each in said] == [201, 201]
    assert said[0].content == said[1].content
    assert len(api.get("/top_ups")["data"]) == 1


def test_a_top_up_of_another_house_is_not_there(api: Program, house: Scope) -> None:
    for path in ("/top_ups/topup_none", "/top_ups/topup_none/moves"):
        assert api("GET", path).status_code == 404

"""Deposits by API: of a customer, a plan and an invoice; what is due when; how a customer pays."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from core.scope import Scope, enter, work
from customers.models import Customer
from tests import factories
from tests.db.api.conftest import Program, pointers, said, same_refusal, statements
from tests.db.api.invoices import today
from tests.db.api.test_products import priced

pytestmark = pytest.mark.usefixtures("judged")
LINE = {"description": "Consulting", "unit_price": "100.00", "tax_percent": "0"}


def issued(api: Program, customer: str, **given: object) -> dict[str, object]:
    made = api.post("/invoices", {"customer": customer, "lines": [LINE], "terms_days": 30, **given}, 201)
    done: dict[str, object] = api.post(f"/invoices/{made['id']}/issue", {})
    return done


def test_an_invoice_has_its_customers_deposit_and_says_what_is_due_when(
    api: Program, kestrel: Customer
) -> None:
    path = f"/customers/{kestrel.public_id}"
    assert api.get(path)["deposit_percent"] is None
    assert said(api("PATCH", path, {"deposit_percent": 30}))["deposit_percent"] == 30
    made = issued(api, kestrel.public_id)
    assert (made["deposit_percent"], made["deposit_minor"]) == (30, 3_000)
    assert made["due_on"] == str(today() + timedelta(days=30))
    (item,) = api.get(f"/open_items?customer={kestrel.public_id}")["data"]
    assert (item["due_on"], item["later_minor"], item["later_due_on"]) == (
        str(today()),
        7_000,
        made["due_on"],
    )
    paid = {
        "customer": kestrel.public_id, "amount_minor": 3_000, "currency": "EUR", "received_on": str(today()),
        "method": "cash",
    }  # fmt: skip
    api.post("/payments", paid, 201)
    (item,) = api.get(f"/open_items?customer={kestrel.public_id}&only_open=true&side=debit")["data"]
    assert (item["due_on"], item["later_minor"], item["open_minor"]) == (made["due_on"], 0, 7_000)
    assert issued(api, kestrel.public_id, deposit_percent=0)["deposit_minor"] == 0
    assert said(api("PATCH", path, {"deposit_percent": None}))["deposit_percent"] is None
    assert issued(api, kestrel.public_id)["deposit_percent"] == 0


def test_a_plan_asks_for_a_deposit_and_the_upcoming_invoice_says_so(api: Program, kestrel: Customer) -> None:
    price = priced(api, "pro", "29", tax_percent="0")
    for _ in range(2):
        plan = said(api("PATCH", "/plans/pro", {"deposit_percent": 50}))
        assert (plan["deposit_percent"], plan["product"], plan["version"]) == (50, None, 2)
    wish = {"customer": kestrel.public_id, "price": price, "starts_on": str(today())}
    sub = api.post("/subscriptions", wish, 201)
    coming = api.get(f"/subscriptions/{sub['id']}/upcoming")
    assert (coming["total_minor"], coming["deposit_minor"]) == (2_900, 1_450)


@pytest.mark.parametrize("percent", [-1, 101, "x", 1.5, [], True])
def test_what_is_no_percentage_is_refused_by_its_field(
    api: Program, kestrel: Customer, percent: object
) -> None:
    priced(api, "pro", "29")
    for method, path, body in (
        ("PATCH", f"/customers/{kestrel.public_id}", {}),
        ("PATCH", "/plans/pro", {}),
        ("POST", "/invoices", {"customer": kestrel.public_id, "lines": [LINE]}),
    ):
        answer = api(method, path, {**body, "deposit_percent": percent})
        assert (answer.status_code, pointers(answer)) == (422, ["/deposit_percent"])


def test_how_a_customer_pays_with_the_evidence(api: Program, house: Scope, kestrel: Customer) -> None:
    path = f"/customers/{kestrel.public_id}/payment_habits"
    nothing = api.get(path)
    few = statements(api, path)
    assert (nothing["invoice_count"], nothing["advised_deposit_percent"], nothing["late"]) == (0, 0, [])
    with enter(house), work():
        on = today() - timedelta(days=60)
        for late in (0, 20, 40, 3):
            document = factories.invoice(kestrel, ("1", "100.00"), tax="0", on=on)
            factories.pay(document, on=on + timedelta(days=14 + late))
    found = api.get(path)
    assert (found["invoice_count"], found["late_count"], found["average_days_late"]) == (4, 2, 30)
    assert found["advised_deposit_percent"] == 50
    assert [(each["days_late"], each["total_minor"]) for each in found["late"]] == [
        (40, 10_000),
        (20, 10_000),
    ]
    assert found["late"][0]["source"].startswith("doc_")
    assert statements(api, path) == few
    api("PATCH", f"/customers/{kestrel.public_id}", {"deposit_percent": 0})
    assert api.get(path)["advised_deposit_percent"] == 0, "it was turned down"


def test_who_may_and_whose(api: Program, as_key: Callable[..., Program], kestrel: Customer) -> None:
    path = f"/customers/{kestrel.public_id}/payment_habits"
    weak = as_key("acorn", "ana@acorn.example", rights=["customers.view"])
    assert weak("GET", path).status_code == 403
    assert weak("PATCH", f"/customers/{kestrel.public_id}", {"deposit_percent": 10}).status_code == 403
    bea = as_key("birch", "bea@birch.example")
    same_refusal(bea, "GET", path, kestrel.public_id)

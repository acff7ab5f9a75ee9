"""Payments by API: recorded, put against what is owed, undone, taken back; every figure as the services have it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cashapp.models import Payment
from core.models import IdempotencyKey
from core.scope import Scope, enter, work
from customers.models import Customer
from invoicing.models import Document
from ledger.domain.entries import Purpose
from receivables.domain.items import Kind
from receivables.models import Allocation
from receivables.services.items import ItemDraft, open_items
from tenants.models import LegalEntity
from tests import factories
from tests.db.api.conftest import Program, pointers, said, same_refusal, statements

pytestmark = pytest.mark.usefixtures("books")
FULL = 11_900
"""What an invoice of the factory comes to."""


@contextmanager
def inside(house: Scope) -> Iterator[None]:
    with enter(house), work():
        yield


@pytest.fixture
def kestrel(house: Scope) -> Customer:
    """A customer with two invoices of 119.00, the second due later."""
    with inside(house):
        owner = factories.customer(name="Kestrel Freight")
        factories.invoice(owner)
        factories.invoice(owner)
    return owner


def documents(house: Scope) -> list[str]:
    with inside(house):
        return list(Document.objects.order_by("id").values_list("public_id", flat=True))


def body(owner: Customer, minor: int = 15_000, **given: Any) -> dict[str, Any]:
    return {
        "customer": owner.public_id,
        "amount_minor": minor,
        "currency": "EUR",
        "received_on": "2026-11-10",
        "method": "bank_transfer",
        **given,
    }


def counts(house: Scope) -> tuple[int, int]:
    with inside(house):
        return Payment.objects.count(), Allocation.objects.count()


def open_of(api: Program, owner: Customer) -> list[int]:
    found = api.get(f"/open_items?customer={owner.public_id}&side=debit")["data"]
    return [each["open_minor"] for each in reversed(found)]


def test_a_payment_from_its_record_to_its_reversal(api: Program, kestrel: Customer, house: Scope) -> None:
    made = api.post("/payments", body(kestrel, memo="Thanks"), 201)
    assert (made["amount_minor"], made["unapplied_minor"], made["state"]) == (15_000, 0, "applied")
    assert (made["provider"], made["memo"], made["customer"]) == ("manual", "Thanks", kestrel.public_id)
    assert [each["amount_minor"] for each in made["allocations"]] == [FULL, 3_100]
    assert [each["document"] for each in made["allocations"]] == documents(house)
    assert open_of(api, kestrel) == [0, FULL - 3_100]

    second = made["allocations"][1]["id"]
    undone = api.post(f"/allocations/{second}/undo", {"reason": "Not meant for it"})
    assert (undone["id"], undone["stands"]) == (second, False)
    seen = api.get(f"/payments/{made['id']}")
    assert (seen["unapplied_minor"], seen["state"]) == (3_100, "partly_applied")
    assert [(each["amount_minor"], each["reverses"]) for each in seen["allocations"]] == [
        (FULL, None),
        (3_100, None),
        (-3_100, second),
    ]
    again = api("POST", f"/allocations/{second}/undo", {"reason": "x"})
    assert (again.status_code, said(again)["code"]) == (409, "already_undone")

    parts = [{"item": documents(house)[1], "amount_minor": 1_000}]
    seen = api.post(f"/payments/{made['id']}/apply", {"parts": parts})
    assert seen["unapplied_minor"] == 2_100
    seen = api.post(f"/payments/{made['id']}/apply", {})
    assert (seen["unapplied_minor"], seen["state"]) == (0, "applied")
    assert open_of(api, kestrel) == [0, FULL - 3_100]
    nothing = api("POST", f"/payments/{made['id']}/apply", {})
    assert (nothing.status_code, said(nothing)["code"]) == (409, "nothing_to_apply")

    for _ in range(2):
        gone = api.post(
            f"/payments/{made['id']}/reverse", {"reason": "Returned by the bank", "on": "2026-11-20"}
        )
        assert (gone["state"], gone["unapplied_minor"]) == ("reversed", 0)
    assert open_of(api, kestrel)[:2] == [FULL, FULL]
    final = gone["allocations"][-1]
    assert final["final"]
    refused = api("POST", f"/allocations/{final['id']}/undo", {"reason": "x"})
    assert (refused.status_code, said(refused)["code"]) == (409, "final")
    assert api("POST", f"/payments/{made['id']}/apply", {}).status_code == 409


def test_money_goes_where_it_is_said(api: Program, kestrel: Customer, house: Scope) -> None:
    item = api.get(f"/open_items?customer={kestrel.public_id}")["data"][0]["id"]
    parts = [{"item": item, "amount_minor": 500}, {"item": documents(house)[0], "amount_minor": 700}]
    made = api.post("/payments", body(kestrel, parts=parts), 201)
    assert {each["item"] for each in made["allocations"]} >= {item}
    assert (made["unapplied_minor"], open_of(api, kestrel)) == (13_800, [FULL - 700, FULL - 500])
    unapplied = api.post("/payments", body(kestrel, parts=[]), 201)
    assert (unapplied["state"], unapplied["allocations"]) == ("unapplied", [])


def test_the_same_payment_twice_is_one_also_when_the_answer_is_no_longer_kept(
    api: Program, kestrel: Customer, house: Scope
) -> None:
    first = api.post("/payments", body(kestrel), 201, Idempotency_Key="one")
    again = api("POST", "/payments", body(kestrel), Idempotency_Key="one")
    assert said(again) == first
    assert again["Idempotent-Replayed"] == "true"
    with inside(house):
        IdempotencyKey.objects.all().delete()
    assert api.post("/payments", body(kestrel), 201, Idempotency_Key="one")["id"] == first["id"]
    with inside(house):
        IdempotencyKey.objects.all().delete()
    other = api("POST", "/payments", body(kestrel, 1), Idempotency_Key="one")
    assert (other.status_code, said(other)["code"]) == (422, "key_reused")
    assert counts(house) == (1, 2)
    api.post("/payments", body(kestrel), 201)
    assert counts(house)[0] == 2


def test_two_callers_with_the_same_key_have_a_payment_each(
    api: Program, as_key: Callable[..., Program], kestrel: Customer, house: Scope
) -> None:
    other = as_key("acorn", "ben@acorn.example")
    made = {
        caller.post("/payments", body(kestrel, 100), 201, Idempotency_Key="one")["id"]
        for caller in (api, other)
    }
    assert len(made) == counts(house)[0] == 2


@pytest.mark.parametrize("named", [True, False], ids=["named", "oldest"])
def test_applying_twice_under_one_key_is_done_once(
    api: Program, kestrel: Customer, house: Scope, named: bool
) -> None:
    made = api.post("/payments", body(kestrel, 30_000, parts=[]), 201)
    given = {"parts": [{"item": documents(house)[0], "amount_minor": FULL}]} if named else {}
    for _ in range(2):
        seen = api.post(f"/payments/{made['id']}/apply", given, Idempotency_Key="one")
        assert len(seen["allocations"]) == (1 if named else 2)
        with inside(house):
            IdempotencyKey.objects.all().delete()
    with inside(house):
        factories.invoice(Customer.objects.get(pk=kestrel.pk))
    seen = api.post(f"/payments/{made['id']}/apply", given, Idempotency_Key="one")
    assert len(seen["allocations"]) == (1 if named else 2)


def test_the_oldest_is_of_the_legal_entity_that_was_paid(
    api: Program, kestrel: Customer, house: Scope
) -> None:
    """What the customer owes to a sister company is not paid by it, though it is due first."""
    with inside(house):
        sister = LegalEntity.objects.create(
            name="Acorn Ltd", country="GB", currency="GBP", zone="UTC", code="uk", terms_days=14
        )
        open_items(
            [
                ItemDraft(
                    kind=Kind.OPENING,
                    customer_id=kestrel.pk,
                    entity_id=sister.pk,
                    label="UK-1",
                    source="src_sister",
                    currency="EUR",
                    effective_on=factories.DAY,
                    posted_on=factories.DAY,
                    due_on=factories.DAY,
                    against=((Purpose.OPENING, 5_000),),
                )
            ]
        )
    made = api.post("/payments", body(kestrel, FULL), 201)
    assert [each["amount_minor"] for each in made["allocations"]] == [FULL]


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        ("customer", "cus_none", "/customer"),
        ("customer", "\0", "/customer"),
        ("amount_minor", 0, "/amount_minor"),
        ("amount_minor", -1, "/amount_minor"),
        ("amount_minor", 10**15 + 1, "/amount_minor"),
        ("amount_minor", 10**40, "/amount_minor"),
        ("amount_minor", 1.0, "/amount_minor"),
        ("amount_minor", "100", "/amount_minor"),
        ("currency", "eur", "/currency"),
        ("currency", None, "/currency"),
        ("received_on", "2026-13-01", "/received_on"),
        ("received_on", "1900-01-01", "/received_on"),
        ("received_on", "2040-01-01", "/received_on"),
        ("method", "barter", "/method"),
        ("memo", "x" * 301, "/memo"),
        ("memo", "\0", "/memo"),
        ("parts", {}, "/parts"),
        ("parts", [{"item": "item_none", "amount_minor": 1}], "/parts/0/item"),
        ("parts", [{"item": "\0", "amount_minor": 1}], "/parts/0/item"),
        ("parts", [{"item": "item_none", "amount_minor": 0}], "/parts/0/amount_minor"),
        ("parts", [{"item": "item_none"}], "/parts/0/amount_minor"),
        ("parts", [{"item": "item_none", "amount_minor": 1, "x": 1}], "/parts/0/x"),
        ("parts", [{"item": "item_none", "amount_minor": 1}] * 501, "/parts"),
        ("surprise", 1, "/surprise"),
    ],
)
def test_what_cannot_be_recorded_is_named_at_its_field(
    api: Program, kestrel: Customer, house: Scope, field: str, value: Any, pointer: str
) -> None:
    answer = api("POST", "/payments", body(kestrel, **{field: value}))
    assert answer.status_code == 422
    assert pointers(answer)[0] == pointer
    assert counts(house) == (0, 0)


def test_the_largest_amount_is_taken(api: Program, kestrel: Customer) -> None:
    made = api.post("/payments", body(kestrel, 10**15), 201)
    assert made["unapplied_minor"] == 10**15 - 2 * FULL


def test_no_more_is_put_than_there_is(api: Program, kestrel: Customer, house: Scope) -> None:
    first, second = documents(house)
    over_item = api("POST", "/payments", body(kestrel, parts=[{"item": first, "amount_minor": FULL + 1}]))
    assert (over_item.status_code, said(over_item)["code"]) == (409, "more_than_open")
    parts = [{"item": first, "amount_minor": FULL}, {"item": second, "amount_minor": FULL}]
    over_money = api("POST", "/payments", body(kestrel, parts=parts))
    assert (over_money.status_code, pointers(over_money)) == (422, ["/parts"])
    twice = api("POST", "/payments", body(kestrel, parts=[parts[0], parts[0]]))
    assert (twice.status_code, pointers(twice)) == (422, ["/parts/1/item"])
    other = api("POST", "/payments", body(kestrel, currency="USD", parts=parts[:1]))
    assert (other.status_code, pointers(other)) == (422, ["/parts/0/item"])
    assert counts(house) == (0, 0)
    api.post("/payments", body(kestrel, FULL, parts=parts[:1]), 201)
    settled = api("POST", "/payments", body(kestrel, FULL, parts=parts[:1]))
    assert (settled.status_code, pointers(settled)) == (422, ["/parts"])
    assert counts(house) == (1, 1)


def test_another_customers_invoice_is_not_paid(api: Program, kestrel: Customer, house: Scope) -> None:
    with inside(house):
        other = factories.invoice(factories.customer()).public_id
    answer = api("POST", "/payments", body(kestrel, parts=[{"item": other, "amount_minor": 1}]))
    assert (answer.status_code, pointers(answer)) == (422, ["/parts/0/item"])
    assert counts(house) == (0, 0)


def test_taking_back_needs_a_reason_and_a_day_near(api: Program, kestrel: Customer, house: Scope) -> None:
    made = api.post("/payments", body(kestrel), 201)
    allocation = made["allocations"][0]["id"]
    before = counts(house)
    for path in (f"/payments/{made['id']}/reverse", f"/allocations/{allocation}/undo"):
        for given, pointer in (
            ({}, "/reason"),
            ({"reason": " "}, "/reason"),
            ({"reason": "x", "on": "2050-01-01"}, "/on"),
            ({"reason": "x", "on": "9999-12-31"}, "/on"),
        ):
            answer = api("POST", path, given)
            assert (answer.status_code, pointers(answer)) == (422, [pointer])
    assert counts(house) == before


@pytest.mark.parametrize(
    "allocation", ["alloc_0", "alloc_-1", "alloc_1e3", "alloc_" + "9" * 30, "pay_1", "alloc_77777"]
)
def test_an_allocation_that_is_none_is_not_here(api: Program, allocation: str) -> None:
    assert api("POST", f"/allocations/{allocation}/undo", {"reason": "x"}).status_code == 404


def test_another_organizations_payment_is_nobodys(
    api: Program, as_key: Callable[..., Program], kestrel: Customer, house: Scope
) -> None:
    made = api.post("/payments", body(kestrel), 201)
    allocation, before = made["allocations"][0]["id"], counts(house)
    bea = as_key("birch", "bea@birch.example")
    for method, path, given in (
        ("GET", f"/payments/{made['id']}", None),
        ("POST", f"/payments/{made['id']}/apply", {}),
        ("POST", f"/payments/{made['id']}/reverse", {"reason": "x"}),
    ):
        same_refusal(bea, method, path, made["id"], given)
    same_refusal(bea, "POST", f"/allocations/{allocation}/undo", allocation, {"reason": "x"})
    stolen = bea("POST", "/payments", body(kestrel))
    assert (stolen.status_code, pointers(stolen)) == (422, ["/customer"])
    assert bea.get("/payments")["data"] == []
    assert bea.get(f"/payments?customer={kestrel.public_id}")["data"] == []
    assert counts(house) == before


def test_a_restricted_key_changes_nothing(
    api: Program, as_key: Callable[..., Program], kestrel: Customer, house: Scope
) -> None:
    made = api.post("/payments", body(kestrel), 201)
    before = counts(house)
    reader = as_key("acorn", "ana@acorn.example", rights=["payments.view"])
    assert reader.get(f"/payments/{made['id']}")["id"] == made["id"]
    for path, given in (
        ("/payments", body(kestrel)),
        (f"/payments/{made['id']}/apply", {}),
        (f"/payments/{made['id']}/reverse", {"reason": "x"}),
        (f"/allocations/{made['allocations'][0]['id']}/undo", {"reason": "x"}),
    ):
        assert reader("POST", path, given).status_code == 403
    assert (
        as_key("acorn", "ana@acorn.example", rights=["customers.view"])("GET", "/payments").status_code == 403
    )
    assert counts(house) == before


def test_payments_are_found_and_listed_in_a_constant_number_of_statements(
    api: Program, kestrel: Customer, house: Scope
) -> None:
    with inside(house):
        other = factories.customer()
        factories.payment(other, 100)
    few = statements(api, "/payments?limit=100&expand[]=customer")
    with inside(house):
        for n in range(20):
            factories.payment(factories.customer(parent_id=kestrel.pk), 100 + n)
    api.post("/payments", body(kestrel, received_on="2026-11-12", method="check"), 201)
    assert statements(api, "/payments?limit=100&expand[]=customer") <= few
    assert len(api.get("/payments?limit=100")["data"]) == 22
    for query, expected in (
        (f"customer={other.public_id}", 1),
        ("customer=cus_none", 0),
        ("method=check", 1),
        ("currency=USD", 0),
        ("received_from=2026-11-11", 1),
        ("received_to=2026-11-11&limit=100", 21),
    ):
        assert len(api.get(f"/payments?{query}")["data"]) == expected
    assert api("GET", "/payments?received_from=soon").status_code == 422
    whole = api.get(f"/payments?customer={kestrel.public_id}&expand[]=customer")["data"][0]
    assert (whole["customer"]["name"], whole["state"]) == ("Kestrel Freight", "applied")

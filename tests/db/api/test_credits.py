"""Credit notes as money by API: what is open of one is put against other invoices, once, and taken back."""

from collections.abc import Callable
from typing import Any

import pytest

from core.models import IdempotencyKey
from core.scope import Scope, enter, work
from customers.models import Customer
from receivables.models import Allocation
from tests import factories
from tests.db.api.conftest import Program, pointers, said, same_refusal
from tests.db.api.invoices import issued, today

pytestmark = pytest.mark.usefixtures("books")


@pytest.fixture
def free(api: Program, kestrel: Customer) -> Any:
    """A credit note over an invoice that was paid: all of it is open."""
    paid = issued(api, kestrel)
    api.post(
        "/payments",
        {
            "customer": kestrel.public_id,
            "amount_minor": paid["total_minor"],
            "currency": "EUR",
            "received_on": str(today()),
            "method": "bank_transfer",
            "parts": [{"item": paid["id"], "amount_minor": paid["total_minor"]}],
        },
        201,
    )
    return api.post(f"/invoices/{paid['id']}/credit", {"reason": "all of it"}, 201)


def allocations(house: Scope) -> int:
    with enter(house), work():
        return Allocation.objects.count()


def part(document: Any, minor: int) -> dict[str, Any]:
    return {"parts": [{"item": document["id"], "amount_minor": minor}]}


def test_a_credit_is_applied_once_and_taken_back(
    api: Program, house: Scope, kestrel: Customer, free: Any
) -> None:
    owed, path = issued(api, kestrel), f"/credits/{free['id']}"
    before = api.get(path)
    assert (before["open_minor"], before["allocations"]) == (before["total_minor"], [])
    for _ in range(3):
        applied = api.post(f"{path}/apply", part(owed, 1_000), Idempotency_Key="one")
        with enter(house), work():
            IdempotencyKey.objects.filter(status=200).delete()  # also when the answer is no longer kept
    assert before["open_minor"] - applied["open_minor"] == 1_000
    assert [each["document"] for each in applied["allocations"]] == [owed["id"]]
    assert api.get(f"/invoices/{owed['id']}")["open_minor"] == owed["total_minor"] - 1_000
    undone = api.post(f"/allocations/{applied['allocations'][0]['id']}/undo", {"reason": "another invoice"})
    assert not undone["stands"]
    assert api.get(path)["open_minor"] == before["open_minor"]
    assert api.get(f"/invoices/{owed['id']}")["open_minor"] == owed["total_minor"]


def test_what_cannot_be_applied_is_named(api: Program, house: Scope, kestrel: Customer, free: Any) -> None:
    owed, path = issued(api, kestrel), f"/credits/{free['id']}/apply"
    with enter(house), work():
        foreign = factories.invoice(factories.customer(name="Heron")).public_id
    there = allocations(house)
    for body, field in (
        ({}, "/parts"),
        ({"parts": []}, "/parts"),
        (part(owed, 0), "/parts/0/amount_minor"),
        (part(owed, 10**16), "/parts/0/amount_minor"),
        (part(owed, True), "/parts/0/amount_minor"),
        (part({"id": foreign}, 1), "/parts/0/item"),
        ({"parts": part(owed, 1)["parts"] * 2}, "/parts/1/item"),
        ({**part(owed, 1), "on": "2026-11-02"}, "/on"),
    ):
        refused = api("POST", path, body)
        assert (refused.status_code, pointers(refused)) == (422, [field]), body
    for minor in (owed["total_minor"] + 1, free["total_minor"] + 1):
        assert api("POST", path, part(owed, minor)).status_code in {409, 422}
    assert allocations(house) == there


def test_only_a_credit_note_is_a_credit(api: Program, kestrel: Customer, free: Any) -> None:
    owed = issued(api, kestrel)
    for public_id in (owed["id"], "doc_01J00000000000000000000000"):
        assert said(api("GET", f"/credits/{public_id}"))["code"] == "not_found"
        assert api("POST", f"/credits/{public_id}/apply", part(owed, 1)).status_code == 404


def test_a_credit_is_applied_by_who_may_and_there_is_none_of_others(
    as_key: Callable[..., Program], api: Program, house: Scope, kestrel: Customer, free: Any
) -> None:
    owed, path = issued(api, kestrel), f"/credits/{free['id']}"
    there = allocations(house)
    reader = as_key("acorn", "ana@acorn.example", rights=["payments.view"])
    assert reader("GET", path).status_code == 200
    assert reader("POST", f"{path}/apply", part(owed, 1)).status_code == 403
    assert as_key("acorn", "ana@acorn.example", rights=["invoices.view"])("GET", path).status_code == 403
    bea = as_key("birch", "bea@birch.example")
    same_refusal(bea, "GET", path, free["id"])
    same_refusal(bea, "POST", f"{path}/apply", free["id"], part(owed, 1))
    assert allocations(house) == there

"""What is decided about bank lines over the API: proposals booked, said, set aside, and what cannot be."""

# ruff: noqa: F811 - fixtures come from the module beside this one

import pytest

from core.scope import Scope
from customers.models import Customer
from tests import factories
from tests.db.api.conftest import Program, pointers, said
from tests.db.api.test_bank_lines import FULL, doubtful, inside, items, kestrel, payments, sent, told  # noqa: F401

pytestmark = pytest.mark.usefixtures("books")


def test_a_proposal_is_booked_by_its_id(api: Program, doubtful: str, house: Scope) -> None:
    seen = api.get(f"/bank_lines/{doubtful}")
    assert seen["state"] == "open"
    assert len(seen["proposals"]) >= 2
    best, other = seen["proposals"][:2]
    assert best["reasons"]
    assert all(each["code"] and each["text"] for each in best["reasons"])
    assert best["id"] != other["id"]
    assert api.get(f"/bank_lines/{doubtful}")["proposals"] == seen["proposals"]
    booked = api.post(f"/bank_lines/{doubtful}/book", {"proposal": other["id"]})
    assert (booked["state"], booked["proposals"]) == ("booked", [])
    payment = api.get(f"/payments/{booked['payment']}")
    assert [(each["item"], each["amount_minor"]) for each in payment["allocations"]] == [
        (each["item"], each["amount_minor"]) for each in other["parts"]
    ]
    gone = api("POST", f"/bank_lines/{doubtful}/book", {"proposal": other["id"]})
    assert (gone.status_code, said(gone)["code"]) == (409, "proposal_gone")
    assert payments(house) == 1


def test_what_can_be_done_no_more_is_not_proposed(
    api: Program, doubtful: str, kestrel: Customer, house: Scope
) -> None:
    proposal = api.get(f"/bank_lines/{doubtful}")["proposals"][0]
    with inside(house):
        factories.payment(kestrel, 1)
    item = proposal["parts"][0]
    made = {
        "customer": kestrel.public_id,
        "amount_minor": 1,
        "currency": "EUR",
        "received_on": "2026-11-10",
        "method": "cash",
        "parts": [{"item": item["item"], "amount_minor": 1}],
    }
    api.post("/payments", made, 201)
    answer = api("POST", f"/bank_lines/{doubtful}/book", {"proposal": proposal["id"]})
    assert (answer.status_code, said(answer)["code"]) == (409, "proposal_gone")
    assert api.get(f"/bank_lines/{doubtful}")["state"] == "open"


def test_a_line_is_booked_as_said_and_again_changes_nothing(
    api: Program, doubtful: str, kestrel: Customer, house: Scope
) -> None:
    path, (first, second) = f"/bank_lines/{doubtful}/book", items(house)
    decision = {
        "customer": kestrel.public_id,
        "parts": [{"item": first, "amount_minor": 5_000}, {"item": second, "amount_minor": 900}],
    }
    booked = api.post(path, decision)
    payment = api.get(f"/payments/{booked['payment']}")
    assert (payment["state"], payment["unapplied_minor"]) == ("partly_applied", 6_000)
    assert api.post(path, decision)["payment"] == booked["payment"]
    other = api("POST", path, {"customer": kestrel.public_id})
    assert (other.status_code, said(other)["code"]) == (422, "key_reused")
    assert payments(house) == 1
    api.post(f"/payments/{booked['payment']}/reverse", {"reason": "Not theirs"})
    assert api.get(f"/bank_lines/{doubtful}")["state"] == "open"


def test_money_may_stay_unapplied(api: Program, doubtful: str, kestrel: Customer) -> None:
    booked = api.post(f"/bank_lines/{doubtful}/book", {"customer": kestrel.public_id})
    assert api.get(f"/payments/{booked['payment']}")["unapplied_minor"] == FULL


def test_a_decision_that_cannot_be_is_named_at_its_field(
    api: Program, doubtful: str, kestrel: Customer, house: Scope
) -> None:
    first, second = items(house)
    proposal = api.get(f"/bank_lines/{doubtful}")["proposals"][0]["id"]
    mine = kestrel.public_id
    part = {"item": first, "amount_minor": FULL}
    for given, status, pointer in (
        ({}, 422, "/customer"),
        ({"customer": mine, "proposal": proposal}, 422, "/customer"),
        ({"proposal": proposal, "parts": [part]}, 422, "/parts"),
        ({"customer": "cus_none"}, 422, "/customer"),
        ({"customer": mine, "parts": [{"item": "item_none", "amount_minor": 1}]}, 422, "/parts/0/item"),
        ({"customer": mine, "parts": [{**part, "amount_minor": 10**16}]}, 422, "/parts/0/amount_minor"),
        ({"customer": mine, "parts": [part, {"item": second, "amount_minor": 1}]}, 422, "/parts"),
        ({"proposal": "offer_none"}, 409, ""),
    ):
        answer = api("POST", f"/bank_lines/{doubtful}/book", given)
        assert answer.status_code == status
        assert pointers(answer)[:1] == ([pointer] if pointer else [])
    with inside(house):
        other = factories.invoice(factories.customer()).public_id
    answer = api(
        "POST",
        f"/bank_lines/{doubtful}/book",
        {"customer": mine, "parts": [{"item": other, "amount_minor": 1}]},
    )
    assert (answer.status_code, pointers(answer)) == (422, ["/parts/0/item"])
    stale = api("POST", f"/bank_lines/{doubtful}/book", {"customer": mine}, If_Match='"77"')
    assert stale.status_code == 412
    assert payments(house) == 0


def test_more_than_an_item_holds_is_refused(api: Program, kestrel: Customer, house: Scope) -> None:
    line = sent(api, told(2 * FULL))["data"][0]["bank_line"]
    parts = [{"item": items(house)[0], "amount_minor": FULL + 1}]
    answer = api("POST", f"/bank_lines/{line}/book", {"customer": kestrel.public_id, "parts": parts})
    assert (answer.status_code, said(answer)["code"]) == (409, "more_than_open")
    assert (payments(house), api.get(f"/bank_lines/{line}")["state"]) == (0, "open")


def test_a_line_is_set_aside_and_brought_back(api: Program, doubtful: str, kestrel: Customer) -> None:
    assert pointers(api("POST", f"/bank_lines/{doubtful}/aside", {})) == ["/reason"]
    for _ in range(2):
        assert api.post(f"/bank_lines/{doubtful}/aside", {"reason": "Interest"})["state"] == "aside"
    refused = api("POST", f"/bank_lines/{doubtful}/book", {"customer": kestrel.public_id})
    assert (refused.status_code, said(refused)["code"]) == (409, "stale")
    for _ in range(2):
        assert api.post(f"/bank_lines/{doubtful}/back")["state"] == "open"
    api.post(f"/bank_lines/{doubtful}/book", {"customer": kestrel.public_id})
    assert api("POST", f"/bank_lines/{doubtful}/aside", {"reason": "x"}).status_code == 409

"""Kept cards by API: seen with what was agreed to, removed once, and nobody else's."""

from datetime import date

import pytest

from core.scope import Scope, enter, work
from customers.domain.cards import Card
from customers.models import Customer, PaymentMethod
from customers.services.methods import card_url, keep, remove
from tests import factories
from tests.cast import CANARY
from tests.db.api.conftest import Program, pointers, said, same_refusal
from tests.db.api.test_products import priced


def card(house: Scope, owner: Customer, last4: str = "4242") -> PaymentMethod:
    with enter(house), work():
        return keep(
            owner.public_id,
            gateway="sandbox",
            card=Card(f"secret_{last4}", "Visa", last4, date(2029, 12, 31)),
            consent="Charge it.",
        )


@pytest.fixture
def owner(house: Scope) -> Customer:
    with enter(house), work():
        return factories.customer(name="Palo Verde")


def test_cards_are_listed_with_what_was_agreed_to_and_without_the_token(
    api: Program, house: Scope, owner: Customer
) -> None:
    first, second = card(house, owner), card(house, owner, "0341")
    with enter(house), work():
        other = factories.customer(name="Other")
    card(house, other, "9999")
    found = api.get(f"/payment_methods?customer={owner.public_id}")["data"]
    assert [(each["id"], each["last4"], each["live"]) for each in found] == [
        (second.public_id, "0341", True), (first.public_id, "4242", False),
    ]  # fmt: skip
    assert found[0]["customer"] == owner.public_id
    assert (found[0]["expires_on"], found[0]["consent"]) == ("2029-12-31", "Charge it.")
    assert "secret_" not in str(found)
    assert len(api.get("/payment_methods")["data"]) == 3


def test_a_new_subscription_follows_the_card_and_a_program_turns_it(
    api: Program, house: Scope, owner: Customer
) -> None:
    card(house, owner)
    wish = {"customer": owner.public_id, "price": priced(api, "pro", "29"), "starts_on": "2026-11-01"}
    made = api.post("/subscriptions", wish, 201)
    assert made["autopay"] is True
    assert api.post("/subscriptions", {**wish, "autopay": False}, 201)["autopay"] is False
    path = f"/subscriptions/{made['id']}"
    for _ in range(2):
        turned = said(api("PATCH", path, {"autopay": False}))
        assert (turned["autopay"], turned["version"]) == (False, made["version"] + 1)
    answer = api("PATCH", path, {"autopay": "no"})
    assert (answer.status_code, pointers(answer)) == (422, ["/autopay"])


def test_a_card_is_removed_once(api: Program, house: Scope, owner: Customer) -> None:
    row = card(house, owner)
    for _ in range(2):
        gone = said(api("DELETE", f"/payment_methods/{row.public_id}"))
        assert (gone["live"], gone["version"]) == (False, 2)
    assert api.get(f"/payment_methods/{row.public_id}")["removed_at"]


def test_the_link_is_the_one_in_mails_and_on_the_page(api: Program, house: Scope, owner: Customer) -> None:
    for _ in range(2):
        given = said(api("POST", f"/customers/{owner.public_id}/card_link"))
        with enter(house), work():
            assert given["url"] == card_url(owner)


def test_another_organizations_cards_are_nobodys(api: Program, birch: Scope) -> None:
    with enter(birch), work():
        theirs = factories.customer(name=CANARY)
    row = card(birch, theirs)
    for method in ("GET", "DELETE"):
        same_refusal(api, method, f"/payment_methods/{row.public_id}", row.public_id)
    same_refusal(api, "POST", f"/customers/{theirs.public_id}/card_link", theirs.public_id)
    assert api.get(f"/payment_methods?customer={theirs.public_id}")["data"] == []
    with enter(birch), work():
        assert PaymentMethod.objects.get().live
        assert not remove(row.public_id).live


@pytest.mark.parametrize("query", ["customer=%00", "customer=", "live=1"])
def test_what_is_asked_for_wrongly_is_named(api: Program, query: str) -> None:
    assert api("GET", f"/payment_methods?{query}").status_code == 422

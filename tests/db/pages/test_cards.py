"""Members see which card a customer keeps, give the link to it, and remove it, as far as they may."""

from collections.abc import Callable
from datetime import date

import pytest
from django.test import Client

from core.scope import Scope, enter, work
from customers.domain.cards import Card
from customers.models import Customer, PaymentMethod
from customers.services.methods import card_url, keep
from tests import factories


@pytest.fixture
def card(house: Scope, kestrel: Customer) -> PaymentMethod:
    with enter(house), work():
        return keep(
            kestrel.public_id,
            gateway="sandbox",
            card=Card("secret_token", "Visa", "4242", date(2029, 12, 31)),
            consent="Charge it by itself.",
        )


def at(customer: Customer, rest: str = "") -> str:
    return f"/o/acorn/customers/{customer.public_id}/{rest}"


def live(house: Scope) -> int:
    with enter(house), work():
        return PaymentMethod.objects.filter(removed_at=None).count()


def test_a_customers_page_shows_the_card_and_what_was_agreed_to(
    ana: Client, kestrel: Customer, card: PaymentMethod
) -> None:
    shown = ana.get(at(kestrel)).content.decode()
    for words in ("Visa •••• 4242", "31 Dec 2029", "Charge it by itself."):
        assert words in shown
    assert "secret_token" not in shown


def test_without_a_card_it_says_so(ana: Client, kestrel: Customer) -> None:
    assert "None is kept" in ana.get(at(kestrel)).content.decode()


def test_the_link_is_given_and_the_same_each_time(ana: Client, house: Scope, kestrel: Customer) -> None:
    for _ in range(2):
        shown = ana.post(at(kestrel, "card/")).content.decode()
        with enter(house), work():
            assert card_url(kestrel) in shown


def test_it_is_removed_and_again_changes_nothing(
    ana: Client, house: Scope, kestrel: Customer, card: PaymentMethod
) -> None:
    for _ in range(2):
        answer = ana.post(at(kestrel, f"card/{card.public_id}/remove/"))
        assert answer.status_code == 302
    assert live(house) == 0
    with enter(house), work():
        assert PaymentMethod.objects.get().version == 2


def test_a_card_is_removed_on_its_own_customers_page_alone(
    ana: Client, house: Scope, card: PaymentMethod
) -> None:
    with enter(house), work():
        other = factories.customer(name="Other")
    assert ana.post(at(other, f"card/{card.public_id}/remove/")).status_code == 404
    assert live(house) == 1


def test_who_may_not_change_customers_sees_the_card_and_removes_nothing(
    client_of: Callable[[str], Client], house: Scope, kestrel: Customer, card: PaymentMethod
) -> None:
    vic = client_of("Vic")
    assert "Visa •••• 4242" in vic.get(at(kestrel)).content.decode()
    assert vic.post(at(kestrel, f"card/{card.public_id}/remove/")).status_code == 403
    assert vic.post(at(kestrel, "card/")).status_code == 403
    assert live(house) == 1


def test_another_organization_finds_neither(
    client_of: Callable[[str], Client], house: Scope, kestrel: Customer, card: PaymentMethod
) -> None:
    bea = client_of("Bea")
    for base in ("/o/acorn", "/o/birch"):
        for rest in ("card/", f"card/{card.public_id}/remove/"):
            answer = bea.post(f"{base}/customers/{kestrel.public_id}/{rest}")
            assert answer.status_code == 404
    assert live(house) == 1

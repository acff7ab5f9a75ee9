"""A customer keeps, replaces and removes a card by a link, and gets no further than their own."""

import re
from datetime import date

import pytest
from django.test import Client

from billing.services.self_service import own_url
from core.errors import NotFound
from core.models import AuditEntry, OutboxEvent
from core.scope import Scope, enter, work
from customers.domain.cards import Card
from customers.models import Customer, Link, PaymentMethod
from customers.services.methods import card_url, keep, live_methods
from tests import factories
from tests.cast import CANARY


@pytest.fixture
def owner(acorn: Scope) -> Customer:
    with work():
        return factories.customer(name="Kestrel", email="rita@kestrel.example")


def link_to(owner: Customer) -> str:
    with work():
        return "/" + card_url(owner).split("/", 3)[3]


def opened(customer: Client, owner: Customer) -> str:
    answer = customer.get(link_to(owner))
    assert answer.status_code == 302
    return str(answer["Location"])


def kept(owner: Customer) -> list[tuple[str, str, bool]]:
    """Every card there was, as (token up to its day, last digits, whether it is charged)."""
    with work():
        rows = PaymentMethod.objects.filter(customer=owner).order_by("id")
        return [(row.token.partition(".")[0], row.last4, row.live) for row in rows]


def shown_id(page: bytes) -> str:
    found = re.search(r'name="remove" value="([^"]+)"', page.decode())
    assert found
    return found.group(1)


def test_a_card_is_kept_replaced_and_removed(customer: Client, owner: Customer) -> None:
    address = opened(customer, owner)
    assert b"No card" in customer.get(address).content
    page = customer.post(address, {"method": "card_ok"}, follow=True).content.decode()
    assert "Visa •••• 4242" in page
    assert "Acorn Instruments charges this card" in page
    customer.post(address, {"method": "card_timeout"})
    assert kept(owner) == [("card_ok", "4242", False), ("card_timeout", "0077", True)]
    customer.post(address, {"remove": shown_id(customer.get(address).content)})
    assert [live for _token, _last4, live in kept(owner)] == [False, False]
    assert b"No card" in customer.get(address).content


def test_what_was_agreed_to_is_kept_word_by_word(customer: Client, owner: Customer) -> None:
    address = opened(customer, owner)
    words = "Acorn Instruments charges this card on the day an invoice of my subscriptions is due"
    assert words in customer.get(address).content.decode()
    customer.post(address, {"method": "card_ok"})
    with work():
        assert PaymentMethod.objects.get().consent.startswith(words)


def test_a_double_click_keeps_one_and_removes_once(customer: Client, owner: Customer) -> None:
    address = opened(customer, owner)
    for _ in range(3):
        assert customer.post(address, {"method": "card_ok"}).status_code == 302
    assert len(kept(owner)) == 1
    gone = shown_id(customer.get(address).content)
    for _ in range(3):
        assert customer.post(address, {"remove": gone}).status_code == 302
    with work():
        names = list(OutboxEvent.objects.values_list("name", flat=True))
    assert (names.count("payment_method.kept"), names.count("payment_method.removed")) == (1, 1)


def test_removing_the_card_of_an_older_page_leaves_the_one_that_took_its_place(
    customer: Client, owner: Customer
) -> None:
    address = opened(customer, owner)
    customer.post(address, {"method": "card_ok"})
    old = shown_id(customer.get(address).content)
    customer.post(address, {"method": "card_timeout"})
    assert customer.post(address, {"remove": old}).status_code == 302
    assert kept(owner)[-1] == ("card_timeout", "0077", True)


@pytest.mark.parametrize(
    ("method", "status", "says"),
    [
        ("card_declined", 422, "The card was declined."), ("card_down", 503, "does not answer"),
        ("", 422, "Choose a card."), ("4242424242424242", 422, "declined"), ("\x00", 422, "Choose a card."),
        ("x" * 500, 422, "Choose a card."), ("card_ok.2999-01-01", 422, "declined"),
    ],
)  # fmt: skip
def test_a_card_that_is_not_taken_is_said_and_nothing_kept(
    customer: Client, owner: Customer, method: str, status: int, says: str
) -> None:
    answer = customer.post(opened(customer, owner), {"method": method})
    assert answer.status_code == status
    assert says in answer.content.decode()
    assert kept(owner) == []


def test_a_refused_card_leaves_the_one_that_is_kept(customer: Client, owner: Customer) -> None:
    address = opened(customer, owner)
    customer.post(address, {"method": "card_ok"})
    customer.post(address, {"method": "card_declined"})
    assert kept(owner) == [("card_ok", "4242", True)]


def test_two_cards_in_one_form_keep_none(customer: Client, owner: Customer) -> None:
    assert customer.post(opened(customer, owner), {"method": ["card_ok", "card_old"]}).status_code == 400
    assert kept(owner) == []


@pytest.mark.parametrize("wanted", ["", "pm_x", "\x00", "<script>", "9" * 5000])
def test_what_is_not_there_is_not_removed(customer: Client, owner: Customer, wanted: str) -> None:
    address = opened(customer, owner)
    customer.post(address, {"method": "card_ok"})
    customer.post(address, {"remove": wanted, "method": "card_declined"})
    assert kept(owner) == [("card_ok", "4242", True)]


def test_a_neighbours_card_is_neither_seen_nor_removed(customer: Client, owner: Customer) -> None:
    with work():
        neighbour = factories.customer(name=f"Neighbour {CANARY}")
        theirs = keep(
            neighbour.public_id,
            gateway="sandbox",
            card=Card("t", "Visa", "9999", date(2030, 1, 31)),
            consent="Yes",
        )
    address = opened(customer, owner)
    assert b"9999" not in customer.get(address).content
    customer.post(address, {"remove": theirs.public_id})
    with work():
        assert live_methods([neighbour.pk])[neighbour.pk].pk == theirs.pk
    customer.cookies["card"]["path"] = "/"
    for answer in (
        customer.get(f"/card/c/{neighbour.public_id}/"),
        customer.post(f"/card/c/{neighbour.public_id}/", {"method": "card_ok"}),
    ):
        assert answer.status_code == 404
        assert CANARY.encode() not in answer.content
    assert len(kept(neighbour)) == 1


def test_without_or_with_another_organizations_link_there_is_nothing(
    customer: Client, owner: Customer, birch: Scope
) -> None:
    address = f"/card/c/{owner.public_id}/"
    assert customer.get(address).status_code == 404
    with enter(birch):
        with work():
            beas = factories.customer(name="Bea's")
        opened(customer, beas)
        with work(), pytest.raises(NotFound):
            keep(
                owner.public_id,
                gateway="sandbox",
                card=Card("t", "Visa", "1", date(2030, 1, 31)),
                consent="Yes",
            )
    customer.cookies["card"]["path"] = "/"
    for answer in (customer.get(address), customer.post(address, {"method": "card_ok"})):
        assert answer.status_code == 404
    assert kept(owner) == []


def test_links_of_other_purposes_do_not_open_it(customer: Client, owner: Customer) -> None:
    with work():
        sold = factories.subscription(owner, date(2026, 12, 1))
        own = own_url(sold).rstrip("/").rsplit("/", 1)[1]
    assert customer.get(f"/card/{own}/").status_code == 404
    card = link_to(owner).split("/")[2]
    assert customer.get(f"/subscription/{card}/").status_code == 404
    assert customer.get(f"/pay/{card}/").status_code == 404


def test_from_the_page_of_a_subscription_to_the_card_and_back_by_link(
    customer: Client, owner: Customer
) -> None:
    with work():
        sold = factories.subscription(owner, date(2026, 12, 1))
        own = "/" + own_url(sold).split("/", 3)[3]
    page = customer.get(own, follow=True)
    assert b"You pay each invoice yourself." in page.content
    there = customer.post(f"{page.request['PATH_INFO']}card/", follow=True)
    address = there.request["PATH_INFO"]
    assert address == f"/card/c/{owner.public_id}/"
    assert customer.get(f"/subscription/s/{sold.public_id}/card/").status_code == 405


def test_showing_it_writes_nothing(customer: Client, owner: Customer) -> None:
    address = opened(customer, owner)
    with work():
        before = (AuditEntry.objects.count(), OutboxEvent.objects.count(), Link.objects.count())
    for _ in range(2):
        assert customer.get(address).status_code == 200
    with work():
        assert (AuditEntry.objects.count(), OutboxEvent.objects.count(), Link.objects.count()) == before


def test_keeping_needs_the_forms_token(owner: Customer) -> None:
    customer = Client(enforce_csrf_checks=True)
    assert customer.post(opened(customer, owner), {"method": "card_ok"}).status_code == 403
    assert kept(owner) == []


def test_the_audit_names_the_link(customer: Client, owner: Customer) -> None:
    address = opened(customer, owner)
    customer.post(address, {"method": "card_ok"})
    customer.post(address, {"remove": shown_id(customer.get(address).content)})
    with work():
        row = PaymentMethod.objects.get()
        entry = AuditEntry.objects.filter(object_pk=str(row.pk)).order_by("-id").first()
    assert entry is not None
    assert entry.additional_data["actor"]["label"] == "link of a card"

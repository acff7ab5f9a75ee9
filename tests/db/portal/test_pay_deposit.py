"""The pay page of an invoice with a deposit: what is due now in two taps, or all of it, or a part."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from cashapp.models import SandboxCharge
from core import clock
from core.books import verify
from core.scope import Scope, work
from core.templatetags.fmt import longdate
from invoicing.models import Document
from receivables.models import OpenItem
from tests import factories
from tests.db.portal.test_pay import key_on, link_to


def days_ago(days: int) -> Document:
    """100.00, thirty of them at once, the rest fourteen days later."""
    with work():
        owner = factories.customer(email="rita@kestrel.example")
        on = clock.today(owner.entity.zone) - timedelta(days=days)
        return factories.invoice(owner, ("1", "100.00"), tax="0", deposit_percent=30, on=on)


@pytest.fixture
def invoice(acorn: Scope) -> Document:
    return days_ago(5)


@pytest.fixture
def payer() -> Client:
    return Client()


def pay(payer: Client, invoice: Document, key: str = "", **said: str) -> str:
    address = str(payer.get(link_to(invoice))["Location"])
    key = key or key_on(payer.get(address).content)
    answer = payer.post(address, {"key": key, "method": "card_ok", **said}, follow=True)
    return words(answer.content)


def words(page: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.decode()))


def charged() -> list[int]:
    with work():
        return list(SandboxCharge.objects.order_by("id").values_list("minor", flat=True))


def test_the_deposit_is_paid_and_then_the_rest(payer: Client, invoice: Document) -> None:
    first = words(payer.get(link_to(invoice), follow=True).content)
    assert "Pay EUR 30.00 now" in first
    assert "Pay all of EUR 100.00" in first
    assert f"EUR 30.00 of it was due {longdate(invoice.issued_on)}" in first
    assert f"The rest is due {longdate(invoice.due_on)}" in first
    then = pay(payer, invoice, now="30.00")
    assert f"Due {longdate(invoice.due_on)}" in then
    assert "Pay EUR 70.00 " in then
    assert "now" not in then
    assert "Nothing is open" in pay(payer, invoice)
    assert charged() == [3_000, 7_000]
    with work():
        assert verify() == []


@pytest.mark.parametrize(
    ("said", "minor"),
    [
        ({}, 10_000),
        ({"now": "30.00", "amount": "12.00"}, 1_200),
        ({"now": "30.00"}, 3_000),
    ],
)
def test_what_is_chosen_is_charged(
    payer: Client, invoice: Document, said: dict[str, str], minor: int
) -> None:
    pay(payer, invoice, **said)
    assert charged() == [minor]


def test_two_clicks_on_either_button_charge_once(payer: Client, invoice: Document) -> None:
    address = str(payer.get(link_to(invoice))["Location"])
    key = key_on(payer.get(address).content)
    for now in ("30.00", "30.00", ""):
        pay(payer, invoice, key, now=now)
    assert charged() == [3_000]
    with work():
        item = OpenItem.objects.get(source=invoice.public_id)
        assert (item.open_minor, item.reserved_minor) == (7_000, 0)


def test_what_the_button_said_is_charged_though_it_was_paid_meanwhile(
    payer: Client, invoice: Document
) -> None:
    address = str(payer.get(link_to(invoice))["Location"])
    key = key_on(payer.get(address).content)
    with work():
        factories.pay(invoice, minor=3_000)
    pay(payer, invoice, key, now="30.00")
    assert charged() == [3_000]


@pytest.mark.parametrize("now", ["x", "-3", "100.01", "1e9", "\x00"])
def test_nonsense_charges_nothing(payer: Client, invoice: Document, now: str) -> None:
    pay(payer, invoice, now=now)
    assert charged() == []


def test_when_the_rest_is_due_too_all_of_it_is_asked_for(payer: Client, acorn: Scope) -> None:
    shown = words(payer.get(link_to(days_ago(14)), follow=True).content)
    assert "Pay EUR 100.00" in shown
    assert "The rest" not in shown


def test_a_part_of_the_deposit_leaves_the_rest_of_it_due(payer: Client, invoice: Document) -> None:
    pay(payer, invoice, amount="10.00")
    assert "Pay EUR 20.00 now" in pay(payer, invoice, amount="-5")
    assert charged() == [1_000]

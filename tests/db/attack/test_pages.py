"""Odd input to the pages of money is refused in words, never with a 500."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from cashapp.models import SandboxCharge
from core.scope import Scope, work
from customers.models import Customer
from customers.services.links import PAY, token_for
from invoicing.mails import _letter
from invoicing.models import Document
from invoicing.selectors import view
from invoicing.services.addresses import pay_url
from invoicing.services.correct import void
from invoicing.services.credit import credit
from invoicing.sheets import sheet
from receivables.models import Allocation, OpenItem
from tenants.models import User
from tests import factories
from tests.factories import DAY


@pytest.fixture
def ana(acorn: Scope) -> Client:
    client = Client()
    client.force_login(User.objects.get(email="ana@acorn.example"))
    return client


@pytest.fixture
def owner(acorn: Scope) -> Customer:
    with work():
        return factories.customer(email="rita@kestrel.example")


@pytest.fixture
def invoice(owner: Customer) -> Document:
    with work():
        return factories.invoice(owner)


def address(name: str, *args: object) -> str:
    return reverse(name, args=["acorn", *args])


def opened(payer: Client, document: Document) -> str:
    with work():
        token = token_for(purpose=PAY, target=document.public_id, customer_id=document.customer_id)
    return str(payer.get(f"/pay/{token}/")["Location"])


def key_on(page: bytes) -> str:
    found = re.search(r'name="key" value="([^"]+)"', page.decode())
    assert found
    return found.group(1)


@pytest.mark.parametrize("method", ["", "x" * 300, "card\x00ok", "\ud7ff" * 100])
def test_a_method_of_nonsense_is_refused_in_words(invoice: Document, method: str) -> None:
    payer = Client()
    page = opened(payer, invoice)
    answer = payer.post(page, {"key": key_on(payer.get(page).content), "method": method})
    assert 400 <= answer.status_code < 500
    with work():
        assert not SandboxCharge.objects.exists()


@pytest.mark.parametrize("amount", ["\x00", "9" * 4_000, "-1", "0", "1e5", "٣", "1,19", "119.00.00", "0.001"])
def test_an_amount_of_nonsense_is_refused_in_words(invoice: Document, amount: str) -> None:
    payer = Client()
    page = opened(payer, invoice)
    answer = payer.post(page, {"key": key_on(payer.get(page).content), "method": "card_ok", "amount": amount})
    assert 400 <= answer.status_code < 500


def test_one_form_for_two_invoices_is_refused(invoice: Document, owner: Customer) -> None:
    with work():
        other = factories.invoice(owner)
    payer = Client()
    first = opened(payer, invoice)
    key = key_on(payer.get(first).content)
    payer.post(first, {"key": key, "method": "card_ok"})
    second = opened(payer, other)
    assert payer.post(second, {"key": key, "method": "card_ok"}).status_code == 422


def test_part_then_decline_then_the_rest(invoice: Document) -> None:
    payer = Client()
    page = opened(payer, invoice)
    for method, amount in (("card_ok", "40"), ("card_declined", "50"), ("card_ok", "")):
        key = key_on(payer.get(page).content)
        assert payer.post(page, {"key": key, "method": method, "amount": amount}).status_code == 302
    with work():
        assert OpenItem.objects.get(source=invoice.public_id).open_minor == 0


@pytest.mark.parametrize("key", ["", "\x00", "a\x00b" * 30, "x" * 500])
def test_a_key_of_nonsense_applies_or_is_refused(
    ana: Client, owner: Customer, invoice: Document, key: str
) -> None:
    with work():
        payment = factories.payment(owner, 5_000)
        item = OpenItem.objects.get(source=invoice.public_id)
    answer = ana.post(
        address("payment-apply", payment.source), {"key": key, f"part-{item.public_id}": "10.00"}
    )
    assert answer.status_code < 500


def test_the_longest_memo_and_its_receipt(ana: Client, owner: Customer) -> None:
    new = address("payment-new", owner.public_id)
    said = {"amount": "60.00", "method": "check", "memo": "№" * 300, "received_on": "2026-11-20"}
    answer = ana.post(new, {**said, "key": key_on(ana.get(new).content)}, follow=True)
    assert answer.status_code == 200
    assert ana.get(address("payments")).status_code == 200


def test_a_void_is_not_undone_through_its_allocation(ana: Client, invoice: Document) -> None:
    with work():
        void(invoice.public_id, on=DAY, reason="mistake")
        row = Allocation.objects.latest("id")
    page = address("allocation-undo", row.pk)
    assert ana.get(page).status_code == 200
    answer = ana.post(page, {"reason": "changed my mind", "on": "2026-11-20"})
    assert answer.status_code == 409
    with work():
        assert OpenItem.objects.get(source=invoice.public_id).open_minor == 0


@pytest.fixture
def nothing(owner: Customer) -> Document:
    with work():
        return factories.invoice(owner, ("0", "14.50"))


def test_an_invoice_of_nothing_asks_for_no_money(ana: Client, nothing: Document) -> None:
    with work():
        shown = view(nothing.public_id)
        assert _letter(shown).pay_url == ""
        assert sheet(shown, pay_url="").total
        assert pay_url(nothing) == ""
    payer = Client()
    page = opened(payer, nothing)
    assert payer.get(page).status_code == 200
    assert (
        payer.post(page, {"key": "0" * 8 + "-0000" * 3 + "-" + "0" * 12, "method": "card_ok"}).status_code
        == 400
    )
    assert ana.get(address("invoice", nothing.public_id)).status_code == 200
    for act in ("credit", "write_off"):
        said = {
            f"{act}-reason": "r",
            f"{act}-key": "form_abcdefgh",
            f"{act}-what": "all",
            f"{act}-amount": "1",
        }
        name = f"invoice-{act.replace('_', '-')}"
        assert ana.post(address(name, nothing.public_id), said).status_code == 422
    assert ana.post(address("invoice-void", nothing.public_id), {"void-reason": "r"}).status_code == 302


def test_a_credit_note_is_never_charged(invoice: Document) -> None:
    with work():
        note = credit(invoice.public_id, on=DAY, reason="late", key="credit-1")
        assert pay_url(note) == ""
    payer = Client()
    page = opened(payer, note)
    answer = payer.get(page)
    assert answer.status_code < 500
    key = "0" * 8 + "-0000" * 3 + "-" + "0" * 12
    assert 400 <= payer.post(page, {"key": key, "method": "card_ok"}).status_code < 500

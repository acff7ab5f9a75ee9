"""From the link in the mail to paid: two taps, no account, nobody else's document."""

import re

import pytest
from django.test import Client

from cashapp.models import Payment, SandboxCharge
from core.scope import Scope, enter, work
from customers.models import Link
from customers.services.links import PAY, token_for
from invoicing.models import Document
from invoicing.services.correct import void
from receivables.models import OpenItem
from tests import factories
from tests.cast import CANARY
from tests.factories import DAY


def link_to(document: Document) -> str:
    with work():
        return f"/pay/{token_for(purpose=PAY, target=document.public_id, customer_id=document.customer_id)}/"


@pytest.fixture
def invoice(acorn: Scope) -> Document:
    with work():
        return factories.invoice(factories.customer(email="rita@kestrel.example"), ("120", "14.50"))


@pytest.fixture
def payer() -> Client:
    return Client()


def opened(payer: Client, invoice: Document) -> str:
    answer = payer.get(link_to(invoice))
    assert answer.status_code == 302
    return str(answer["Location"])


def key_on(page: bytes) -> str:
    found = re.search(r'name="key" value="([^"]+)"', page.decode())
    assert found
    return found.group(1)


def state(invoice: Document) -> tuple[int, int]:
    with work():
        item = OpenItem.objects.get(source=invoice.public_id)
        return item.open_minor, item.reserved_minor


def test_two_taps_from_the_mail_to_paid(payer: Client, invoice: Document) -> None:
    page = payer.get(opened(payer, invoice))
    assert b"INV-2026-" in page.content
    answer = payer.post(
        page.request["PATH_INFO"], {"key": key_on(page.content), "method": "card_ok"}, follow=True
    )
    assert b"Nothing is open" in answer.content
    assert state(invoice) == (0, 0)


def test_the_token_leaves_the_address_and_is_not_stored(payer: Client, invoice: Document) -> None:
    address = link_to(invoice)
    answer = payer.get(address)
    token = address.split("/")[2]
    assert token not in answer["Location"]
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer["Cache-Control"]
    with work():
        assert token not in str(list(Link.objects.values()))
    assert link_to(invoice) == address


def test_a_double_click_a_reload_and_a_second_tab_charge_once(payer: Client, invoice: Document) -> None:
    address = opened(payer, invoice)
    first, second = (key_on(payer.get(address).content) for _ in range(2))
    for key in (first, first, second):
        payer.post(address, {"key": key, "method": "card_ok"})
    with work():
        assert (SandboxCharge.objects.count(), Payment.objects.count()) == (1, 1)


def test_a_declined_card_says_so_and_another_can_be_tried(payer: Client, invoice: Document) -> None:
    address = opened(payer, invoice)
    answer = payer.post(
        address, {"key": key_on(payer.get(address).content), "method": "card_declined"}, follow=True
    )
    assert b"Nothing was charged" in answer.content
    payer.post(address, {"key": key_on(answer.content), "method": "card_ok"})
    assert state(invoice) == (0, 0)


def test_authentication_goes_to_the_bank_and_back(payer: Client, invoice: Document) -> None:
    address = opened(payer, invoice)
    answer = payer.post(address, {"key": key_on(payer.get(address).content), "method": "card_authenticate"})
    bank = answer["Location"]
    assert "/authenticate/" in bank
    assert payer.get(bank).status_code == 200
    assert b"confirm this payment" in payer.get(address).content
    payer.post(bank, {"answer": "approve"})
    assert state(invoice) == (0, 0)
    assert payer.post(bank, {"answer": "refuse"}).status_code == 302
    assert state(invoice) == (0, 0)


def test_a_payment_waiting_for_the_bank_can_be_given_up(payer: Client, invoice: Document) -> None:
    address = opened(payer, invoice)
    bank = payer.post(address, {"key": key_on(payer.get(address).content), "method": "card_authenticate"})[
        "Location"
    ]
    payer.post(bank.replace("authenticate", "give-up"))
    assert state(invoice) == (invoice.total_minor, 0)


def test_a_lost_answer_never_offers_to_pay_again(payer: Client, invoice: Document) -> None:
    address = opened(payer, invoice)
    answer = payer.post(
        address, {"key": key_on(payer.get(address).content), "method": "card_timeout"}, follow=True
    )
    assert b"has not answered yet" in answer.content
    assert b'name="key"' not in answer.content
    assert b"every 3s" in answer.content


def test_a_part_can_be_paid_but_not_more_than_is_open(payer: Client, invoice: Document) -> None:
    address = opened(payer, invoice)
    payer.post(address, {"key": key_on(payer.get(address).content), "method": "card_ok", "amount": "70.60"})
    assert state(invoice) == (invoice.total_minor - 7060, 0)
    for amount in ("999999.00", "0", "-1", "1e3", "NaN", "1,5", "٣", "0.001", "9" * 400, "<script>"):
        answer = payer.post(
            address, {"key": key_on(payer.get(address).content), "method": "card_ok", "amount": amount}
        )
        assert 400 <= answer.status_code < 500
        assert b"<script>" not in answer.content
    assert state(invoice) == (invoice.total_minor - 7060, 0)


@pytest.mark.parametrize(
    "key", ["", "x", "a" * 200, "../../etc/passwd-aaaaaaaaaaaa", "ключ-ключ-ключ-ключ-ключ"]
)
def test_a_key_that_is_not_ours_charges_nothing(payer: Client, invoice: Document, key: str) -> None:
    assert payer.post(opened(payer, invoice), {"key": key, "method": "card_ok"}).status_code == 400
    with work():
        assert not SandboxCharge.objects.exists()


def test_an_unknown_method_is_declined_not_an_error(payer: Client, invoice: Document) -> None:
    address = opened(payer, invoice)
    answer = payer.post(address, {"key": key_on(payer.get(address).content), "method": "card_of_a_stranger"})
    assert answer.status_code < 500
    assert state(invoice) == (invoice.total_minor, 0)


def test_without_or_with_anothers_link_there_is_nothing(
    payer: Client, invoice: Document, birch: Scope
) -> None:
    address = f"/pay/d/{invoice.public_id}/"
    assert payer.get(address).status_code == 404
    with enter(birch), work():
        theirs = factories.invoice(factories.customer(name=f"Bea's {CANARY}"), tax="0")
    with enter(birch):
        payer.get(link_to(theirs))
    for path in (address, f"{address}pdf/", f"{address}authenticate/att_x/"):
        answer = payer.get(path)
        assert answer.status_code == 404
        assert CANARY.encode() not in answer.content
    cookie = payer.cookies["pay"].value
    stranger = Client()
    stranger.cookies["pay"] = cookie
    assert stranger.get(address).status_code == 404
    assert stranger.post(address, {"key": "a" * 36, "method": "card_ok"}).status_code == 404


@pytest.mark.parametrize("token", ["x", "A" * 43, "../admin", "d"])
def test_an_invented_token_opens_nothing(payer: Client, invoice: Document, token: str) -> None:
    answer = payer.get(f"/pay/{token}/")
    assert answer.status_code == 404
    assert b"ask who sent it for a new one" in answer.content
    assert b'href="/"' not in answer.content, "a payer has no home page here"


def test_a_revoked_or_expired_link_opens_nothing(payer: Client, invoice: Document) -> None:
    address = opened(payer, invoice)
    with work():
        link = Link.objects.get()
        Link.objects.update(expires_at=link.created_at)
    assert payer.get(address).status_code == 404


def test_a_void_or_paid_invoice_cannot_be_paid(payer: Client, invoice: Document) -> None:
    address = opened(payer, invoice)
    key = key_on(payer.get(address).content)
    with work():
        void(invoice.public_id, on=DAY, reason="mistake")
    answer = payer.post(address, {"key": key, "method": "card_ok"})
    assert answer.status_code == 400
    assert b"Nothing more was charged" in answer.content


def test_paying_needs_the_forms_token(invoice: Document) -> None:
    payer = Client(enforce_csrf_checks=True)
    address = opened(payer, invoice)
    assert payer.post(address, {"key": "a" * 36, "method": "card_ok"}).status_code == 403


@pytest.mark.parametrize("origin", ["null", "https://evil.example"])
def test_paying_from_another_site_is_refused(invoice: Document, origin: str) -> None:
    payer = Client(enforce_csrf_checks=True)
    address = opened(payer, invoice)
    payer.get(address)
    said = {
        "key": key_on(payer.get(address).content),
        "method": "card_ok",
        "csrfmiddlewaretoken": payer.cookies["csrftoken"].value,
    }
    assert payer.post(address, said, headers={"Origin": origin}).status_code == 403
    with work():
        assert not SandboxCharge.objects.exists()
    assert payer.post(address, said).status_code == 302


def test_two_amounts_in_one_form_charge_nothing(payer: Client, invoice: Document) -> None:
    """Who checked the first and who charges the last would not agree."""
    address = opened(payer, invoice)
    said = {"key": key_on(payer.get(address).content), "method": "card_ok", "amount": ["1.00", "2.00"]}
    assert payer.post(address, said).status_code == 400
    with work():
        assert not SandboxCharge.objects.exists()


def test_the_pdf_says_when_it_is_not_there_yet(payer: Client, invoice: Document) -> None:
    answer = payer.get(f"{opened(payer, invoice)}pdf/")
    assert answer.status_code == 503
    assert answer["Retry-After"]

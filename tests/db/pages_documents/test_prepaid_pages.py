"""Prepaid balances on their pages: topped up, seen, refused, and who may."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from core import clock
from core.scope import Scope, work
from customers.models import Customer
from customers.services.customers import set_archived
from invoicing.mails import _letter
from invoicing.models import Document, TopUp
from invoicing.selectors import view
from invoicing.services.correct import void
from invoicing.services.prepaid import expire, hold, pay_in_advance, top_up
from invoicing.sheets import sheet
from messaging.composers import Ready
from messaging.services.render import write
from tests import factories
from tests.db.pages_documents.conftest import signed_in
from tests.db.pages_documents.test_budgets import reads

Snapshot = Callable[[], dict[str, int]]
LIST = "/o/acorn/prepaid/"
KEY = "form_01J9ZK0000000000000000"
TYPED = {"amount": "1,200.50", "expires_on": "", "memo": "Order 7", "key": KEY}


@pytest.fixture
def kestrel(acorn: Scope) -> Customer:
    with work():
        return factories.customer(name="Kestrel Freight")


def today() -> date:
    return clock.today("Europe/Berlin")


def topped(owner: Customer, minor: int = 10000, *, paid: bool = True, **given: Any) -> TopUp:
    row = top_up(owner.public_id, minor=minor, key=f"k{TopUp.objects.count()}", today=today(), **given)
    if paid:
        factories.pay(row.document, on=today())
    return row


def drawn(owner: Customer, minor: int) -> Document:
    bill = factories.invoice(owner, on=today())
    pay_in_advance(hold([owner.pk]), {bill.pk: minor}, {bill.pk: bill}, on=today())
    return bill


def new(owner: Customer) -> str:
    return f"/o/acorn/customers/{owner.public_id}/top-up/"


def panel(owner: Customer) -> str:
    return f"/o/acorn/customers/{owner.public_id}/prepaid/"


def test_a_balance_is_topped_up_once_and_seen_everywhere(ana: Client, kestrel: Customer) -> None:
    assert "Nothing is left" in ana.get(LIST).content.decode()
    assert "Nobody paid in advance yet" in ana.get(f"{LIST}?all=1").content.decode()
    assert "Nothing was paid in advance" in ana.get(panel(kestrel)).content.decode()
    assert "EUR" in ana.get(new(kestrel)).content.decode()
    answers = [ana.post(new(kestrel), TYPED) for _ in range(2)]
    with work():
        row = TopUp.objects.select_related("document").get()
        assert (row.total_minor, row.document.memo) == (120050, "Order 7")
    one = f"{LIST}{row.public_id}/"
    assert [answer.headers["Location"] for answer in answers] == [one, one]
    page = ana.get(one, follow=True).content.decode()
    for text in (row.document.number, "Not paid yet", "1,200.50", "never", "Nothing yet"):
        assert text in page, text
    assert "Kestrel Freight" in ana.get(LIST).content.decode()
    assert row.document.number in ana.get(panel(kestrel)).content.decode()
    assert "Prepaid balance" in ana.get(f"/o/acorn/customers/{kestrel.public_id}/").content.decode()


def test_a_top_up_opens_into_what_became_of_it(ana: Client, kestrel: Customer) -> None:
    with work():
        row = topped(kestrel, expires_on=today() + timedelta(days=9))
        bill = drawn(kestrel, 4000)
    page = ana.get(f"{LIST}{row.public_id}/").content.decode()
    for text in ("Drawn", bill.number, "40.00", "60.00", "Active"):
        assert text in page, text
    invoice = ana.get(f"/o/acorn/invoices/{bill.public_id}/").content.decode()
    assert "Prepaid balance" in invoice
    assert "is for good" in invoice  # the allocation cannot be undone, and says why
    journal = ana.get("/o/acorn/journal/").content.decode()
    assert "Drawn from prepaid balance" in journal
    with work():
        expire(row.public_id, today=today() + timedelta(days=9))
    page = ana.get(f"{LIST}{row.public_id}/").content.decode()
    assert "Used up" in page
    assert "Expired" in page
    assert "Prepaid balance expired" in ana.get("/o/acorn/journal/").content.decode()


def test_what_expired_unpaid_says_what_to_do(kestrel: Customer) -> None:
    with work():
        row = topped(kestrel, paid=False, expires_on=today() + timedelta(days=1))
    with time_machine.travel(clock.now() + timedelta(days=2), tick=True):
        page = signed_in("Ana").get(f"{LIST}{row.public_id}/").content.decode()
    assert "Void or credit its invoice" in page


def test_the_list_has_what_is_left_and_all(ana: Client, kestrel: Customer) -> None:
    with work():
        gone = topped(kestrel, paid=False)
        void(gone.document.public_id, on=today(), reason="no")
        kept = topped(kestrel, 7777)
    left = ana.get(LIST).content.decode()
    assert kept.public_id in left
    assert gone.public_id not in left
    assert "77.77" in left
    every = ana.get(f"{LIST}?all=1").content.decode()
    assert gone.public_id in every


@pytest.mark.parametrize("given", [
    {"amount": ""}, {"amount": "x"}, {"amount": "0"}, {"amount": "-5"}, {"amount": "1.005"}, {"amount": "9" * 40},
    {"expires_on": "soon"}, {"expires_on": "1999-01-01"}, {"key": ""}, {"memo": "x" * 2001},
])  # fmt: skip
def test_what_is_no_top_up_comes_back_with_what_was_typed(
    ana: Client, kestrel: Customer, snapshot: Snapshot, given: dict[str, str]
) -> None:
    before = snapshot()
    answer = ana.post(new(kestrel), {**TYPED, **given})
    assert answer.status_code == 422
    assert "Order 7" in answer.content.decode() or "memo" in given
    assert snapshot() == before


def test_an_archived_customer_is_not_topped_up(ana: Client, kestrel: Customer, snapshot: Snapshot) -> None:
    with work():
        set_archived(kestrel.pk, archived=True)
    before = snapshot()
    answer = ana.post(new(kestrel), TYPED)
    assert answer.status_code == 422
    assert "archived" in answer.content.decode()
    assert snapshot() == before


def test_another_house_and_a_wrong_role_get_nothing(
    bea: Client, vic: Client, kestrel: Customer, snapshot: Snapshot
) -> None:
    with work():
        row = topped(kestrel)
    before = snapshot()
    for address in (f"{LIST}{row.public_id}/", panel(kestrel), new(kestrel)):
        assert bea.get(address).status_code == 404, address
        assert bea.get(address.replace("acorn", "birch")).status_code == 404, address
    assert bea.post(new(kestrel).replace("acorn", "birch"), TYPED).status_code == 404
    assert vic.get(f"{LIST}{row.public_id}/").status_code == 200
    assert vic.get(new(kestrel)).status_code == 403
    assert vic.post(new(kestrel), TYPED).status_code == 403
    assert snapshot() == before


def test_pages_read_no_more_for_more(ana: Client, kestrel: Customer) -> None:
    with work():
        row = topped(kestrel)
    few = {address: len(reads(ana, address)) for address in (LIST, f"{LIST}{row.public_id}/", panel(kestrel))}
    with work():
        for _ in range(3):
            topped(factories.customer())
            topped(kestrel)
            drawn(kestrel, 50)
    for address, count in few.items():
        assert len(reads(ana, address)) == count <= 12, address


def test_paper_and_mail_say_what_was_paid_in_advance(kestrel: Customer) -> None:
    with work():
        row = topped(kestrel, 50000)
        part, whole = drawn(kestrel, 4000), drawn(kestrel, 11900)
        paper = sheet(view(row.document.public_id), pay_url="https://pay.example/x")
        assert [line.tax for line in paper.lines] == [""]
        assert "tax is not due on it" in paper.notes[0]
        paper = sheet(view(part.public_id), pay_url="https://pay.example/x")
        assert (paper.paid, paper.open, paper.asked) == ("40.00", "79.00", "79.00")
        assert paper.pay_url
        assert paper.due_on
        paper = sheet(view(whole.public_id), pay_url="https://pay.example/x")
        assert (paper.asked, paper.pay_url, paper.pay_qr, paper.due_on, paper.terms) == (
            "0.00",
            "",
            "",
            "",
            "",
        )
        mails = [write(Ready(_letter(view(each.public_id)))) for each in (part, whole)]
    assert "40.00 of it was paid out of your prepaid balance." in mails[0].text
    assert "79.00" in mails[0].text
    assert "Nothing is to be paid" in mails[1].text

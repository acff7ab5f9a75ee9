"""Deposits as people see and say them: of a plan, a customer, a draft; on an invoice and in lists."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from billing.models import Plan
from core import clock
from core.scope import Scope, work
from customers.models import Customer
from invoicing.models import Document
from tests import factories
from tests.db.pages_documents.conftest import signed_in
from tests.db.pages_documents.test_budgets import GREYED, MOST, reads
from tests.db.pages_documents.test_editor import NEW, typed
from tests.db.portal.owned import priced, words

Snapshot = Callable[[], dict[str, int]]
PLANS = "/o/acorn/plans/"


@pytest.fixture
def plan(acorn: Scope) -> str:
    with work():
        priced("team", "30")
        return str(Plan.objects.get().public_id)


def percent(plan: str) -> int:
    with work():
        return int(Plan.objects.get(public_id=plan).deposit_percent)


def test_a_plan_is_given_a_deposit_that_stands_on_its_card(ana: Client, plan: str) -> None:
    assert b"Deposit with Team" in ana.get(f"{PLANS}?deposit={plan}").content
    for _ in range(2):
        assert ana.post(f"{PLANS}{plan}/deposit/", {"deposit_percent": "30"}).status_code == 302
    assert percent(plan) == 30
    assert "30 % of each invoice are due on its day." in words(ana.get(PLANS).content)
    assert b'value="30"' in ana.get(f"{PLANS}?deposit={plan}").content


@pytest.mark.parametrize("said", ["", "-1", "101", "x", "3.5", "\x00", "9" * 400])
def test_what_is_no_percentage_comes_back(ana: Client, plan: str, snapshot: Snapshot, said: str) -> None:
    before = snapshot()
    answer = ana.post(f"{PLANS}{plan}/deposit/", {"deposit_percent": said})
    assert (answer.status_code, snapshot(), percent(plan)) == (422, before, 0)
    assert b'data-show="1"' in answer.content


def test_who_may_give_a_plan_a_deposit(vic: Client, bea: Client, plan: str) -> None:
    assert b"Deposit with" not in vic.get(f"{PLANS}?deposit={plan}").content
    address = f"{PLANS}{plan}/deposit/"
    assert vic.post(address, {"deposit_percent": "30"}).status_code == 403
    assert bea.post(address, {"deposit_percent": "30"}).status_code == 404
    assert bea.post(address.replace("acorn", "birch"), {"deposit_percent": "30"}).status_code == 404
    assert percent(plan) == 0


@pytest.mark.parametrize("who", ["Ana", "Vic"])
def test_the_dialog_reads_no_more(plan: str, who: str) -> None:
    found = reads(signed_in(who), f"{PLANS}?deposit={plan}")
    assert len(found) <= MOST + (GREYED if who == "Vic" else 0), "\n".join(found)


def asked(on_days_ago: int = 5, percent: int = 30) -> Document:
    """100.00 with fourteen days to pay."""
    owner = factories.customer(deposit_percent=percent)
    on = clock.today(owner.entity.zone) - timedelta(days=on_days_ago)
    return factories.invoice(owner, ("1", "100.00"), tax="0", on=on, deposit_percent=percent)


def test_an_invoice_shows_its_deposit_open_and_settled(ana: Client, acorn: Scope) -> None:
    with work():
        document = asked()
    address = f"/o/acorn/invoices/{document.public_id}/"
    shown = words(ana.get(address).content)
    assert "Deposit, 30 %" in shown
    assert "5 days late" in shown.lower()
    listed = words(ana.get("/o/acorn/invoices/?state=overdue").content)
    assert document.number in listed
    with work():
        factories.pay(document, minor=3_000)
    shown = words(ana.get(address).content)
    assert "settled" in shown
    assert "days late" not in shown.lower()
    assert document.number not in words(ana.get("/o/acorn/invoices/?state=overdue").content)


def test_a_customers_page_tells_the_deposit_from_the_rest(ana: Client, acorn: Scope) -> None:
    with work():
        owner = asked().customer
    shown = words(ana.get(f"/o/acorn/customers/{owner.public_id}/").content)
    assert "30.00 5 days late" in shown
    assert "70.00 in 9 days" in shown


def test_a_customer_is_given_a_deposit_and_drafts_start_with_it(ana: Client, acorn: Scope) -> None:
    with work():
        owner = factories.customer()
    address = f"/o/acorn/customers/{owner.public_id}/edit/"
    page = ana.get(address).content.decode()
    form = dict(re.findall(r'<input[^>]*name="([a-z_]+)"[^>]*value="([^"]*)"', page))
    form |= {"currency": "EUR", "country": "DE", "terms_days": "14"}
    assert ana.post(address, {**form, "deposit_percent": "101"}).status_code == 422
    assert ana.post(address, {**form, "deposit_percent": "40"}).status_code == 302
    with work():
        assert Customer.objects.get(pk=owner.pk).deposit_percent == 40
    draft = ana.get(f"/o/acorn/invoices/new/?customer={owner.public_id}").content.decode()
    assert re.search(r'<input[^>]*name="deposit_percent"[^>]*value="40"', draft)


@pytest.mark.parametrize(("said", "percent"), [("", 40), ("0", 0), ("15", 15)])
def test_a_draft_of_which_nothing_is_said_has_its_customers_deposit(
    ana: Client, acorn: Scope, said: str, percent: int
) -> None:
    with work():
        factories.customer(name="Kestrel Freight", number="K-77", deposit_percent=40)
    ana.post(NEW, typed(("Frame scanner", "3", "420.00", "19"), deposit_percent=said))
    with work():
        assert Document.objects.get().deposit_percent == percent

"""How a customer pays stands on their page, with what to do about it: seen, followed or turned down in one click."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from core import clock
from core.scope import Scope, enter, work
from customers.models import Customer
from invoicing.models import Document
from tests import factories


def paid(owner: Customer, late: int) -> Document:
    """An invoice of sixty days ago, with fourteen days to pay, that was paid so many days late."""
    on = clock.today(owner.entity.zone) - timedelta(days=60)
    document = factories.invoice(owner, ("1", "100.00"), tax="0", on=on)
    factories.pay(document, on=on + timedelta(days=14 + late))
    return document


@pytest.fixture
def late(house: Scope, kestrel: Customer) -> Customer:
    """Who paid four invoices, the last two of them twenty days late."""
    with enter(house), work():
        for days in (0, 0, 20, 20):
            paid(kestrel, days)
    return kestrel


def at(customer: Customer, rest: str = "habits") -> str:
    return f"/o/acorn/customers/{customer.public_id}/{rest}/"


def words(page: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.decode()))


def percent(house: Scope, customer: Customer) -> int | None:
    with enter(house), work():
        found: int | None = Customer.objects.get(pk=customer.pk).deposit_percent
        return found


def answer(client: Client, customer: Customer, percent: str, version: str = "1") -> int:
    return client.post(at(customer, "deposit"), {"deposit_percent": percent, "version": version}).status_code


def test_a_late_payer_is_shown_with_the_evidence_and_advice(ana: Client, late: Customer) -> None:
    shown = words(ana.get(at(late)).content)
    assert "Ask for 30 % of each new invoice at once?" in shown
    assert "2 of the 4 invoices due in the last year were paid late, on average 20 days late." in shown
    assert re.findall(r"INV-\d+-(\d+)", shown) == ["00004", "00003"]


def test_one_click_asks_and_again_changes_nothing(ana: Client, house: Scope, late: Customer) -> None:
    for _ in range(2):
        assert answer(ana, late, "30") == 302
    assert percent(house, late) == 30
    with enter(house), work():
        assert Customer.objects.get(pk=late.pk).version == 2
    shown = words(ana.get(at(late)).content)
    assert "Ask for" not in shown
    assert "30 % of each new one are due on its day." in shown
    assert "30 %" in words(ana.get(f"/o/acorn/customers/{late.public_id}/").content)


def test_it_is_turned_down_for_good(ana: Client, house: Scope, late: Customer) -> None:
    assert answer(ana, late, "0") == 302
    assert percent(house, late) == 0
    assert "Ask for" not in words(ana.get(at(late)).content)


def test_nothing_is_advised_of_who_is_archived(ana: Client, house: Scope, late: Customer) -> None:
    with enter(house), work():
        Customer.objects.filter(pk=late.pk).update(archived_at=clock.now())
    shown = words(ana.get(at(late)).content)
    assert "2 of the 4 invoices" in shown
    assert "Ask for" not in shown


def test_who_pays_in_time_gets_no_advice(ana: Client, house: Scope, kestrel: Customer) -> None:
    assert "Nothing was due from them" in words(ana.get(at(kestrel)).content)
    with enter(house), work():
        paid(kestrel, 0)
    shown = words(ana.get(at(kestrel)).content)
    assert "The one invoice that was due in the last year was paid in time." in shown
    assert "Ask for" not in shown


def test_what_somebody_changed_meanwhile_stays(ana: Client, house: Scope, late: Customer) -> None:
    answer(ana, late, "10")
    assert answer(ana, late, "30", "1") == 302
    assert percent(house, late) == 10
    assert b"Somebody changed this customer meanwhile." in ana.get(at(late, "")[:-1]).content


@pytest.mark.parametrize("said", ["", "-1", "101", "x", "3.5", "٣"])
def test_nonsense_is_refused(ana: Client, house: Scope, late: Customer, said: str) -> None:
    assert answer(ana, late, said) in {400, 422}
    assert percent(house, late) is None


def test_who_may_not_change_customers_sees_it_greyed(
    client_of: Callable[[str], Client], house: Scope, late: Customer
) -> None:
    vic = client_of("Vic")
    shown = vic.get(at(late)).content.decode()
    assert "Ask for 30 %" in words(shown.encode())
    assert "aria-disabled" in shown
    assert answer(vic, late, "30") == 403
    assert percent(house, late) is None


def test_nobody_elses_customer_is_there(
    client_of: Callable[[str], Client], house: Scope, late: Customer
) -> None:
    bea = client_of("Bea")
    for address in (at(late), at(late).replace("acorn", "birch")):
        assert bea.get(address).status_code == 404
    assert (
        bea.post(
            at(late, "deposit").replace("acorn", "birch"), {"deposit_percent": "30", "version": "1"}
        ).status_code
        == 404
    )
    assert percent(house, late) is None


def test_the_ageing_page_marks_who_pays_late(ana: Client, house: Scope, late: Customer) -> None:
    with enter(house), work():
        factories.invoice(late, on=clock.today(late.entity.zone) - timedelta(days=60))
    assert "3 of 5 late" in words(ana.get("/o/acorn/ageing/").content)

"""Ageing and payments in a real browser: figures seen on a phone too, every page accessible, keys that act."""

from collections.abc import Iterator

import pytest
from django.test import Client
from playwright.sync_api import expect

from cashapp.services.payments import record
from core.scope import Scope, work
from receivables.models import Allocation
from tenants.models import User
from tests import factories
from tests.browser.conftest import Watched, serving
from tests.browser.looking import findings_in_both_looks, visit
from tests.factories import DAY

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]
sizes = pytest.mark.parametrize("watched", [(1440, "light"), (390, "light")], indirect=True)


@pytest.fixture
def house(committed_acorn: Scope, committed: dict[str, str]) -> Iterator[dict[str, str]]:
    """Ben's session on a running product with a customer who paid a part: addresses by name."""
    with work():
        owner = factories.customer(name="Kestrel Freight")
        factories.invoice(owner, ("1", "100.00"), tax="0")
        paid = record(customer=owner.public_id, minor=4_000, received_on=DAY, method="bank_transfer", key="k")
        undo = Allocation.objects.get().pk
    client = Client()
    client.force_login(User.objects.get(name="Ben"))
    with serving(committed) as origin:
        home = f"{origin}/o/acorn"
        yield {
            "origin": origin,
            "session": client.cookies["session"].value,
            "ageing": f"{home}/ageing/",
            "customer": f"{home}/customers/{owner.public_id}/",
            "record": f"{home}/payments/new/{owner.public_id}/",
            "payments": f"{home}/payments/",
            "payment": f"{home}/payments/{paid.public_id}/",
            "undo": f"{home}/payments/allocations/{undo}/undo/",
        }


def sign_in(watched: Watched, house: dict[str, str]) -> None:
    cookie = {"name": "session", "value": house["session"], "url": house["origin"]}
    watched.page.context.add_cookies([cookie])  # type: ignore[list-item]


@sizes
def test_each_page_is_accessible_fits_and_shows_its_figures(watched: Watched, house: dict[str, str]) -> None:
    sign_in(watched, house)
    page = watched.page
    shown = {"ageing": "60.00", "record": "60.00", "payments": "40.00", "payment": "40.00", "undo": "40.00"}
    for name, figure in shown.items():
        visit(page, house[name])
        seen = page.locator("main").get_by_text(figure).locator("visible=true").all()
        boxes = [box for each in seen if (box := each.bounding_box())]
        assert any(box["x"] + box["width"] <= page.evaluate("innerWidth") for box in boxes), (
            f"{name}: {figure}"
        )
        assert "bank_transfer" not in page.locator("main").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        assert findings_in_both_looks(page) == [], name
    assert page.locator("a[aria-current=page]", has_text="Payments").count() == 1
    assert watched.wrong == []


def test_a_payment_is_recorded_by_keyboard_alone(watched: Watched, house: dict[str, str]) -> None:
    sign_in(watched, house)
    page = watched.page
    page.goto(house["customer"])
    page.keyboard.press("p")
    page.wait_for_url(house["record"])
    expect(page.get_by_label("Amount received")).to_be_focused()
    page.keyboard.type("12.34")
    page.keyboard.press("Enter")
    page.wait_for_url("**/payments/pay_*/")
    expect(page.get_by_text("12.34").first).to_be_visible()

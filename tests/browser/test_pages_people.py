"""People's pages in a real browser: in by keyboard alone, a customer made and changed, and every page accessible."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched, serving
from tests.browser.looking import findings_in_both_looks, rested, visit
from tests.cast import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]

SIZES = [(1440, "light"), (390, "light")]
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass(frozen=True)
class Site:
    """A running product with a little in it."""

    origin: str
    sessions: dict[str, str]
    customer: str
    webhook: str

    @property
    def address(self) -> str:
        return f"{self.origin}/o/acorn"


@pytest.fixture
def site(committed: dict[str, str]) -> Iterator[Site]:
    customer, webhook, sessions = fill()
    with serving(committed) as origin:
        yield Site(origin, sessions, customer, webhook)


def fill() -> tuple[str, str, dict[str, str]]:
    """A customer with late and unused items, and a webhook: their public ids, and a session of each member."""
    from django.test import Client

    from core.scope import enter, work
    from integrations.services import endpoints
    from receivables.domain.items import Kind
    from tenants.models import User
    from tenants.services import keys, roles
    from tests import factories
    from tests.conftest import seat

    sessions = {}
    for name in ("ana", "vic"):
        client = Client()
        client.force_login(User.objects.get(email=f"{name}@acorn.example"))
        sessions[name] = client.cookies["session"].value
    with enter(seat("acorn", "ana@acorn.example")), work():
        webhook = endpoints.add(url="https://erp.example/hook").endpoint
        endpoints.ping(webhook.public_id)
        keys.make(name="ERP")
        roles.make_role(name="Cashier", rights=["payments.record", "invoices.write_off"])
        kestrel = factories.customer(name="Kestrel Freight", number="K-77", email="ap@kestrel.example")
        dollar = factories.customer(name="Palo Verde Foods", number="P-1", currency="USD")
        factories.invoice(kestrel, ("2", "120.00"))
        factories.invoice(dollar, ("1", "99.00"))
        factories.item(kestrel, 5_000, Kind.PAYMENT)
    return kestrel.public_id, webhook.public_id, sessions


def as_member(page: Page, site: Site, name: str) -> None:
    page.context.add_cookies([{"name": "session", "value": site.sessions[name], "url": site.origin}])


def fine(watched: Watched) -> None:
    assert findings_in_both_looks(watched.page) == []
    assert watched.wrong == []
    assert watched.page.evaluate(SIDEWAYS) == 0


def test_in_and_a_customer_made_by_keyboard_alone(watched: Watched, site: Site) -> None:
    page, press = watched.page, watched.page.keyboard.press
    visit(page, f"{site.address}/customers/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.keyboard.type("ANA@acorn.example")
    press("Tab")
    page.keyboard.type(PASSWORD)
    press("Enter")
    page.wait_for_url(f"{site.address}/customers/")
    rested(page)
    press("n")
    page.wait_for_url(f"{site.address}/customers/new/")
    rested(page)
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.type("Wexley & Daughters")
    for words in ("", "ap@wexley.example", "K-77"):
        press("Tab")
        page.keyboard.type(words)
    press("Enter")
    expect(page.get_by_role("heading", level=1, name="Wexley & Daughters")).to_be_visible()
    expect(page.get_by_role("link", name="Kestrel Freight")).to_be_visible()
    rested(page)
    press("e")
    page.wait_for_url("**/edit/")
    rested(page)
    expect(page.get_by_label("Belongs to")).to_have_value("Kestrel Freight (K-77)")
    page.get_by_role("button", name="Save").focus()
    press("g")
    press("h")
    page.wait_for_url(f"{site.address}/")
    assert watched.wrong == []


def test_rows_open_by_keyboard(watched: Watched, site: Site) -> None:
    page = watched.page
    as_member(page, site, "ana")
    visit(page, f"{site.address}/customers/?q=kes")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/customers/{site.customer}/")
    assert watched.wrong == []


@pytest.mark.parametrize("watched", SIZES, indirect=True, ids=lambda size: f"{size[0]}-{size[1]}")
def test_pages_are_accessible_and_quiet(watched: Watched, site: Site) -> None:
    page = watched.page
    for path in (
        "/sign-in/",
        "/sign-up/",
        "/forgotten/",
        "/api/docs/errors/",
        "/api/docs/",
        "/api/docs/products/",
    ):
        visit(page, site.origin + path)
        fine(watched)
    as_member(page, site, "ana")
    customer = f"/customers/{site.customer}/"
    for path in (
        "/",
        "/customers/",
        "/customers/?overdue=1&currency=EUR&sort=-open",
        "/customers/?q=nobody",
        "/customers/new/",
        customer,
        f"{customer}?tab=activity",
        f"{customer}edit/",
        "/settings/",
        "/settings/members/",
        "/settings/roles/",
        "/settings/roles/new/",
        "/settings/groups/new/",
        "/settings/keys/",
        "/settings/keys/new/",
        "/settings/keys/requests/",
        "/settings/webhooks/",
        "/settings/webhooks/new/",
        f"/settings/webhooks/{site.webhook}/",
        "/settings/plan/",
    ):
        visit(page, site.address + path)
        fine(watched)


@pytest.mark.parametrize("watched", [(1440, "light"), (390, "light")], indirect=True, ids=["1440", "390"])
def test_a_viewer_sees_what_they_may_not_do(watched: Watched, site: Site) -> None:
    page = watched.page
    as_member(page, site, "vic")
    for path in ("/customers/", f"/customers/{site.customer}/", "/settings/", "/settings/members/"):
        visit(page, site.address + path)
        fine(watched)
    visit(page, f"{site.address}/customers/")
    expect(page.get_by_role("button", name="New customer")).to_have_attribute("aria-disabled", "true")


@pytest.mark.parametrize("watched", [(1440, "light"), (390, "light")], indirect=True, ids=["1440", "390"])
def test_refusals_and_dialogs_are_accessible(watched: Watched, site: Site) -> None:
    page = watched.page
    as_member(page, site, "ana")
    visit(page, f"{site.address}/customers/new/")
    page.get_by_role("button", name="Add customer").click()
    expect(page.locator("#id_name_error")).to_be_visible()
    assert findings_in_both_looks(page) == []
    visit(page, f"{site.address}/customers/{site.customer}/")
    page.get_by_role("button", name="Add contact").click()
    expect(page.get_by_role("dialog", name="Add contact")).to_be_visible()
    assert findings_in_both_looks(page) == []
    visit(page, f"{site.address}/settings/members/")
    page.get_by_role("button", name="Change Vic").click()
    expect(page.get_by_role("dialog", name="Vic")).to_be_visible()
    assert findings_in_both_looks(page) == []
    page.keyboard.press("Escape")
    page.get_by_label("E-mail").fill("li@acorn.example")
    page.get_by_role("button", name="Send invitation").click()
    expect(page.get_by_text("li@acorn.example is asked by mail")).to_be_visible()
    assert findings_in_both_looks(page) == []


def test_somebody_elses_change_is_shown_beside_ones_own(watched: Watched, site: Site) -> None:
    page = watched.page
    as_member(page, site, "ana")
    visit(page, f"{site.address}/customers/{site.customer}/edit/")
    other = page.context.new_page()
    visit(other, f"{site.address}/customers/{site.customer}/edit/")
    other.get_by_label("Name", exact=True).fill("Kestrel Freight Ltd")
    other.get_by_role("button", name="Save").click()
    other.wait_for_url(f"**/customers/{site.customer}/")
    page.get_by_label("Name", exact=True).fill("Kestrel Group")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Ana changed this customer first.")).to_be_visible()
    expect(page.get_by_role("cell", name="Kestrel Freight Ltd")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Kestrel Group")
    assert findings_in_both_looks(page) == []
    page.get_by_role("button", name="Save mine over it").click()
    expect(page.get_by_role("heading", level=1, name="Kestrel Group")).to_be_visible()

"""A customer's card on a phone by keys alone: from the page of a subscription to a card that is kept, and gone."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from billing.models import Subscription
from billing.services.self_service import own_url
from core import clock
from core.scope import Scope, work
from customers.models import PaymentMethod
from tests import factories
from tests.browser.conftest import Watched, serving
from tests.browser.looking import findings_in_both_looks, rested, visit

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]


@pytest.fixture
def site(committed_acorn: Scope, committed: dict[str, str]) -> Iterator[tuple[str, Subscription]]:
    """(address of a running product, a subscription of a customer who keeps no card)."""
    with work():
        owner = factories.customer(name="Kestrel Freight", email="rita@kestrel.example")
        sub = factories.subscription(owner, clock.today("UTC") - timedelta(days=40))
    with serving(committed) as origin:
        yield origin, sub


def accessible(page: Page) -> None:
    assert findings_in_both_looks(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def tab_to(page: Page, name: str) -> None:
    """Go on by Tab to a button of this name."""
    button = page.get_by_role("button", name=name)
    for _ in range(12):
        page.keyboard.press("Tab")
        if button.evaluate("it => it === document.activeElement"):
            return
    pytest.fail(f"Tab does not come to {name}.")


def kept() -> list[bool]:
    with work():
        return [row.live for row in PaymentMethod.objects.order_by("id")]


@pytest.mark.parametrize("watched", [(390, "light")], indirect=True)
def test_from_a_subscription_to_a_card_that_is_kept_and_removed(
    watched: Watched, site: tuple[str, Subscription]
) -> None:
    (origin, sub), page = site, watched.page
    with work():
        link = own_url(sub).split("/", 3)[3]
    visit(page, f"{origin}/{link}")
    accessible(page)
    tab_to(page, "Have a card charged")
    page.keyboard.press("Enter")
    page.wait_for_url("**/card/c/**")
    rested(page)
    accessible(page)
    tab_to(page, "Agree and keep this card")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Visa •••• 4242")).to_be_visible()
    rested(page)
    accessible(page)
    assert kept() == [True]
    tab_to(page, "Remove the card")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No card", exact=True)).to_be_visible()
    assert kept() == [False]
    assert watched.wrong == []

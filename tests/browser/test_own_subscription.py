"""A customer's page of a subscription on a phone, from the link a member copies to the end of it."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from billing.models import Subscription
from core import clock
from core.scope import Scope, work
from tenants.models import LegalEntity, User
from tests import factories
from tests.browser.conftest import Watched, serving
from tests.browser.looking import findings_in_both_looks, visit

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]


@pytest.fixture
def site(committed_acorn: Scope, committed: dict[str, str]) -> Iterator[tuple[str, Subscription]]:
    """(address of a running product, a subscription that its customer may end)."""
    with work():
        LegalEntity.objects.update(customers_end="now")
        owner = factories.customer(name="Kestrel Freight", email="rita@kestrel.example")
        sub = factories.subscription(owner, clock.today("UTC") - timedelta(days=40))
    with serving(committed) as origin:
        yield origin, sub


def accessible(page: Page) -> None:
    assert findings_in_both_looks(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def ends(sub: Subscription) -> date | None:
    with work():
        return Subscription.objects.values_list("ends_on", flat=True).get(pk=sub.pk)  # type: ignore[no-any-return]


@pytest.mark.parametrize("watched", [(390, "light")], indirect=True)
def test_from_the_copied_link_to_the_end(watched: Watched, site: tuple[str, Subscription]) -> None:
    (origin, sub), page = site, watched.page
    member = Client()
    member.force_login(User.objects.get(email="ana@acorn.example"))
    page.context.add_cookies([{"name": "session", "value": member.cookies["session"].value, "url": origin}])
    visit(page, f"{origin}/o/acorn/subscriptions/{sub.public_id}/")
    page.get_by_role("button", name="Customer's page").click()
    dialog = page.get_by_role("dialog", name="Customer's page")
    expect(dialog.get_by_text("/subscription/")).to_be_visible()
    accessible(page)
    assert dialog.evaluate("all => all.scrollWidth <= all.clientWidth"), "the link is cut off"
    expect(dialog.get_by_role("button", name="Copy the link")).to_be_in_viewport(ratio=1)
    link = dialog.get_by_text("/subscription/").inner_text()

    page.context.clear_cookies()
    visit(page, f"{origin}/{link.split('/', 3)[3]}")
    accessible(page)
    page.get_by_text("End this subscription").click()
    accessible(page)
    page.get_by_text("At the end of the period").click()
    page.get_by_role("button", name="End subscription").click()
    expect(page.locator(".pay-h").get_by_text("Through")).to_be_visible()
    accessible(page)
    assert ends(sub) is not None
    assert watched.wrong == []

"""The sandbox in a real browser: its page for axe, its switch by keys, and nothing pushed off by its banner."""

from collections.abc import Iterator

import pytest
from django.test import Client
from playwright.sync_api import expect

from core.scope import Scope
from tenants.models import User
from tenants.services.sandbox import make_sandbox
from tests.browser.conftest import Watched, serving
from tests.browser.looking import findings_in_both_looks, visit

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]


@pytest.fixture
def page_of_it(committed_acorn: Scope, committed: dict[str, str], watched: Watched) -> Iterator[str]:
    """Ana at a running product with a sandbox; the address of its page."""
    slug = make_sandbox().slug
    client = Client()
    client.force_login(User.objects.get(name="Ana"))
    with serving(committed) as origin:
        cookie = {"name": "session", "value": client.cookies["session"].value, "url": origin}
        watched.page.context.add_cookies([cookie])  # type: ignore[list-item]
        yield f"{origin}/o/{slug}/settings/sandbox/"


@pytest.mark.parametrize("watched", [(1440, "light"), (390, "dark")], indirect=True)
def test_it_says_so_hides_nothing_and_leads_back(watched: Watched, page_of_it: str) -> None:
    page = watched.page
    visit(page, page_of_it)
    expect(page.get_by_role("complementary", name="Sandbox")).to_be_visible()
    assert findings_in_both_looks(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    menu = page.locator(".side > .nav-user")
    if menu.is_visible():
        box, height = menu.bounding_box(), page.evaluate("innerHeight")
        assert box
        assert box["y"] + box["height"] <= height
    live = page.get_by_role("link", name="Live", exact=True)
    live.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/o/acorn/**")
    expect(page.get_by_role("complementary", name="Sandbox")).to_have_count(0)

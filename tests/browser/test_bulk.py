"""Choosing all that match in a real browser: plain, taken back by any change, asked for once more, done once."""

from collections.abc import Iterator

import pytest
from django.test import Client
from playwright.sync_api import expect

from core.scope import Scope, work
from invoicing.models import Document
from tenants.models import User
from tests import factories
from tests.browser.conftest import Watched, serving
from tests.browser.looking import findings, visit

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]


@pytest.fixture
def listing(committed_acorn: Scope, committed: dict[str, str], watched: Watched) -> Iterator[str]:
    """Ben at a running product with 52 drafts; the address of their list."""
    with work():
        owner = factories.customer(name="Kestrel Freight")
        for _ in range(52):
            factories.draft_invoice(owner)
    client = Client()
    client.force_login(User.objects.get(name="Ben"))
    with serving(committed) as origin:
        cookie = {"name": "session", "value": client.cookies["session"].value, "url": origin}
        watched.page.context.add_cookies([cookie])  # type: ignore[list-item]
        yield f"{origin}/o/acorn/invoices/?state=draft"


def test_all_that_match_are_chosen_only_while_the_page_is(watched: Watched, listing: str) -> None:
    page = watched.page
    visit(page, listing)
    every, chosen = page.locator("[data-choose-every]"), page.locator("[data-chosen]")
    page.locator("tbody .ck input").first.click()
    expect(every).to_be_hidden()
    page.locator("thead .ck input").click()
    every.click()
    expect(chosen).to_have_text("52")
    expect(every).to_be_hidden()
    assert findings(page) == []
    page.locator("tbody .ck input").nth(3).click()
    expect(chosen).to_have_text("49")
    expect(page.locator("input[name=every]")).to_have_value("")
    page.locator("thead .ck input").click()
    every.click()
    page.get_by_role("button", name="Clear selection").click()
    expect(page.locator("input[name=every]")).to_have_value("")
    assert watched.wrong == []


def test_by_keyboard_from_a_row_far_down_to_the_bar(watched: Watched, listing: str) -> None:
    page = watched.page
    visit(page, listing)
    page.keyboard.press("a")
    expect(page.locator(".bulk")).to_be_hidden()
    for _ in range(30):
        page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("a")
    issue = page.get_by_role("button", name="Issue drafts")
    expect(issue).to_be_focused()
    expect(issue).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 invoice issued")).to_be_visible()


@pytest.mark.parametrize("watched", [(1440, "light"), (390, "dark")], indirect=True, ids=["1440", "390"])
def test_asked_for_once_more_and_done_once_by_a_double_click(watched: Watched, listing: str) -> None:
    page = watched.page
    visit(page, listing)
    page.locator("thead .ck input").evaluate("box => box.click()")  # the head is not shown on a phone
    page.locator("[data-choose-every]").click()
    page.get_by_role("button", name="Issue drafts").click()
    expect(page.get_by_role("heading", name="Issue 52 drafts?")).to_be_visible()
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Issue 52 drafts").dblclick()
    expect(page.get_by_text("52 invoices issued")).to_be_visible(timeout=20_000)
    with work():
        assert Document.objects.filter(state="issued").count() == 52
    assert watched.wrong == []

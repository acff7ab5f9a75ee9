"""The palette's search in a real browser: by keyboard, on a phone, with answers that are late, wrong or missing."""

from collections.abc import Iterator

import pytest
from django.test import Client
from playwright.sync_api import Page, Route, expect

from core.scope import Scope, work
from tenants.models import User
from tests import factories
from tests.browser.conftest import Watched, serving
from tests.browser.looking import findings, visit

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]


@pytest.fixture
def home(committed_acorn: Scope, committed: dict[str, str], watched: Watched) -> Iterator[str]:
    """Ben on a running product with three customers; the address of his home page."""
    with work():
        for name in ("Kestrel Freight", "Wexley & Daughters", "Palo Verde Foods"):
            factories.customer(name=name)
    client = Client()
    client.force_login(User.objects.get(name="Ben"))
    with serving(committed) as origin:
        cookie = {"name": "session", "value": client.cookies["session"].value, "url": origin}
        watched.page.context.add_cookies([cookie])  # type: ignore[list-item]
        visit(watched.page, f"{origin}/o/acorn/")
        yield f"{origin}/o/acorn/"


def hits(page: Page) -> list[str]:
    return page.locator("#palette a[id^=hit-] b").all_inner_texts()


@pytest.mark.parametrize("watched", [(1440, "light"), (390, "dark")], indirect=True, ids=["1440", "390"])
def test_found_shown_and_accessible(watched: Watched, home: str) -> None:
    page = watched.page
    page.locator("[data-open-palette]").first.click()
    page.keyboard.type("frei")
    expect(page.locator("#palette a[id^=hit-]")).to_have_count(1)
    assert hits(page) == ["Kestrel Freight"]
    assert findings(page) == []
    page.locator("#palette input").fill("nobody")
    expect(page.get_by_text("Nothing found in Customers")).to_be_visible()
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert watched.wrong == []


def test_enter_before_the_answer_opens_what_was_asked_for_last(watched: Watched, home: str) -> None:
    page = watched.page
    page.keyboard.press("/")
    page.keyboard.type("kes")
    expect(page.locator("#palette a[id^=hit-]")).to_have_count(1)
    page.locator("#palette input").fill("daught")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_url("**/customers/cus_*/")
    expect(page.get_by_role("heading", level=1, name="Wexley & Daughters")).to_be_visible()
    assert watched.wrong == []


def test_a_late_answer_does_not_replace_a_newer_one(watched: Watched, home: str) -> None:
    page = watched.page
    held: list[Route] = []

    def slow(route: Route) -> None:
        if "q=kes" in route.request.url:
            held.append(route)
        else:
            route.continue_()

    page.route("**/search/**", slow)
    page.keyboard.press("Control+k")
    page.keyboard.type("kes")
    page.wait_for_timeout(400)
    page.locator("#palette input").fill("palo")
    expect(page.locator("#palette a[id^=hit-]")).to_have_count(1)
    assert len(held) == 1
    held[0].continue_()
    page.wait_for_timeout(400)
    assert hits(page) == ["Palo Verde Foods"]


def test_typing_fast_asks_once(watched: Watched, home: str) -> None:
    page = watched.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/search/" in request.url else None)
    page.keyboard.press("/")
    page.keyboard.type("kestrel freight", delay=15)
    expect(page.locator("#palette a[id^=hit-]")).to_have_count(1)
    assert len(asked) == 1
    page.locator("#palette input").fill(">kes")
    page.wait_for_timeout(300)
    assert len(asked) == 1
    assert hits(page) == []


@pytest.mark.parametrize("case", ["broken", "refused", "signed out"])
def test_no_answer_is_said_not_taken_for_nothing_found(watched: Watched, home: str, case: str) -> None:
    page = watched.page
    if case == "broken":
        page.route("**/search/**", lambda route: route.abort())
    elif case == "refused":
        page.route("**/search/**", lambda route: route.fulfill(status=503, body="<a role=option>no</a>"))
    else:
        page.context.clear_cookies()
    page.keyboard.press("/")
    page.keyboard.type("customers")
    expect(page.get_by_text("The search did not answer.")).to_be_visible()
    expect(page.locator("#palette input[type=email]")).to_have_count(0)
    expect(page.locator("#palette [role=option]")).to_have_count(1)  # the place of the sidebar stays
    page.keyboard.press("Enter")
    page.wait_for_url("**/customers/" if case != "signed out" else "**/sign-in/**")

"""The bell and the news in a real browser: by mouse and by keys, on a desk and a phone, and axe has nothing to say."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from arapp.releases import NEWEST
from core import clock
from core.scope import Scope, work
from messaging.models import Notification
from tenants.models import User
from tests import factories
from tests.browser.conftest import Watched, serving
from tests.browser.looking import findings_in_both_looks, rested, visit
from tests.db.messaging.notices import finished, happen, stopped

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]
sizes = pytest.mark.parametrize("watched", [(1440, "light"), (390, "light")], indirect=True)


@pytest.fixture
def home(committed_acorn: Scope, committed: dict[str, str], watched: Watched) -> Iterator[str]:
    """Ana at a running product with three things she was told; the address of her home page."""
    User.objects.update(created_at=clock.wall() - timedelta(days=9999))
    with work():
        factories.customer()
    happen(finished(held=2), stopped())
    client = Client()
    client.force_login(User.objects.get(name="Ana"))
    with serving(committed) as origin:
        cookie = {"name": "session", "value": client.cookies["session"].value, "url": origin}
        watched.page.context.add_cookies([cookie])  # type: ignore[list-item]
        yield f"{origin}/o/acorn/"


def is_open(page: Page) -> bool:
    return bool(page.evaluate("document.getElementById('bell-panel').matches(':popover-open')"))


def clean(page: Page) -> None:
    assert findings_in_both_looks(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@sizes
def test_the_bell_opens_by_mouse_and_key_and_what_is_opened_is_read(watched: Watched, home: str) -> None:
    page = watched.page
    visit(page, home)
    bell = page.get_by_role("link", name="Notifications 3 new")
    expect(bell).to_be_visible()
    bell.click()
    expect(page.get_by_text("2 subscriptions are held for a look")).to_be_visible()
    clean(page)
    bell.click()
    page.wait_for_timeout(150)
    assert not is_open(page), "a second press closes it"
    bell.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Notifications")).to_be_visible()
    page.keyboard.press("Escape")
    assert not is_open(page)
    assert page.evaluate("document.activeElement.hasAttribute('data-bell')")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Billing run of 26 November 2026 stopped").click()
    rested(page)
    visit(page, home)
    page.get_by_role("link", name="Notifications 2 new").click()
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.get_by_role("button", name="Mark all as read")).to_have_count(0)
    expect(page.locator("#bell-n .bell-n")).to_have_count(0)
    with work():
        assert Notification.objects.filter(member__user__name="Ana", read_at=None).count() == 0
    assert [each for each in watched.wrong if "404" not in each] == []  # the run it speaks of is not there


@sizes
def test_the_list_and_the_choices(watched: Watched, home: str) -> None:
    page = watched.page
    visit(page, f"{home}notifications/")
    clean(page)
    page.get_by_role("button", name="Mark as read: Billing run of 26 November 2026 stopped").click()
    expect(page.locator(".nt")).to_have_count(2)
    visit(page, f"{home}notifications/choices/")
    clean(page)
    page.get_by_label("A payment comes in").select_option("Bell and the daily digest")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("A payment comes in")).to_have_value("digest")
    assert watched.wrong == []


@sizes
def test_the_news_lose_their_mark_when_they_are_opened(watched: Watched, home: str) -> None:
    page = watched.page
    visit(page, home)
    if page.viewport_size and page.viewport_size["width"] < 800:
        page.get_by_role("button", name="Menu").click()
    page.locator(".nav-user:visible").click()
    page.get_by_role("menuitem", name="What's new not read yet").click()
    expect(page.get_by_text(str(NEWEST.items[0].title))).to_be_visible()
    clean(page)
    page.get_by_role("button", name="Close", exact=True).last.click()
    expect(page.locator("[data-news]")).to_have_count(0)
    page.reload()
    rested(page)
    expect(page.locator("[data-news]")).to_have_count(0)
    visit(page, f"{home}news/")
    clean(page)
    assert watched.wrong == []

"""Many subscriptions in a real browser, by keys alone: ticked, looked at, confirmed, done; no rule of axe broken."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from billing.models import BulkChange, SubscriptionItem
from billing.services import bulk_jobs
from billing.services.run import run_billing
from core import clock
from core.scope import Scope, work
from tenants.models import User
from tests import factories
from tests.browser.conftest import Watched, serving
from tests.browser.looking import findings, visit
from tests.db.billing.test_change import priced

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]


@pytest.fixture
def listing(committed_acorn: Scope, committed: dict[str, str], watched: Watched) -> Iterator[str]:
    """Ben at a running product with four billed subscriptions, one of them held; the address of their list."""
    today = clock.today("Europe/Berlin")
    with work():
        owner = factories.customer(name="Kestrel Freight")
        made = [factories.subscription(owner, today - timedelta(days=10)) for _ in range(4)]
        priced(name="Deluxe")
    run_billing(today)
    with work():
        made[0].refresh_from_db()
        made[0].held_at, made[0].held_reason = clock.now(), "The amount is twelve times the last one."
        made[0].touch("held_at", "held_reason")
    client = Client()
    client.force_login(User.objects.get(name="Ben"))
    with serving(committed) as origin:
        cookie = {"name": "session", "value": client.cookies["session"].value, "url": origin}
        watched.page.context.add_cookies([cookie])  # type: ignore[list-item]
        yield f"{origin}/o/acorn/subscriptions/"


def tabbed_to(page: Page, name: str) -> None:
    """Go to a control with the tabulator alone."""
    for _ in range(80):
        page.keyboard.press("Tab")
        said = page.evaluate("(document.activeElement.name || document.activeElement.innerText || '').trim()")
        if said.startswith(name):
            return
    raise AssertionError(f"no way to {name}")


def worked_off() -> None:
    with work():
        bulk = BulkChange.objects.select_related("look", "run").get()
    steps, job = (bulk_jobs.RUNNING, bulk.run) if bulk.run else (bulk_jobs.LOOKING, bulk.look)
    while steps.step(job.public_id):
        pass


def test_by_keys_alone_from_the_list_to_the_end(watched: Watched, listing: str) -> None:
    page = watched.page
    visit(page, listing)
    for _ in range(4):
        page.keyboard.press("j")
        page.keyboard.press("x")
    expect(page.locator("[data-chosen]")).to_have_text("4")
    assert findings(page) == []
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Change 4 subscriptions")
    assert findings(page) == []
    tabbed_to(page, "price")
    page.keyboard.type("Del")
    tabbed_to(page, "Look at them")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    assert findings(page) == []
    worked_off()
    change = page.get_by_role("button", name="Change 3 subscriptions")
    expect(change).to_be_visible(timeout=20_000)
    expect(page.get_by_text("A run put it aside").first).to_be_visible()
    assert findings(page) == []
    with work():
        assert not SubscriptionItem.objects.filter(price__plan__name="Deluxe").exists()
    tabbed_to(page, "Change 3")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    worked_off()
    expect(page.get_by_text("as it was seen on")).to_be_visible(timeout=20_000)
    assert findings(page) == []
    with work():
        assert SubscriptionItem.objects.filter(price__plan__name="Deluxe").count() == 3
    visit(page, f"{listing}bulk/")
    expect(page.get_by_role("link", name="Move to Deluxe")).to_be_visible()
    assert findings(page) == []
    assert watched.wrong == []

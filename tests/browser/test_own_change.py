"""A customer changes the plan on the page of a subscription by keys alone, on a phone and on a wide screen."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from billing.models import Subscription, SubscriptionItem
from billing.services.offers import Offered, set_plan_offers
from billing.services.prices import create_price
from billing.services.run import run_billing
from billing.services.self_change import change_by_customer, ways_to_change
from billing.services.self_service import own_url
from core import clock
from core.scope import Scope, work
from tests import factories
from tests.browser.conftest import Watched, serving
from tests.browser.looking import findings_in_both_looks, visit

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]


@pytest.fixture
def site(committed_acorn: Scope, committed: dict[str, str]) -> Iterator[tuple[str, Subscription]]:
    """(link to a subscription's page for its customer, the subscription): of two plans one is at once."""
    with work():
        owner = factories.customer(name="Kestrel Freight", email="rita@kestrel.example")
        sub = factories.subscription(owner, clock.today("UTC") - timedelta(days=10))
        for name, amount in (("Business", "90"), ("Solo", "7.50")):
            create_price(
                name=name, code=name.lower(), model="flat", currency="EUR", unit_price=Decimal(amount)
            )
        wanted = [Offered("business", "now"), Offered("solo", "period_end")]
        set_plan_offers(sub.price.plan.public_id, wanted)
        link = own_url(sub).split("/", 3)[3]
    run_billing(clock.today("UTC"))
    with serving(committed) as origin:
        yield f"{origin}/{link}", sub


def accessible(page: Page) -> None:
    assert findings_in_both_looks(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def tab_to(page: Page, role: str, name: str) -> None:
    wanted = page.get_by_role(role, name=name)  # type: ignore[arg-type]
    for _ in range(20):
        page.keyboard.press("Tab")
        if wanted.evaluate("each => each === document.activeElement"):
            return
    raise AssertionError(f"{name} cannot be reached by Tab")


@pytest.mark.parametrize("watched", [(390, "light"), (1440, "dark")], indirect=True)
def test_from_the_link_to_another_plan_by_keys(watched: Watched, site: tuple[str, Subscription]) -> None:
    (link, sub), page = site, watched.page
    visit(page, link)
    accessible(page)
    summary = page.locator("summary", has_text="Change the plan")
    for _ in range(20):
        page.keyboard.press("Tab")
        if summary.evaluate("each => each === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_text("to pay.")).to_be_visible()
    accessible(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.get_by_role("radio", name="Business")).to_be_checked()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Solo")).to_be_checked()
    accessible(page)
    tab_to(page, "button", "Change plan")
    page.keyboard.press("Enter")
    card = page.get_by_role("table", name="What it is")
    expect(card.get_by_text("Solo")).to_be_visible()
    expect(card.get_by_text("From")).to_be_visible()
    accessible(page)
    with work():
        codes = SubscriptionItem.objects.filter(subscription=sub).values_list("price__plan__code", flat=True)
        assert "solo" in codes
    assert watched.wrong == []


@pytest.mark.parametrize("watched", [(390, "dark"), (1440, "light")], indirect=True)
def test_a_change_to_come_is_taken_back_by_keys(watched: Watched, site: tuple[str, Subscription]) -> None:
    (link, sub), page = site, watched.page
    today = clock.today(sub.zone)
    with work():
        sub.refresh_from_db()
        (solo,) = [each for each in ways_to_change(sub, today=today) if each.way == "period_end"]
        change_by_customer(sub.public_id, price=solo.price.public_id, way=solo.way, on=solo.on, today=today)
        plan = sub.price.plan.name
    visit(page, link)
    accessible(page)
    summary = page.locator("summary", has_text="Take the change to Solo back")
    for _ in range(20):
        page.keyboard.press("Tab")
        if summary.evaluate("each => each === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_text("goes on from")).to_be_visible()
    accessible(page)
    tab_to(page, "button", f"Keep {plan}")
    page.keyboard.press("Enter")
    expect(summary).to_have_count(0)
    expect(page.get_by_role("table", name="What it is").get_by_text("Solo")).to_have_count(0)
    accessible(page)
    with work():
        lived = SubscriptionItem.objects.filter(subscription=sub, ends_on=None)
        assert [each.price.plan.name for each in lived] == [plan]
    assert watched.wrong == []

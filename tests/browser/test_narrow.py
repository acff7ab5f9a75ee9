"""Every page of the staff menu on a phone: nothing makes the page wider than the screen, no figure is cut off."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from playwright.sync_api import Page

from billing.services.run import run_billing
from cashapp.services.payments import record
from core import clock
from core.scope import Scope, work
from tenants.models import User
from tests import factories
from tests.browser.conftest import Watched, serving
from tests.browser.looking import visit
from tests.db.cashapp.lines import line

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CUT = """[...document.querySelectorAll('.scroll-x')].filter(e => e.scrollWidth > e.clientWidth)
    .map(e => e.querySelector('table').getAttribute('aria-label') || e.querySelector('caption').textContent)"""
PLACES = "[...new Set([...document.querySelectorAll('.side a[data-go-place]')].map(a => a.href))]"
TABS = "[...document.querySelectorAll('main nav.views a')].map(a => a.href)"
RECORDS = "[...document.querySelectorAll('main table a.t-id')].slice(0, 2).map(a => a.href)"


@pytest.fixture
def house(committed_acorn: Scope, committed: dict[str, str], watched: Watched) -> Iterator[str]:
    """Ana at a running product with names and amounts as long as they get; the address of its home page."""
    today = clock.today("Europe/Berlin")
    with work():
        owner = factories.customer(
            name=LONG, number="K-" + "7" * 30, email=f"accounts.payable.{'x' * 40}@a-long-domain.example"
        )
        factories.invoice(owner, ("120000", "99999.99"), on=today - timedelta(days=200))
        factories.draft_invoice(owner, ("3", "420.00"))
        record(customer=owner.public_id, minor=4_000, received_on=today, method="bank_transfer", key="k")
        factories.subscription(owner, today)
        line(999_999_999_99, payer=LONG, memo=f"REF{'9' * 60}", booked_on=today)
    run_billing(today)
    client = Client()
    client.force_login(User.objects.get(name="Ana"))
    with serving(committed) as origin:
        cookie = {"name": "session", "value": client.cookies["session"].value, "url": origin}
        watched.page.context.add_cookies([cookie])  # type: ignore[list-item]
        yield f"{origin}/o/acorn/"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("watched", [(390, "light")], indirect=True, ids=["390"])
def test_no_page_of_the_menu_is_wider_than_a_phone(watched: Watched, house: str) -> None:
    page = watched.page
    wrong: dict[str, list[str]] = {}
    visit(page, house)
    waits: list[str] = page.evaluate(PLACES)
    assert len(waits) > 10
    seen: set[str] = set()
    for depth in range(2):
        found: list[str] = []
        for address in waits:
            if address.partition("#")[0] in seen:
                continue
            seen.add(address.partition("#")[0])
            visit(page, address)
            if said := _wrong(page):
                wrong[address.removeprefix(house)] = said
            found += page.evaluate(TABS) + (page.evaluate(RECORDS) if depth == 0 else [])
        waits = found
    assert len(seen) > 25
    assert wrong == {}
    assert watched.wrong == []


def _wrong(page: Page) -> list[str]:
    wider = page.evaluate(WIDER)
    said = [f"{wider} px wider than the screen"] if wider > 0 else []
    return said + [f"cut off: {name}" for name in page.evaluate(CUT)]

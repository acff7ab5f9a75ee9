"""Paying in a real browser on a phone: two taps from the mail, and every state of the page accessible."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from core.scope import Scope, work
from customers.services.links import PAY, token_for
from receivables.models import OpenItem
from tests import factories
from tests.browser.conftest import Watched, serving
from tests.browser.looking import findings_in_both_looks

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]


@pytest.fixture
def link(committed_acorn: Scope, committed: dict[str, str]) -> Iterator[tuple[str, str]]:
    """(pay link on a running product, public id of the invoice)."""
    with work():
        invoice = factories.invoice(factories.customer(name="Kestrel Freight"), ("120", "14.50"))
        token = token_for(purpose=PAY, target=invoice.public_id, customer_id=invoice.customer_id)
    with serving(committed) as origin:
        yield f"{origin}/pay/{token}/", invoice.public_id


def open_of(public_id: str) -> int:
    with work():
        return OpenItem.objects.get(source=public_id).open_minor  # type: ignore[no-any-return]


def accessible(page: Page) -> None:
    assert findings_in_both_looks(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


phone = pytest.mark.parametrize("watched", [(390, "light")], indirect=True)


@phone
def test_two_taps_pay_and_each_refusal_leads_on(watched: Watched, link: tuple[str, str]) -> None:
    address, public_id = link
    page = watched.page
    page.goto(address)
    accessible(page)
    page.get_by_text("Is declined").click()
    page.get_by_role("button", name="Pay EUR 2,070.60").click()
    expect(page.get_by_text("The card was declined.").first).to_be_visible()
    accessible(page)

    page.get_by_text("Asks for authentication").click()
    page.get_by_role("button", name="Pay EUR 2,070.60").click()
    expect(page.get_by_text("Your bank asks")).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="Refuse").click()
    expect(page.get_by_text("did not confirm")).to_be_visible()

    page.get_by_role("button", name="Pay EUR 2,070.60").click()
    expect(page.get_by_text("Nothing is open")).to_be_visible()
    accessible(page)
    assert open_of(public_id) == 0
    assert watched.wrong == []


@phone
def test_a_lost_answer_is_waited_for_on_the_page(watched: Watched, link: tuple[str, str]) -> None:
    address, public_id = link
    page = watched.page
    page.goto(address)
    page.get_by_text("Succeeds, but the answer is lost").click()
    page.get_by_role("button", name="Pay EUR 2,070.60").click()
    expect(page.get_by_text("has not answered yet")).to_be_visible()
    accessible(page)
    from core import effects

    effects.work_off([])
    expect(page.get_by_text("Nothing is open")).to_be_visible(timeout=10_000)
    assert open_of(public_id) == 0

"""Documents and billing in a real browser: a draft written by keyboard alone, dialogs that show what will be posted."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched, serving
from tests.browser.looking import findings_in_both_looks, rested, visit

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]

SIZES = [(1440, "light"), (390, "light")]
PASTE = """text => {
  const data = new DataTransfer();
  data.setData("text/plain", text);
  const paste = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
  document.activeElement.dispatchEvent(paste);
}"""
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def house(committed: dict[str, str]) -> Iterator[dict[str, str]]:
    """The product on a database of its own with a little in it: its address, a session, public ids by name."""
    ids = fill()
    with serving(committed) as origin:
        yield {**ids, "address": f"{origin}/o/acorn", "origin": origin}


def fill() -> dict[str, str]:
    from django.test import Client

    from billing.services.run import run_billing
    from core.scope import enter, work
    from invoicing.models import Document
    from tenants.models import User
    from tests import factories
    from tests.conftest import seat

    client = Client()
    client.force_login(User.objects.get(email="ana@acorn.example"))
    with enter(seat("acorn", "ana@acorn.example")):
        with work():
            owner = factories.customer(name="Kestrel Freight Ltd", number="K-77", email="ap@kestrel.example")
            issued = factories.invoice(owner, ("120", "14.50"), ("482300", "0.0012"), on=date(2026, 9, 1))
            draft = Document.objects.get(pk=factories.draft_invoice(owner, ("3", "420.00")))
            sub = factories.subscription(owner, date(2026, 10, 1), quantity=Decimal(3))
            factories.subscription(owner, date(1999, 1, 1))
            factories.subscription(owner, factories.DAY)
        run = run_billing(date(2026, 11, 1))
    return {
        "session": client.cookies["session"].value,
        "issued": issued.public_id,
        "draft": draft.public_id,
        "sub": sub.public_id,
        "run": run.public_id,
    }


def open_page(watched: Watched, house: dict[str, str], path: str) -> Page:
    page = watched.page
    page.context.add_cookies([{"name": "session", "value": house["session"], "url": house["origin"]}])
    visit(page, f"{house['address']}/{path.format(**house)}")
    return page


PAGES = [
    "invoices/",
    "invoices/?state=overdue&currency=EUR&due=this-year",
    "invoices/{issued}/",
    "invoices/{draft}/",
    "invoices/{draft}/edit/",
    "invoices/new/",
    "plans/",
    "subscriptions/",
    "subscriptions/new/",
    "subscriptions/{sub}/",
    "runs/",
    "runs/{run}/",
    "journal/",
    "journal/?account=1100",
    "journal/trial-balance/",
]


@pytest.mark.parametrize("watched", SIZES, indirect=True, ids=lambda size: f"{size[0]}-{size[1]}")
def test_pages_are_accessible_and_quiet(watched: Watched, house: dict[str, str]) -> None:
    wrong = {}
    for path in PAGES:
        page = open_page(watched, house, path)
        found = findings_in_both_looks(page)
        if page.evaluate(SIDEWAYS):
            found.append("wider than the screen")
        if found:
            wrong[path] = found
    assert wrong == {}
    assert watched.wrong == []


def test_a_draft_is_written_by_keyboard_alone_and_issued(watched: Watched, house: dict[str, str]) -> None:
    page = open_page(watched, house, "invoices/")
    page.keyboard.press("n")
    page.wait_for_url("**/invoices/new/")
    rested(page)
    expect(page.get_by_label("Customer", exact=True)).to_be_focused()
    page.keyboard.type("Kestrel Freight Ltd (K-77)")
    for _ in range(3):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "terms_days":
            break
    while page.evaluate("document.activeElement.name") != "description":
        page.keyboard.press("Tab")
    page.keyboard.type("Frame scanner")
    page.keyboard.press("Tab")
    page.keyboard.type("3")
    page.keyboard.press("Tab")
    page.keyboard.type("1200/12*3")
    expect(page.locator("#amount-0")).to_have_text("900.00")  # worked out while the cell still holds the sum
    page.keyboard.press("Enter")
    expect(page.get_by_label("Price, line 1")).to_have_value("300.00")
    expect(page.get_by_label("Price, line 2")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.type("Training")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("100")
    expect(page.locator("#totals")).to_contain_text("1,190.00")
    expect(page.locator("#paper")).to_contain_text("Training")
    assert findings_in_both_looks(page) == []
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/invoices/doc_*/")
    heading = page.locator("h1")
    expect(heading).to_contain_text("INV-2026-")
    number = heading.inner_text()
    expect(page.locator(".rec-amt")).to_contain_text("1,190.00")
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_url("**/invoices/")
    expect(page.get_by_role("link", name=number)).to_be_visible()
    assert watched.wrong == []


def test_rows_are_pasted_copied_moved_and_dropped(watched: Watched, house: dict[str, str]) -> None:
    page = open_page(watched, house, "invoices/new/")
    sheet = "Frame scanner\t3\t420.00\t19\nLens library\t1\t300\t7\n"
    page.get_by_label("Item, line 1").focus()
    page.evaluate(PASTE, sheet)
    expect(page.get_by_label("Item, line 2")).to_have_value("Lens library")
    expect(page.get_by_label("Tax, line 2")).to_have_value("7")
    expect(page.locator("#totals")).to_contain_text("1,560.00")
    page.get_by_label("Quantity, line 1").focus()
    page.keyboard.press("Control+d")
    expect(page.get_by_label("Item, line 2")).to_have_value("Frame scanner")
    expect(page.get_by_label("Item, line 3")).to_have_value("Lens library")
    expect(page.locator("#totals")).to_contain_text("2,820.00")
    page.get_by_label("Item, line 3").focus()
    page.keyboard.press("Alt+ArrowUp")
    expect(page.get_by_label("Item, line 2")).to_have_value("Lens library")
    page.get_by_role("button", name="Remove line 3").click()
    expect(page.locator("#totals")).to_contain_text("1,560.00")
    assert watched.wrong == []


def test_the_dialogs_show_what_will_be_posted(watched: Watched, house: dict[str, str]) -> None:
    page = open_page(watched, house, "invoices/{issued}/")
    page.get_by_role("button", name="Credit note").click()
    expect(page.locator("#credit-preview")).to_contain_text("This will be posted today")
    page.get_by_label("Amounts of single lines").check()
    page.get_by_label("Credit of line 1").fill("10/4")
    page.get_by_label("Credit of line 1").blur()
    expect(page.locator("#credit-preview")).to_contain_text("2.98")
    assert findings_in_both_looks(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Void").click()
    expect(page.locator("#void")).to_contain_text("4000 Revenue")
    page.get_by_role("button", name="Void EUR").click()
    expect(page.locator("#void")).to_be_visible()
    expect(page.locator("#id_void-reason:invalid")).to_be_visible()
    page.locator("#id_void-reason").fill("Billed twice")
    page.get_by_role("button", name="Void EUR").click()
    expect(page.locator(".rec")).to_contain_text("Void")
    expect(page.locator(".tl")).to_contain_text("Billed twice")


def test_a_run_is_previewed_and_started(watched: Watched, house: dict[str, str]) -> None:
    page = open_page(watched, house, "runs/")
    page.keyboard.press("n")
    expect(page.locator("#run-preview")).to_contain_text("With tax")
    assert findings_in_both_looks(page) == []
    page.get_by_role("button", name="Start the run").click()
    page.wait_for_url("**/runs/run_*/")
    expect(page.locator("#progress")).to_contain_text("Running")
    assert watched.wrong == []


def test_chosen_drafts_are_issued_from_the_list(watched: Watched, house: dict[str, str]) -> None:
    page = open_page(watched, house, "invoices/?state=draft")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.get_by_role("button", name="Issue drafts").click()
    expect(page.locator("#toasts")).to_contain_text("1 invoice issued")
    expect(page.get_by_text("Nothing matches")).to_be_visible()

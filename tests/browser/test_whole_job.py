"""The whole job in a real Chromium without a mouse: from signing in to a settled invoice, the focus always seen."""

from collections.abc import Iterator
from fnmatch import fnmatch
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from core import effects
from core.imports import opening
from core.imports import work as imports
from core.relay import relay
from core.scope import Scope, enter, work
from tests import factories
from tests.browser.conftest import Watched, serving
from tests.browser.looking import rested, visit
from tests.cast import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]

# What the focus changes in an element's look: the element against a copy of it beside it that has no focus.
RING = """() => {
  const element = document.activeElement;
  const look = (of) => ["outlineStyle", "outlineWidth", "boxShadow"].map((name) => getComputedStyle(of)[name]).join();
  const copy = element.cloneNode(false);
  for (const name of ["id", "name", "autofocus"]) copy.removeAttribute(name);
  element.after(copy);
  const looks = [look(element), look(copy)];
  copy.remove();
  const box = element.getBoundingClientRect();
  return { ring: looks[0] !== looks[1], seen: box.bottom > 0 && box.top < innerHeight && box.width > 0 };
}"""
NAME = """() => {
  const element = document.activeElement;
  const label = element.labels?.[0]?.textContent ?? element.getAttribute("aria-label") ?? element.textContent;
  return label.replace(/\\s+/g, " ").trim();
}"""
INSIDE = "id => Boolean(document.activeElement.closest(`#${id}`)) || document.activeElement === document.body"
NOWHERE = "() => document.activeElement === document.body"


class Hands:
    """Ten fingers on a keyboard. It has the page's keys and nothing of its mouse."""

    def __init__(self, page: Page, home: str) -> None:
        self._page, self.home = page, home

    def press(self, *keys: str) -> None:
        for key in keys:
            self._page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Put the text into the field that has the focus, in place of what is selected."""
        self.see_focus()
        self._page.keyboard.type(text)

    def arrive(self, path: str) -> None:
        """Wait for the page of that path, * for what is not known, whatever its query."""
        wanted = f"{urlsplit(self.home).path}{path}"
        self._page.wait_for_url(lambda url: fnmatch(urlsplit(url).path, wanted))
        rested(self._page)

    def see_focus(self) -> None:
        """Whoever looks at the screen sees where the keys go."""
        found = self._page.evaluate(RING)
        assert found == {"ring": True, "seen": True}, (self.focused, found)

    @property
    def focused(self) -> str:
        return str(self._page.evaluate(NAME))

    def tab_to(self, name: str, *, key: str = "Tab", most: int = 20) -> None:
        """Press Tab until what has that name has the focus, which is seen all the way."""
        passed = []
        for _ in range(most):
            self.press(key)
            if not self._page.evaluate(NOWHERE):
                self.see_focus()
            passed.append(self.focused[:40])
            if self.focused.startswith(name):
                return
        pytest.fail(f"{name} is not within {most} keys: {passed}")

    def go(self, letter: str, path: str) -> None:
        self.press("g", letter)
        self.arrive(path)


@pytest.fixture
def hands(watched: Watched, committed: dict[str, str]) -> Iterator[Hands]:
    with serving(committed) as origin:
        yield Hands(watched.page, f"{origin}/o/acorn")
    assert watched.wrong == []


def sign_in(watched: Watched, hands: Hands) -> None:
    visit(watched.page, f"{hands.home}/")
    hands.type("ana@acorn.example")
    hands.press("Tab")
    hands.type(PASSWORD)
    hands.press("Enter")
    hands.arrive("/")


def let_a_worker_work(scope: Scope) -> None:
    with enter(scope):
        effects.work_off([])
        relay([])


def test_from_nothing_to_a_settled_invoice(watched: Watched, hands: Hands, committed_acorn: Scope) -> None:
    page = watched.page
    sign_in(watched, hands)

    hands.go("c", "/customers/")
    hands.press("n")
    hands.arrive("/customers/new/")
    for words in ("Kestrel Freight", "K-77", "ap@kestrel.example"):
        hands.type(words)
        hands.press("Tab")
    hands.press("Enter")
    hands.arrive("/customers/cus_*/")

    hands.go("p", "/plans/")
    hands.press("n")
    hands.arrive("/plans/new/")
    assert hands.focused.startswith("Code")
    hands.type("track-pro")
    hands.tab_to("Plan")
    hands.type("Track Pro")
    hands.tab_to("Model")
    hands.type("Per unit")
    expect(page.get_by_text("Quantity times price.")).to_be_visible()
    hands.tab_to("Price")
    hands.type("14.50")
    expect(page.locator("#quote")).to_contain_text("14.50")
    hands.press("Enter")
    hands.arrive("/plans/prices/price_*/")
    expect(page.get_by_text("Price saved")).to_be_visible()

    hands.go("s", "/subscriptions/")
    hands.press("n")
    hands.arrive("/subscriptions/new/")
    assert hands.focused.startswith("Customer")
    hands.type("K-77")
    hands.tab_to("Quantity")
    hands.type("10")
    hands.press("Enter")
    hands.arrive("/subscriptions/sub_*/")

    hands.go("b", "/runs/")
    hands.press("n")
    preview = page.locator("#run-preview")
    expect(preview).to_contain_text("1 invoice")
    expect(preview).to_contain_text("172.55")
    hands.tab_to("Start the run")
    hands.press("Enter")
    hands.arrive("/runs/run_*/")
    let_a_worker_work(committed_acorn)
    expect(page.get_by_role("link", name="INV-2")).to_be_visible(timeout=15_000)
    rested(page)  # a run that is over loads its page once more

    hands.press("j")
    hands.see_focus()
    number = hands.focused
    hands.press("Enter")
    hands.arrive("/invoices/doc_*/")
    expect(page.get_by_role("heading", level=1)).to_contain_text(number)

    hands.press("p")
    hands.arrive("/payments/new/cus_*/")
    assert hands.focused.startswith("Amount received")
    hands.type("172.55")
    hands.press("Enter")
    hands.arrive("/payments/pay_*/")
    hands.press("j")
    hands.see_focus()
    assert hands.focused == number
    hands.press("Enter")
    hands.arrive("/invoices/doc_*/")
    expect(page.locator(".rec")).to_contain_text("Paid")

    hands.go("a", "/ageing/")
    expect(page.get_by_text("Nothing was open")).to_be_visible()
    let_a_worker_work(committed_acorn)


@pytest.fixture
def bank_line(committed_acorn: Scope) -> str:
    """Money that came from somebody who owes, with a memo too unclear to be booked by itself; the invoice's number."""
    with work():
        invoice = factories.invoice(factories.customer(name="Kestrel Freight"), ("1", "100.00"), tax="0")
    said = "date,amount,currency,payer,memo\n2026-11-20,100.00,EUR,KESTREL,thanks\n"
    source = opening.upload("payments", data=said.encode(), name="bank.csv")
    with work():
        imports.prepare(source.public_id, mapping=source.mapping, choices={}, queued=False)
    imports.work_off(source.public_id)
    with work():
        imports.start(source.public_id, queued=False)
    imports.work_off(source.public_id)
    let_a_worker_work(committed_acorn)
    return str(invoice.number)


def test_a_bank_line_is_matched(watched: Watched, hands: Hands, bank_line: str) -> None:
    page = watched.page
    sign_in(watched, hands)
    hands.go("t", "/bank-lines/")
    hands.press("n")
    hands.arrive("/bank-lines/line_*/")
    hands.press("f")
    expect(page.get_by_label("Another customer")).to_be_focused()
    hands.type("Kestrel Freight")
    hands.press("Enter")
    expect(page.get_by_label(f"Amount for {bank_line}")).to_be_visible()
    hands.tab_to(f"Amount for {bank_line}", most=60)
    hands.press("Control+a")
    hands.type("100")
    expect(page.locator("#difference")).to_contain_text("0.00")
    hands.tab_to("Book and next")
    hands.press("Enter")
    hands.arrive("/bank-lines/")
    expect(page.get_by_text("Nothing waits")).to_be_visible()
    hands.go("i", "/invoices/")
    hands.press("j", "Enter")
    hands.arrive("/invoices/doc_*/")
    expect(page.locator(".rec")).to_contain_text("Paid")


def test_the_focus_skips_stays_inside_and_comes_back(watched: Watched, hands: Hands) -> None:
    page = watched.page
    sign_in(watched, hands)
    hands.go("b", "/runs/")
    hands.press("Tab")
    assert hands.focused == "Skip to content"
    hands.see_focus()
    hands.press("Enter", "Tab")
    assert page.evaluate("Boolean(document.activeElement.closest('main'))")
    hands.see_focus()
    assert hands.focused.startswith("Run for a date")

    hands.press("Shift+Tab", "n")  # the key opens it as well, from wherever the focus is
    expect(page.locator("#start")).to_be_visible()
    for key in ["Tab"] * 14 + ["Shift+Tab"] * 14:
        hands.press(key)
        assert page.evaluate(INSIDE, "start"), hands.focused
    hands.press("Escape")
    expect(page.locator("#start")).to_be_hidden()
    assert hands.focused.startswith("Run for a date")
    hands.see_focus()

    hands.press("Enter")
    hands.tab_to("Cancel")
    hands.press("Enter")
    expect(page.locator("#start")).to_be_hidden()
    assert hands.focused.startswith("Run for a date")

    for opener, layer in (("Control+k", "palette"), ("?", "shortcut-sheet")):
        hands.press(opener)
        expect(page.locator(f"#{layer}")).to_be_visible()
        for _ in range(6):
            hands.press("Tab")
            assert page.evaluate(INSIDE, layer), hands.focused
        hands.press("Escape")
        expect(page.locator(f"#{layer}")).to_be_hidden()
        assert hands.focused.startswith("Run for a date"), layer

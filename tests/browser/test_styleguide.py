"""Every component, in a real browser: reachable, readable, quiet, and kept within the content security policy."""

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Watched
from tests.browser.looking import findings, findings_in_both_looks, rested, visit

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]

SIZES = [(1440, "light"), (390, "light")]
PAGES = ["styleguide/", "styleguide/sign-in/", "styleguide/sign-in/?error=1", "styleguide/pay/"]
ERRORS = [403, 404, 409, 429, 500, 503]
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
STYLED = "document.querySelectorAll('[style]').length"


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("watched", SIZES, indirect=True, ids=lambda size: f"{size[0]}-{size[1]}")
def test_page_is_accessible_and_quiet(watched: Watched, bare_server: str, path: str) -> None:
    page = watched.page
    visit(page, f"{bare_server}/{path}")
    assert findings_in_both_looks(page) == []
    assert watched.wrong == []
    assert page.evaluate(SIDEWAYS) == 0


@pytest.mark.parametrize("status", ERRORS)
@pytest.mark.parametrize("watched", [(390, "dark"), (1440, "light")], indirect=True, ids=["390", "1440"])
def test_error_page_is_plain_and_accessible(watched: Watched, bare_server: str, status: int) -> None:
    page = watched.page
    answer = visit(page, f"{bare_server}/styleguide/error/{status}/")
    assert answer is not None
    assert answer.status == status
    assert findings(page) == []
    assert [text for text in watched.wrong if "Failed to load resource" not in text] == []
    assert page.evaluate(SIDEWAYS) == 0
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_no_inline_style_is_needed(watched: Watched, bare_server: str) -> None:
    answer = watched.page.goto(f"{bare_server}/styleguide/")
    assert answer is not None
    assert "unsafe-inline" not in answer.headers["content-security-policy"]
    assert watched.page.evaluate(STYLED) == 0


def test_open_layers_are_accessible(watched: Watched, bare_server: str) -> None:
    page = watched.page
    visit(page, f"{bare_server}/styleguide/")
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()
    assert findings(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#shortcut-sheet")).to_be_visible()
    expect(page.locator("#shortcut-sheet")).to_contain_text("New subscription")
    assert findings(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Ben Kovač").click()
    expect(page.get_by_role("menuitemradio", name="Dark")).to_be_visible()
    assert findings(page) == []
    assert watched.wrong == []


def test_keys_move_rows_and_stay_out_of_fields(watched: Watched, bare_server: str) -> None:
    page = watched.page
    visit(page, f"{bare_server}/styleguide/")
    page.keyboard.press("j")
    expect(page.locator("tr.cursor")).to_contain_text("CN-0112")
    page.keyboard.press("x")
    expect(page.locator("[data-chosen]")).to_have_text("2")
    page.locator("#f1").fill("")
    page.locator("#f1").press_sequentially("j?/")
    expect(page.locator("#f1")).to_have_value("j?/")
    expect(page.locator("tr.cursor")).to_contain_text("CN-0112")
    expect(page.locator("dialog#palette")).to_be_hidden()


def test_palette_lists_places_and_opens_one(watched: Watched, bare_server: str) -> None:
    page = watched.page
    visit(page, f"{bare_server}/styleguide/")
    page.keyboard.press("/")
    page.keyboard.type("custom")
    hit = page.locator("#palette [role=option]")
    expect(hit).to_have_count(1)
    expect(hit).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{bare_server}/styleguide/#")


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("1200/12*3", "300.00"),
        ("10/3", "3.33"),
        ("1,200", "1,200"),
        ("0.005+0.005", "0.01"),
        ("1/0", "1/0"),
        ("-2*(3+1)", "-8.00"),
    ],
)
def test_sums_in_amount_fields_are_exact(watched: Watched, bare_server: str, typed: str, shown: str) -> None:
    page = watched.page
    visit(page, f"{bare_server}/styleguide/")
    page.locator("#f5").fill(typed)
    page.locator("#f5").blur()
    expect(page.locator("#f5")).to_have_value(shown)


def test_date_keys(watched: Watched, bare_server: str) -> None:
    page = watched.page
    visit(page, f"{bare_server}/styleguide/")
    field = page.locator("#f7")
    for key, expected in [
        ("m", "2026-11-01"),
        ("-", "2026-10-31"),
        ("h", "2026-10-31"),
        ("+", "2026-11-01"),
        ("t", "2026-11-23"),
    ]:
        field.press(key)
        expect(field).to_have_value(expected)


def test_theme_is_kept_and_follows_the_system_by_default(watched: Watched, bare_server: str) -> None:
    page = watched.page
    visit(page, f"{bare_server}/styleguide/")
    scheme = "getComputedStyle(document.documentElement).colorScheme"
    assert page.evaluate(scheme) == "light dark"
    page.get_by_role("button", name="Ben Kovač").click()
    page.get_by_role("menuitemradio", name="Dark").click()
    page.reload()
    rested(page)
    assert page.evaluate(scheme) == "dark"


def test_a_form_is_sent_once(watched: Watched, bare_server: str) -> None:
    page = watched.page
    visit(page, f"{bare_server}/styleguide/")
    sent: list[str] = []

    def answer(route: Route) -> None:
        if route.request.method != "POST":
            return route.continue_()
        sent.append(route.request.url)
        return route.fulfill(status=204)

    page.route("**/*", answer)
    page.keyboard.press("v")
    button = page.locator("#sg-live button[type=submit]")
    width = button.bounding_box()
    button.click(no_wait_after=True)
    expect(button).to_have_attribute("aria-busy", "true")
    button.dispatch_event("click")
    page.locator("#sg-live form").evaluate("form => form.requestSubmit()")
    page.wait_for_timeout(200)
    assert len(sent) == 1
    assert button.bounding_box() == width


@pytest.mark.parametrize("watched", [(390, "light")], indirect=True, ids=["390"])
def test_the_drawer_opens_on_a_phone(watched: Watched, bare_server: str) -> None:
    page = watched.page
    visit(page, f"{bare_server}/styleguide/")
    expect(page.get_by_role("link", name="Invoices", exact=False).first).to_be_hidden()
    page.get_by_role("button", name="Menu", exact=True).click()
    expect(page.locator("#drawer .side")).to_be_visible()
    assert findings(page) == []
    page.get_by_role("button", name="Close menu").click()
    expect(page.locator(".shell > .side")).to_be_hidden()


@pytest.mark.parametrize("watched", [(390, "light")], indirect=True, ids=["390"])
def test_a_row_keeps_its_repair_on_a_phone(watched: Watched, bare_server: str) -> None:
    visit(watched.page, f"{bare_server}/styleguide/")
    expect(watched.page.get_by_role("link", name="Add one")).to_be_visible()


def test_a_swap_is_announced_and_a_post_carries_the_token(watched: Watched, bare_server: str) -> None:
    page = watched.page
    tokens: list[str] = []

    def answer(route: Route) -> None:
        tokens.append(route.request.headers.get("x-csrftoken", ""))
        route.fulfill(status=200, content_type="text/html", body="<h3>Three rows</h3>")

    page.route("**/piece/", answer)
    visit(page, f"{bare_server}/styleguide/")
    button = '<button id="go" class="btn" hx-post="/piece/" hx-target="#to">Go</button>'
    page.locator("#main").evaluate(
        "(main, html) => { main.insertAdjacentHTML('afterbegin', html); htmx.process(main); }",
        f'{button}<div id="to"></div>',
    )
    page.locator("#go").click()
    expect(page.locator("#live")).to_have_text("Three rows")
    expect(page.locator("#go")).not_to_have_class("btn is-busy")
    assert len(tokens) == 1
    assert tokens[0]
    assert watched.wrong == []

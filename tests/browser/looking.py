"""How tests look at a page: when it has come to rest, and for what axe finds in both looks from one visit."""

from collections.abc import Sequence

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, Response

RESTED = """() => document.readyState === 'complete'
    && !document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling')"""
_LOOK = """async (rules) => {
    const runOnly = rules.length ? { runOnly: { type: "rule", values: rules } } : {};
    const found = await axe.run(document, { resultTypes: ["violations"], ...runOnly });
    return found.violations.map((each) => `${each.id}: ${each.nodes[0].target}`);
}"""
"""What passed is not described: that takes longer than looking."""
OF_COLOUR = ("color-contrast", "link-in-text-block")
"""The looks differ in colours alone (test_looking.py): all other rules find in one what they find in the other."""


def visit(page: Page, address: str) -> Response | None:
    """Open a page and wait for what it fetches by itself."""
    answer = page.goto(address, wait_until="load")
    rested(page)
    return answer


def rested(page: Page) -> None:
    """Wait until nothing is being fetched into the page."""
    page.wait_for_function(RESTED)


def findings(page: Page, rules: Sequence[str] = ()) -> list[str]:
    """What axe finds, one line per rule, with the first element."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)  # half a megabyte, once for a page
    found: list[str] = page.evaluate(_LOOK, list(rules))
    return found


def findings_in_both_looks(page: Page) -> list[str]:
    """The same, light and dark; the page stays in the look it had."""
    before = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    found = [f"light: {each}" for each in findings(page)]
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    found += [f"dark: {each}" for each in findings(page, OF_COLOUR)]
    page.emulate_media(color_scheme="dark" if before else "light")
    return found

"""How tests look at a page: when it has come to rest, and for what axe finds in both looks from one visit."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Response

RESTED = """() => document.readyState === 'complete'
    && !document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling')"""
_VIOLATIONS = {"resultTypes": ["violations"]}
"""What passed is not described: that takes longer than looking."""


def visit(page: Page, address: str) -> Response | None:
    """Open a page and wait for what it fetches by itself."""
    answer = page.goto(address, wait_until="load")
    rested(page)
    return answer


def rested(page: Page) -> None:
    """Wait until nothing is being fetched into the page."""
    page.wait_for_function(RESTED)


def findings(page: Page) -> list[str]:
    """What axe finds, one line per rule, with the first element."""
    found = Axe().run(page, options=_VIOLATIONS).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['target']}" for each in found]


def findings_in_both_looks(page: Page) -> list[str]:
    """The same, light and dark; the page stays in the look it had."""
    before = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    found = []
    for look in ("light", "dark"):
        page.emulate_media(color_scheme=look, reduced_motion="reduce")  # type: ignore[arg-type]
        found += [f"{look}: {each}" for each in findings(page)]
    page.emulate_media(color_scheme="dark" if before else "light")
    return found

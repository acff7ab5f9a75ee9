"""What looking at a page in both looks from one visit rests on: light and dark differ in colours alone."""

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from tests.browser.conftest import ROOT, Watched
from tests.browser.looking import OF_COLOUR

MAIL = "templates/messages/base.html"
"""Read in programs for mail; no page."""


def test_no_page_asks_which_look_it_has() -> None:
    """Then `light-dark()` is all that depends on it, and that is a colour wherever it stands."""
    pages = [
        *ROOT.glob("templates/**/*.html"),
        *ROOT.glob("frontend/src/**/*.css"),
        *ROOT.glob("frontend/src/**/*.js"),
        *ROOT.glob("static/dist/*.css"),  # with what came from libraries
        *ROOT.glob("static/dist/*.js"),
    ]
    asking = [path for path in pages if "prefers-color-scheme" in path.read_text(encoding="utf-8")]
    assert [str(path.relative_to(ROOT)) for path in asking] == [MAIL]


@pytest.mark.browser
@pytest.mark.enable_socket
def test_the_rules_of_colour_are_all_that_are_on(watched: Watched) -> None:
    watched.page.evaluate(AXE_SCRIPT)
    rules = watched.page.evaluate("axe.getRules(['cat.color'])")
    assert {each["ruleId"] for each in rules if "wcag2aaa" not in each["tags"]} == set(OF_COLOUR)

"""Messages in a real browser: the letter is shown but cannot run, load, leave or be framed elsewhere."""

from collections.abc import Iterator

import pytest
from django.test import Client
from playwright.sync_api import expect

from core import clock
from core.scope import Scope, work
from core.states import move
from messaging.domain.states import MOVES, State
from tenants.models import User
from tests import factories
from tests.browser.conftest import Watched, serving
from tests.browser.looking import findings_in_both_looks, visit

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]
sizes = pytest.mark.parametrize("watched", [(1440, "light"), (390, "light")], indirect=True)
EVIL = """<html lang="en"><head><title>x</title><style>p { color: #333 }</style></head><body><p>Dear customer</p>
<script>top.document.title = "taken"</script><img src="x" onerror="top.document.title='taken'" alt="">
<img src="http://127.0.0.1:9/pixel.png" alt=""><a href="/o/acorn/" target="_top">away</a></body></html>"""


@pytest.fixture
def letter(committed_acorn: Scope, committed: dict[str, str], watched: Watched) -> Iterator[str]:
    """Vic at a running product with a letter that tries everything; its address."""
    with work():
        row = factories.letter(
            kind="receipt", about="pay_1", to_address="ap@kestrel.example", header_id="<1@x>", subject="Thank you",
            text_body="Dear customer", html_body=EVIL,
        )  # fmt: skip
        move(row, State.SENDING, moves=MOVES)
        move(row, State.SENT, moves=MOVES, sent_at=clock.now())
    client = Client()
    client.force_login(User.objects.get(name="Vic"))
    with serving(committed) as origin:
        cookie = {"name": "session", "value": client.cookies["session"].value, "url": origin}
        watched.page.context.add_cookies([cookie])  # type: ignore[list-item]
        yield f"{origin}/o/acorn/messages/{row.public_id}/"


@sizes
def test_the_letter_is_shown_and_harmless(watched: Watched, letter: str) -> None:
    page = watched.page
    refused: dict[str, str] = {}
    page.on("requestfailed", lambda request: refused.update({request.url: request.failure or ""}))
    visit(page, letter)
    frame = page.frame_locator("iframe.letter")
    expect(frame.get_by_text("Dear customer")).to_be_visible()
    assert page.title() == "Thank you"
    assert refused["http://127.0.0.1:9/pixel.png"] == "csp"
    frame.get_by_text("away").click()
    page.wait_for_timeout(300)
    assert page.url == letter
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    visit(page, f"{letter}?as=text")
    assert findings_in_both_looks(page) == []
    visit(page, letter.rsplit("/", 2)[0] + "/")
    assert findings_in_both_looks(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_opened_by_itself_it_cannot_run_either(watched: Watched, letter: str) -> None:
    page = watched.page
    visit(page, f"{letter}letter/")
    expect(page.get_by_text("Dear customer")).to_be_visible()
    assert page.title() == "x"

"""Bringing a file in, in a real browser: sent, named, checked, brought in and undone; each page accessible."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from core import effects
from core.scope import Scope, work
from customers.models import Customer
from tenants.models import User
from tests.browser.conftest import Watched, serving
from tests.browser.looking import findings_in_both_looks

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]
FILE = "Kundennummer;Kundenname;Land\nC1;Käthe Söhne;de\nC2;;at\nC3;Moss;fr\n".encode("cp1252")


@pytest.fixture
def house(
    committed_acorn: Scope, committed: dict[str, str], settings: Any, tmp_path: Path
) -> Iterator[dict[str, str]]:
    settings.MEDIA_ROOT = str(tmp_path)
    client = Client()
    client.force_login(User.objects.get(name="Ben"))
    with serving({**committed, "MEDIA_ROOT": str(tmp_path)}) as origin:
        yield {
            "origin": origin,
            "session": client.cookies["session"].value,
            "imports": f"{origin}/o/acorn/imports/",
        }


def looked_at(page: Page, what: str) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), what
    assert findings_in_both_looks(page) == [], what


@pytest.mark.parametrize("watched", [(1440, "light"), (390, "light")], indirect=True)
def test_a_file_is_brought_in_and_undone(watched: Watched, house: dict[str, str]) -> None:
    page = watched.page
    page.context.add_cookies([{"name": "session", "value": house["session"], "url": house["origin"]}])
    page.goto(house["imports"])
    looked_at(page, "nothing yet")
    page.keyboard.press("n")
    page.wait_for_url("**/imports/new/")
    looked_at(page, "file")
    page.get_by_role("button", name="Read the file").click()
    expect(page.get_by_text("Choose a file, or drag one here.")).to_be_visible()
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "kunden.csv", "mimeType": "text/csv", "buffer": FILE}
    )
    expect(page.get_by_text("kunden.csv")).to_be_visible()
    page.get_by_role("button", name="Read the file").click()
    page.wait_for_url("**/columns/")
    page.get_by_label("Customer number").select_option("Kundennummer")
    page.get_by_label("Name", exact=True).select_option("Kundenname")
    page.get_by_label("Country").select_option("Land")
    expect(page.get_by_role("cell", name="Käthe Söhne · Moss")).to_be_visible()
    looked_at(page, "columns")
    page.get_by_role("button", name="Check all rows").first.click()
    page.wait_for_url("**/imports/imp_*/")
    looked_at(page, "checking")
    effects.work_off([])
    start = page.get_by_role("button", name="Bring in 2 of 3 rows")
    expect(start).to_be_visible(timeout=10_000)
    expect(page.get_by_text("Name is missing.")).to_be_visible()
    looked_at(page, "checked")
    start.press("Enter")
    expect(page.get_by_text("Running")).to_be_visible()
    effects.work_off([])
    undo = page.get_by_role("button", name="Undo this import")
    expect(undo).to_be_visible(timeout=10_000)
    with work():
        assert set(Customer.objects.values_list("number", flat=True)) == {"C1", "C3"}
    page.get_by_role("link", name="Brought in").click()
    expect(page.get_by_role("link", name="C1", exact=True)).to_be_visible()
    looked_at(page, "done")
    undo.first.click()
    looked_at(page, "asked")
    page.get_by_role("dialog").get_by_role("button", name="Undo this import").click()
    expect(page.get_by_text("Being undone")).to_be_visible()
    effects.work_off([])
    expect(page.get_by_text("What it made was taken back", exact=False)).to_be_visible(timeout=10_000)
    with work():
        assert not Customer.objects.exists()
    page.goto(house["imports"])
    looked_at(page, "list")
    assert [text for text in watched.wrong if "422" not in text] == []


def test_a_file_too_large_is_refused_before_it_is_sent(
    watched: Watched, house: dict[str, str], tmp_path: Path
) -> None:
    page = watched.page
    page.context.add_cookies([{"name": "session", "value": house["session"], "url": house["origin"]}])
    page.goto(f"{house['imports']}new/")
    large = tmp_path / "large.csv"
    large.write_bytes(b"Number,Name\n" + b"C1,Kestrel\n" * 3_200_000)
    page.get_by_label("File", exact=True).set_input_files(large)
    expect(page.get_by_text("The file is larger than 32 MB. Cut it in parts.")).to_be_visible()
    assert page.evaluate("document.querySelector('#id_file').files.length") == 0
    page.evaluate("document.querySelector('#id_file').dataset.most = '99999999'")
    page.get_by_label("File", exact=True).set_input_files(large)
    page.get_by_role("button", name="Read the file").click()
    expect(page.get_by_text("The file is larger than 32 MB. Cut it in parts.")).to_be_visible(timeout=20_000)

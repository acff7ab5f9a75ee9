"""Writing drafts by hand: what is typed, what it comes to, and who saved first."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from core.scope import Scope, work
from customers.models import Customer
from invoicing.models import Document, Line
from tests import factories

Snapshot = Callable[[], dict[str, int]]
NEW = "/o/acorn/invoices/new/"
KEY = "form_01J9ZK0000000000000000"


@pytest.fixture
def kestrel(acorn: Scope) -> Customer:
    with work():
        return factories.customer(name="Kestrel Freight", number="K-77")


def typed(*rows: tuple[str, str, str, str], **head: str) -> dict[str, Any]:
    columns = list(zip(*rows, strict=True)) or [[], [], [], []]
    return {
        "customer": "Kestrel Freight (K-77)",
        "key": KEY,
        "memo": "",
        "terms_days": "",
        "issued_on": "2026-11-02",
        "act": "save",
        "description": list(columns[0]),
        "quantity": list(columns[1]),
        "unit_price": list(columns[2]),
        "tax_percent": list(columns[3]),
        "position": [""] * len(columns[0]),
        **head,
    }


ROWS = (
    ("Frame scanner", "3", "420.00", "19"),
    ("Lens library", "", "1200/12*3", "19 %"),
    ("Returned", "−1", "86.40", "7"),
)


def test_a_draft_is_made_once_of_a_double_click(ana: Client, kestrel: Customer) -> None:
    targets = {ana.post(NEW, typed(*ROWS, ("", "", "", "19")))["Location"] for _ in range(3)}
    assert len(targets) == 1
    with work():
        doc = Document.objects.get()
        assert doc.source == f"manual:{KEY}"
        assert [(line.description, line.amount_minor) for line in Line.objects.order_by("position")] == [
            ("Frame scanner", 126_000),
            ("Lens library", 30_000),
            ("Returned", -8_640),
        ]
        assert (doc.net_minor, doc.tax_minor) == (147_360, 29_640 - 605)
        assert doc.terms_days == kestrel.terms_days


def test_live_totals_are_what_is_saved(ana: Client, kestrel: Customer, snapshot: Snapshot) -> None:
    before = snapshot()
    live = ana.post("/o/acorn/invoices/totals/", typed(*ROWS)).content.decode()
    assert snapshot() == before
    assert re.findall(r'id="amount-\d"[^>]*>([^<]+)<', live) == ["1,260.00", "300.00", "(86.40)"]
    ana.post(NEW, typed(*ROWS))
    with work():
        total = Document.objects.get().total_minor
    assert f"{total / 100:,.2f}" in live


def test_live_totals_bear_half_typed_rows(ana: Client, kestrel: Customer) -> None:
    rows = (
        ("", "2", "10", "19"),
        ("x", "1e9", "1", ""),
        ("y", "1", "12*", ""),
        ("z", "1000000000", "1000000000", "0"),
    )
    answer = ana.post("/o/acorn/invoices/totals/", typed(*rows, customer="nobody"))
    assert answer.status_code == 200
    live = answer.content.decode()
    assert "20.00" in live
    assert live.count(">?<") == 3


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("", "1", "10", "19"), "Say what it is for."),
        (("x", "1", "", "19"), "A line needs a price."),
        (("x", "1e3", "10", "19"), "This is not a number."),
        (("x", "1", "NaN", "19"), "This is not a number."),
        (("x", "1", "Infinity", "19"), "This is not a number."),
        (("x", "١", "10", "19"), "This is not a number."),
        (("x", "1", "1_000", "19"), "This is not a number."),
        (("x", "1", "1/0", "19"), "divided by zero"),
        (("x", "1000000000", "1000000000", "19"), "too large"),
        (("x", "1", "9" * 40, "19"), "not a number"),
        (("x", "1", "0." + "1" * 13, "19"), "At most 12 decimals"),
        (("x", "1", "10", "101"), "between 0 and 100"),
        (("x", "1", "10", "-1"), "between 0 and 100"),
        (("x\x00y", "1", "10", "19"), "cannot be shown"),
        (("x\x1by", "1", "10", "19"), "cannot be shown"),
        (("x" * 501, "1", "10", "19"), "at most 500"),
        (("x" * 10_000, "1" * 10_000, "1" * 10_000, "1" * 10_000), "at most 500"),
        (("x", "1", "(" * 59, "19"), "not a number"),
    ],
)
def test_a_bad_cell_is_told_at_its_row(
    ana: Client, kestrel: Customer, snapshot: Snapshot, row: tuple[str, str, str, str], said: str
) -> None:
    before = snapshot()
    answer = ana.post(NEW, typed(("Good", "1", "10", "19"), row))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert said in page
    assert 'id="problem-1"' in page
    assert 'value="Good"' in page
    assert snapshot() == before


@pytest.mark.parametrize(
    "head",
    [
        {"customer": ""},
        {"customer": "nobody"},
        {"customer": "\x00"},
        {"customer": "x" * 10_000},
        {"terms_days": "-1"},
        {"terms_days": "9e9"},
        {"terms_days": "99999999999999999999"},
        {"memo": "x" * 10_000},
        {"memo": "\x00"},
        {"issued_on": "2999-01-01"},
        {"issued_on": "x"},
        {"key": ""},
        {"key": "'; --"},
        {"key": "x" * 500},
    ],
)
def test_a_bad_head_keeps_what_was_typed(
    ana: Client, kestrel: Customer, snapshot: Snapshot, head: dict[str, str]
) -> None:
    before = snapshot()
    answer = ana.post(NEW, typed(*ROWS, **head))
    assert answer.status_code == 422
    assert 'value="Frame scanner"' in answer.content.decode()
    assert snapshot() == before


def test_nothing_at_all_and_less_than_nothing_are_refused(
    ana: Client, kestrel: Customer, snapshot: Snapshot
) -> None:
    before = snapshot()
    assert "at least one line" in ana.post(NEW, typed()).content.decode()
    answer = ana.post(NEW, typed(("Back", "-1", "10", "19")))
    assert answer.status_code == 422
    assert "less than zero" in answer.content.decode()
    assert ana.post(NEW, typed(*[("x", "1", "1", "0")] * 151)).status_code in {409, 422}
    assert snapshot() == before


def test_a_name_that_two_customers_have_is_not_guessed(ana: Client, kestrel: Customer) -> None:
    with work():
        factories.customer(name="kestrel  FREIGHT")
    answer = ana.post(NEW, typed(*ROWS, customer="Kestrel Freight"))
    assert answer.status_code == 422
    assert "Several customers" in answer.content.decode()


def test_issue_from_the_editor_saves_and_numbers(ana: Client, kestrel: Customer, vic: Client) -> None:
    answer = ana.post(NEW, typed(*ROWS, act="issue"))
    assert answer.status_code == 302
    with work():
        doc = Document.objects.get()
        assert (doc.state, str(doc.issued_on)) == ("issued", "2026-11-02")
    assert ana.post(NEW, typed(*ROWS, act="issue"))["Location"] == answer["Location"]


def test_a_refused_issue_leaves_no_draft(ana: Client, kestrel: Customer, snapshot: Snapshot) -> None:
    from ledger.models import PeriodLock

    with work():
        PeriodLock.objects.create(entity_id=kestrel.entity_id, closed_through=factories.DAY)
    before = snapshot()
    answer = ana.post(NEW, typed(*ROWS, act="issue"))
    assert answer.status_code == 409
    assert "books of that period are closed" in answer.content.decode()
    assert snapshot() == before


def draft(kestrel: Customer) -> Document:
    with work():
        return Document.objects.get(pk=factories.draft_invoice(kestrel, ("1", "10.00"), ("2", "20.00")))


def test_the_editor_shows_and_replaces_the_lines(ana: Client, kestrel: Customer) -> None:
    doc = draft(kestrel)
    path = f"/o/acorn/invoices/{doc.public_id}/edit/"
    page = ana.get(path).content.decode()
    assert "Kestrel Freight (K-77)" in page
    assert 'value="20.00"' in page
    answer = ana.post(path, typed(("Only one", "1", "99.99", "0"), version=str(doc.version)))
    assert answer.status_code == 302
    with work():
        doc.refresh_from_db()
        assert (doc.total_minor, doc.version) == (9_999, 2)
        assert Line.objects.get().description == "Only one"


def test_two_who_edit_do_not_overwrite_each_other(
    ana: Client, ben: Client, kestrel: Customer, snapshot: Snapshot
) -> None:
    doc = draft(kestrel)
    path = f"/o/acorn/invoices/{doc.public_id}/edit/"
    assert ben.post(path, typed(("Ben's", "1", "1", "0"), version="1")).status_code == 302
    before = snapshot()
    answer = ana.post(path, typed(("Ana's words", "1", "2", "0"), version="1"))
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Your text is kept" in page
    assert "Ana&#x27;s words" in page
    assert 'name="overwrite" value="2"' in page
    assert snapshot() == before
    assert (
        ana.post(path, typed(("Ana's words", "1", "2", "0"), version="1", overwrite="2")).status_code == 302
    )
    with work():
        assert Line.objects.get().description == "Ana's words"


@pytest.mark.parametrize("version", ["", "x", "99999999999999999999", "-1", "0", "\x00"])
def test_a_version_that_is_none_saves_nothing(
    ana: Client, kestrel: Customer, snapshot: Snapshot, version: str
) -> None:
    doc = draft(kestrel)
    before = snapshot()
    path = f"/o/acorn/invoices/{doc.public_id}/"
    assert ana.post(f"{path}edit/", typed(("x", "1", "2", "0"), version=version)).status_code in {409, 422}
    assert ana.post(f"{path}delete/", {"version": version}).status_code == 409
    assert snapshot() == before


def test_what_the_editor_does_not_show_is_kept(ana: Client, kestrel: Customer) -> None:
    doc = draft(kestrel)
    why = [{"text": "As agreed"}]
    with work():
        Line.objects.filter(document=doc).update(
            why=why, service_start=factories.DAY, service_end="2026-12-02", detail="d"
        )
    rows = (("Track Pro 1", "1", "10.00", "19"), ("Track Pro 2", "3", "20.00", "19"), ("New", "1", "1", "19"))
    data = typed(*rows, version="1") | {"position": ["1", "2", ""]}
    assert ana.post(f"/o/acorn/invoices/{doc.public_id}/edit/", data).status_code == 302
    with work():
        lines = list(Line.objects.order_by("position"))
    assert [line.why for line in lines] == [why, [], []]
    assert [line.service_start for line in lines] == [factories.DAY, factories.DAY, None]


def test_a_draft_is_deleted_and_an_issued_one_is_not(
    ana: Client, kestrel: Customer, snapshot: Snapshot
) -> None:
    doc = draft(kestrel)
    assert ana.post(f"/o/acorn/invoices/{doc.public_id}/delete/", {"version": "1"}).status_code == 302
    with work():
        assert not Document.objects.exists()
        issued = factories.invoice(kestrel)
    before = snapshot()
    path = f"/o/acorn/invoices/{issued.public_id}/"
    assert ana.post(f"{path}delete/", {"version": str(issued.version)}).status_code == 409
    assert ana.post(f"{path}edit/", typed(*ROWS, version=str(issued.version))).status_code == 409
    assert ana.get(f"{path}edit/").status_code == 302
    assert snapshot() == before


def test_customers_are_found_while_typing(ana: Client, kestrel: Customer) -> None:
    found = ana.get("/o/acorn/invoices/customers/?customer=KESTREL").content.decode()
    assert 'value="Kestrel Freight (K-77)"' in found
    assert "Kestrel" in ana.get("/o/acorn/invoices/customers/?customer=K-7").content.decode()
    assert "Kestrel" not in ana.get("/o/acorn/invoices/customers/?customer=zzz%00").content.decode()


def test_the_queries_of_the_editor_do_not_grow(
    ana: Client, kestrel: Customer, queries: Callable[[Client, str], int]
) -> None:
    with work():
        small, big = (
            Document.objects.get(pk=factories.draft_invoice(kestrel, *[("1", "1.00")] * n)).public_id
            for n in (2, 40)
        )
    paths = [f"/o/acorn/invoices/{each}/edit/" for each in (small, big)]
    assert queries(ana, paths[0]) == queries(ana, paths[1]) <= 25


def test_a_price_with_many_decimals_survives_the_editor(ana: Client, kestrel: Customer) -> None:
    with work():
        doc = Document.objects.get(pk=factories.draft_invoice(kestrel, ("1482300.5", "0.001234567891")))
    page = ana.get(f"/o/acorn/invoices/{doc.public_id}/edit/").content.decode()
    quantity = re.search(r'name="quantity"[^>]*value="([^"]+)"', page)
    price = re.search(r'name="unit_price"[^>]*value="([^"]+)"', page)
    assert quantity
    assert price
    ana.post(
        f"/o/acorn/invoices/{doc.public_id}/edit/", typed(("x", quantity[1], price[1], "19"), version="1")
    )
    with work():
        line = Line.objects.get()
        assert (line.quantity, line.unit_price) == (Decimal("1482300.5"), Decimal("0.001234567891"))

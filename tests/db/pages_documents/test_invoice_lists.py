"""The list of documents: filters, totals over all of it, pages without a gap, and its file."""

import re
from datetime import date

import pytest
from django.test import Client

from core.scope import Scope, work
from invoicing.models import Document
from invoicing.services.correct import void
from tests import factories
from tests.db.pages_documents.test_invoices import LIST, pay
from tests.factories import DAY


def numbers(client: Client, query: str) -> list[str]:
    """Numbers shown by the list, in order; drafts as "Draft"."""
    page = client.get(LIST + query).content.decode()
    return re.findall(r'class="t-id id" href="[^"]+">([^<]+)</a>', page)


@pytest.fixture
def mixed(acorn: Scope) -> dict[str, Document]:
    with work():
        euro, yen = factories.customer(name="Lumière"), factories.customer(name="Tanaka", currency="JPY")
        factories.draft_invoice(euro)
        made = {
            "late": factories.invoice(euro, ("1", "100.00"), on=date(2020, 1, 1)),
            "paid": factories.invoice(euro, ("2", "10.00")),
            "void": factories.invoice(euro),
            "yen": factories.invoice(yen, ("1", "1847"), tax="0", on=date(2020, 2, 1)),
        }
        pay(made["paid"], made["paid"].total_minor)
        void(made["void"].public_id, on=DAY, reason="twice")
        return made


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "yen void paid late draft"),
        ("?state=draft", "draft"),
        ("?state=overdue", "yen late"),
        ("?state=open", "yen late"),
        ("?state=paid", "paid"),
        ("?state=void", "void"),
        ("?currency=JPY", "yen"),
        ("?amount=119", "void late draft"),
        ("?amount=119.00&state=void", "void"),
        ("?q=1847", "yen"),
        ("?q=1,847.00", "yen"),
        ("?amount=1847.5", ""),
        ("?issued_from=2020-01-15&issued_to=2020-12-31", "yen"),
        ("?due_to=2020-02-01", "late"),
        ("?kind=credit_note", ""),
        ("?state=overdue&currency=EUR", "late"),
    ],
)
def test_the_list_filters(ana: Client, mixed: dict[str, Document], query: str, expected: str) -> None:
    names = {doc.number: name for name, doc in mixed.items()} | {"Draft": "draft"}
    assert [names[number] for number in numbers(ana, query)] == expected.split()


def test_a_number_is_found_by_its_start_and_its_counter(ana: Client, mixed: dict[str, Document]) -> None:
    number = mixed["paid"].number
    assert numbers(ana, f"?q={number.lower()}") == [number]
    assert len(numbers(ana, f"?q={number[:9]}")) == 2  # the two of that year
    this_year = [doc for doc in mixed.values() if doc.number.startswith("INV-2026")]
    assert this_year[0].number in numbers(ana, f"?q={int(this_year[0].number[-5:])}")


def test_a_customer_is_filtered_by_name_and_kept_by_id(ana: Client, mixed: dict[str, Document]) -> None:
    with work():
        tanaka = mixed["yen"].customer.public_id
    answer = ana.get(f"{LIST}?customer_name=tanaka&state=open")
    assert answer.status_code == 302
    assert answer["Location"] == f"{LIST}?state=open&customer={tanaka}"
    assert numbers(ana, answer["Location"].removeprefix(LIST)) == [mixed["yen"].number]
    page = ana.get(answer["Location"]).content.decode()
    assert "Customer is Tanaka" in page
    assert "No customer has this name" in ana.get(f"{LIST}?customer_name=nobody").content.decode()


def test_the_totals_are_of_the_whole_filtered_set_by_currency(
    ana: Client, mixed: dict[str, Document]
) -> None:
    page = ana.get(f"{LIST}?state=overdue").content.decode()
    foot = page[page.index("<tfoot>") : page.index("</tfoot>")]
    assert re.findall(r">([\d,.]+)</span>", foot) == ["119.00", "119.00", "1,847", "1,847"]


@pytest.mark.parametrize(
    "query",
    [
        "?q=%00",
        "?q=" + "9" * 10_000,
        "?amount=1e400",
        "?amount=%D9%A1%D9%A2",
        "?due_from=31.11.2026",
        "?page=zzz",
        "?page=%00",
        "?customer=%00",
        "?currency=%27%3B--",
        "?state=nonsense",
        "?due=nonsense",
        "?amount=" + "9" * 60,
        "?issued_from=0001-01-01&issued_to=9999-12-31",
        "?q=%F0%9F%92%A9&amount=-5",
        "?due=this-year&due_from=x",
    ],
)
def test_odd_filters_never_break_the_list(ana: Client, mixed: dict[str, Document], query: str) -> None:
    assert ana.get(LIST + query).status_code == 200
    assert ana.get(LIST + "invoices.csv" + query).status_code == 200


def test_pages_follow_one_another_without_a_gap(ana: Client, acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        for _ in range(120):
            factories.draft_invoice(owner)
        ids = list(Document.objects.order_by("-id").values_list("public_id", flat=True))
    seen, query = [], ""
    while True:
        page = ana.get(LIST + query).content.decode()
        seen += re.findall(r'name="chosen" value="([^"]+)"', page)
        older = re.search(r'href="(\?page=[^"]+)"[^>]*rel="next"', page)
        if not older:
            break
        query = older[1]
    assert seen == ids
    newer = re.search(r'href="(\?page=[^"]+)"[^>]*rel="prev"', page)
    assert newer
    back = ana.get(LIST + newer[1]).content.decode()
    assert re.findall(r'name="chosen" value="([^"]+)"', back) == ids[50:100]


def test_the_file_holds_what_the_list_shows(ana: Client, mixed: dict[str, Document]) -> None:
    text = ana.get(f"{LIST}invoices.csv?state=overdue").content.decode("utf-8-sig")
    head, *lines = text.strip().split("\r\n")
    assert head.startswith("Number,Kind,Customer")
    assert sorted(line.split(",")[0] for line in lines) == sorted([mixed["late"].number, mixed["yen"].number])
    assert any(line.endswith("119.00,119.00") for line in lines)

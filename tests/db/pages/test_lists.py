"""Lists: pages by keyset that stay put while rows come, filters that indexes serve, files that harm nobody."""

import csv
import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client

from core.exports import safe_cell
from core.money import Money
from core.paging import Order, paged
from core.scope import Scope, enter, work
from customers.models import Customer
from customers.services.customers import name_key
from receivables.domain.items import Kind
from tests import factories
from tests.factories import DAY

BASE = "/o/acorn/customers/"


def fill(house: Scope, many: int, *, start: int = 0, items: bool = False) -> list[Customer]:
    with enter(house), work():
        made = [
            factories.customer(name=f"Firm {n:04}", number=f"F{n:04}") for n in range(start, start + many)
        ]
        if items:
            for row in made:
                factories.item(row, 1_000, due_on=DAY)
                factories.item(row, 200, Kind.PAYMENT)
    return made


def names(client: Client, address: str) -> list[str]:
    return [row.customer.name for row in client.get(BASE + address).context["rows"]]


def test_every_customer_is_on_one_page_and_back_is_the_same(ana: Client, house: Scope) -> None:
    fill(house, 120)
    pages, address = [], ""
    while True:
        context = ana.get(BASE + address).context
        pages.append([row.customer.name for row in context["rows"]])
        if not context["older"]:
            break
        address = context["older"]
    assert [len(page) for page in pages] == [50, 50, 20]
    assert [name for page in pages for name in page] == [f"Firm {n:04}" for n in range(120)]
    back = ana.get(BASE + address).context["newer"]
    assert names(ana, back) == pages[1]
    assert names(ana, ana.get(BASE + back).context["newer"]) == pages[0]
    assert ana.get(BASE).context["newer"] == ""


def test_rows_that_come_meanwhile_move_nothing(ana: Client, house: Scope) -> None:
    fill(house, 60, start=100)
    older = ana.get(BASE).context["older"]
    second = names(ana, older)
    fill(house, 10)
    assert names(ana, older) == second
    newer = ana.get(BASE + older).context["newer"]
    assert names(ana, newer) == [f"Firm {n:04}" for n in range(100, 150)]


def test_equal_names_are_told_apart_by_their_id(ana: Client, house: Scope) -> None:
    with enter(house), work():
        for _ in range(101):
            factories.customer(name="Same")
        found = Customer.objects.filter(name_key="same")
        order = Order("name_key")
        seen, cursor = [], ""
        for _ in range(3):
            part = paged(found, order, cursor)
            seen += [row.pk for row in part.rows]
            cursor = part.older
    assert len(seen) == len(set(seen)) == 101
    assert cursor == ""


@pytest.mark.parametrize("sort", ["name", "-name", "number", "-number", "newest"])
def test_each_sorting_pages_through_all(ana: Client, house: Scope, sort: str) -> None:
    fill(house, 55)
    first = ana.get(f"{BASE}?sort={sort}").context
    rest = names(ana, first["older"])
    assert len({*(row.customer.name for row in first["rows"]), *rest}) == 55


@pytest.mark.parametrize("sort", ["open", "-open"])
def test_sorting_by_balance_pages_through_all(ana: Client, house: Scope, sort: str) -> None:
    made = fill(house, 60)
    with enter(house), work():
        for n, row in enumerate(made):
            if n % 3:
                factories.item(row, 100 + n % 7)
    address = f"{BASE}?currency=EUR&sort={sort}"
    first = ana.get(address).context
    second = ana.get(BASE + first["older"]).context
    rows = [*first["rows"], *second["rows"]]
    sums = [sum(balance.open.minor for balance in row.balances) for row in rows]
    assert len({row.customer.pk for row in rows}) == 60
    assert sums == sorted(sums, reverse=sort == "-open")


def test_a_sorting_that_is_not_offered_is_the_usual_one(ana: Client, house: Scope) -> None:
    fill(house, 3)
    for sort in ("organization__slug", "-open", "version", "?"):
        assert names(ana, f"?sort={sort}") == [f"Firm {n:04}" for n in range(3)]


@pytest.mark.parametrize(
    "page", ["x", "!!!!", "WzAsMSwxXQ", "W10", "bnVsbA", "A" * 2000, "WzAsIlx1ZDgwMCIsMV0"]
)
def test_a_page_that_is_not_ours_is_the_first(ana: Client, house: Scope, page: str) -> None:
    fill(house, 3)
    assert len(names(ana, f"?page={page}")) == 3


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("kes", {"Kestrel Ärzte"}),
        ("KESTREL ar", {"Kestrel Ärzte"}),
        ("Ärz", {"Ärzte Nord"}),
        ("arz", {"Ärzte Nord"}),
        ("Q-1", {"Quay"}),
        ("estrel", set()),
        ("%", set()),
        ("k_s", set()),
    ],
)
def test_search_is_by_the_beginning(ana: Client, house: Scope, text: str, found: set[str]) -> None:
    with enter(house), work():
        for name, number in {"Kestrel Ärzte": "1", "Ärzte Nord": "2", "Quay": "Q-12"}.items():
            factories.customer(name=name, number=number)
    answer = ana.get(BASE, {"q": text})
    assert {row.customer.name for row in answer.context["rows"]} == found


def test_filters_narrow_rows_count_and_sums(ana: Client, house: Scope) -> None:
    with enter(house), work():
        late = factories.customer(name="Late")
        factories.item(late, 100, due_on=DAY)
        factories.item(factories.customer(name="In time"), 200, due_on=date(2099, 1, 1))
        factories.item(factories.customer(name="Dollar", currency="USD"), 300, due_on=DAY)
    context = ana.get(BASE + "?overdue=1&currency=EUR").context
    assert [row.customer.name for row in context["rows"]] == ["Late"]
    assert context["count"] == 1
    assert [(row.currency, row.open.minor) for row in context["sums"]] == [("EUR", 100)]
    assert len(context["chips"]) == 2


def test_statements_do_not_grow_with_rows(
    ana: Client, house: Scope, queries: Callable[[Client, str], int]
) -> None:
    first = fill(house, 5, items=True)[0]
    paths = [
        "",
        "?overdue=1&currency=EUR&sort=-open",
        f"{first.public_id}/",
        f"{first.public_id}/?tab=activity",
    ]
    for path in paths:  # what is kept for good, such as content types, is read once
        ana.get(BASE + path)
    few = [queries(ana, BASE + path) for path in paths]
    csv_few = queries(ana, BASE + "csv/")
    fill(house, 15, start=10, items=True)
    with enter(house), work():
        for n in range(8):
            factories.item(first, 500 + n)
    assert [queries(ana, BASE + path) for path in paths] == few
    assert queries(ana, BASE + "csv/") == csv_few
    assert max(few) <= 21


def test_the_search_is_served_by_an_index(house: Scope) -> None:
    fill(house, 400)
    with enter(house), work(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        key = name_key("Firm 03")
        cursor.execute(
            "EXPLAIN SELECT id FROM customers_customer WHERE organization_id = %s AND name_key >= %s"
            " AND name_key < %s ORDER BY name_key, id LIMIT 51",
            [house.organization_id, key, key + "\U0010ffff"],
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "customer_by_name" in plan
    assert "Index Cond" in plan
    assert "name_key >=" in plan.split("Index Cond")[1].splitlines()[0]


def rows_of(answer: object) -> list[list[str]]:
    text = answer.content.decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.reader(io.StringIO(text)))


def test_the_file_has_the_lists_filters(ana: Client, house: Scope) -> None:
    with enter(house), work():
        row = factories.customer(name="Ärzte, Nord", number="A1")
        factories.item(row, 123_456, due_on=DAY)
        factories.item(row, 1_000, Kind.PAYMENT)
        factories.customer(name="Other", number="B1")
    answer = ana.get(BASE + "csv/?q=arz")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    head, line = rows_of(answer)
    cells = dict(zip(head, line, strict=True))
    assert cells["Name"] == "Ärzte, Nord"
    assert (cells["Open"], cells["Overdue"], cells["Unused credit"]) == ("1224.56", "1234.56", "10.00")
    assert cells["Currency"] == "EUR"


@pytest.mark.parametrize("name", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", " =1", "＝1", "'=1"])
def test_a_name_cannot_become_a_formula(ana: Client, house: Scope, name: str) -> None:
    with enter(house), work():
        factories.customer(name=name)
    _head, line = rows_of(ana.get(BASE + "csv/"))
    assert line[1].startswith("'")


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("a=1", "a=1"),
        (Money(-5_000, "EUR"), "-50.00"),
        (Money(1_500, "JPY"), "1500"),
        (Money(-1, "KWD"), "-0.001"),
        (Decimal("-1E+3"), "-1000"),
        (-3, "-3"),
        (date(2026, 11, 2), "2026-11-02"),
        (None, ""),
    ],
)
def test_cells(value: object, cell: str) -> None:
    assert safe_cell(value) == cell


def test_a_list_too_long_for_a_file_says_so(
    ana: Client, house: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core import exports

    fill(house, 6)
    monkeypatch.setattr(exports, "MAX_ROWS", 5)
    answer = ana.get(BASE + "csv/?q=firm", follow=True)
    assert answer.redirect_chain[0][0].endswith("?q=firm")
    assert "more than 5 rows" in answer.content.decode()


def test_a_file_is_read_in_pieces(ana: Client, house: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    from core import exports

    fill(house, 25)
    monkeypatch.setattr(exports.in_chunks, "__kwdefaults__", {"size": 10})
    assert len(rows_of(ana.get(BASE + "csv/"))) == 26

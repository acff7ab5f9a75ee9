"""The pages of recurring revenue: figures that add up, each open into its movements, refused to whom it is not for."""

import csv
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.test import Client

from billing.services.subscriptions import end
from core.money import Money
from core.scope import Scope, work
from tests import factories

HOME = "/o/acorn/recurring-revenue/"
MOVES = f"{HOME}movements/"
SPRING = "day_from=2026-01-15&day_to=2026-04-10"


@pytest.fixture
def life(acorn: Scope) -> None:
    """Ten customers, one after the other, every other one gone by the end of March; and one in yen."""
    with work():
        for n in range(1, 11):
            made = factories.subscription(
                factories.customer(name=f"=Kestrel {n}"), date(2026, 1, n), unit_price=Decimal(n)
            )
            if n % 2:
                end(made.public_id, on=date(2026, 3, n), today=date(2026, 3, 1))
        factories.subscription(factories.customer(currency="JPY"), date(2026, 2, 1), unit_price=Decimal(900))


@pytest.mark.usefixtures("life")
def test_every_figure_opens_into_the_movements_it_is_made_of(ana: Client) -> None:
    sections = ana.get(f"{HOME}?{SPRING}").context["sections"]
    assert [each["currency"] for each in sections] == ["EUR", "JPY"]
    for section in sections:
        for row in [section["whole"], *section["rows"]]:
            moved = row["moved"]
            assert moved.opening + moved.net == moved.closing
            opened = [
                (row["opening"], moved.opening),
                (row["closing"], moved.closing),
                (row["href"], moved.net),
            ]
            opened += [(each["href"], each["amount"]) for each in row["kinds"]]
            for href, amount in opened:
                assert comes_to(ana, href, section["currency"]) == amount, href


def comes_to(client: Client, href: str, currency: str) -> Money:
    page = client.get(href)
    assert page.status_code == 200
    assert not page.context["form"].errors
    shown = sum((each["delta"] for each in page.context["rows"]), Money(0, currency))
    assert sum(page.context["sums"], Money(0, currency)) == shown
    return shown


@pytest.mark.usefixtures("life")
def test_the_page_says_the_figures(ana: Client) -> None:
    body = ana.get(f"{HOME}?{SPRING}").content.decode()
    for text in ("Apr 2026", "55.00", "(25.00)", "30.00", "900", "Churn"):
        assert text in body, text
    assert "as agreed so far" not in body
    assert "as agreed so far" in ana.get(f"{HOME}?day_to=2090-01-31").content.decode()


@pytest.mark.usefixtures("life")
def test_the_months_as_a_file(ana: Client) -> None:
    answer = ana.get(f"{HOME}csv/?{SPRING}")
    assert answer["Content-Disposition"].endswith("recurring-revenue-2026-01-15-2026-04-10.csv")
    rows = list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))
    march = next(row for row in rows if row["First day"] == "2026-03-01" and row["Currency"] == "EUR")
    assert march == {
        "Currency": "EUR", "First day": "2026-03-01", "Last day": "2026-03-31", "Opening": "55.00", "New": "0.00",
        "Expansion": "0.00", "Contraction": "0.00", "Churn": "-25.00", "Reactivation": "0.00", "Closing": "30.00",
    }  # fmt: skip


@pytest.mark.usefixtures("life")
def test_movements_as_a_file_run_no_formula(ana: Client) -> None:
    rows = list(csv.DictReader(StringIO(ana.get(f"{MOVES}csv/?kind=churn").content.decode("utf-8-sig"))))
    assert [row["Change a month"] for row in rows] == ["-1.00", "-3.00", "-5.00", "-7.00", "-9.00"]
    assert rows[0]["Customer"] == "'=Kestrel 1"
    assert rows[0]["Day"] == "2026-03-01"


@pytest.mark.usefixtures("life")
def test_a_long_list_is_cut_into_pages_and_its_sum_is_of_all(ana: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr("core.paging.paged.__kwdefaults__", {"size": 4})
    page = ana.get(f"{MOVES}?currency=EUR")
    assert [str(each) for each in page.context["sums"]] == ["EUR 30.00"]
    seen = [each["row"].pk for each in page.context["rows"]]
    while page.context["older"]:
        page = ana.get(MOVES + page.context["older"])
        seen += [each["row"].pk for each in page.context["rows"]]
    assert len(seen) == len(set(seen)) == 15


@pytest.mark.usefixtures("life")
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("day_from=2026-05-01&day_to=2026-04-01", 422),
        ("day_from=1990-01-01", 422),
        ("day_from=x", 422),
        ("day_to=9999-12-31", 422),
        ("plan=%00", 422),
        ("plan=nothing", 200),
        ("day_from=2026-04-01&day_from=2026-04-02", 200),
    ],
)
def test_days_that_are_none_are_named_and_the_last_year_shown(ana: Client, query: str, status: int) -> None:
    answer = ana.get(f"{HOME}?{query}")
    assert answer.status_code == status
    if status == 422:
        assert "That was not understood" in answer.content.decode()
        assert answer.context["sections"]
    assert ana.get(f"{HOME}csv/?{query}").status_code == 200


@pytest.mark.parametrize(
    "query", ["kind=loss", "currency=eur", "day_to=x", "customer=a+b", "page=zzz", "plan=%00"]
)
def test_a_filter_that_is_none_is_left_out(ana: Client, query: str) -> None:
    for path in (MOVES, f"{MOVES}csv/"):
        assert ana.get(f"{path}?{query}").status_code == 200


def test_a_filter_stays_when_another_is_taken_away(ana: Client) -> None:
    page = ana.get(f"{MOVES}?kind=churn&currency=EUR&customer=cus_gone&day_to=2026-04-01")
    labels = {chip.label: chip.href for chip in page.context["chips"]}
    assert set(labels) == {"Kind is Churn", "Currency is EUR", "Customer is cus_gone", "Up to 1 Apr 2026"}
    assert labels["Kind is Churn"] == "?day_to=2026-04-01&currency=EUR&customer=cus_gone"


def test_with_nothing_there_it_says_so(ana: Client) -> None:
    assert "No recurring revenue" in ana.get(HOME).content.decode()
    assert "No movements yet" in ana.get(MOVES).content.decode()


@pytest.mark.usefixtures("life")
def test_who_may_only_look_downloads_nothing_and_others_see_nothing(vic: Client, bea: Client) -> None:
    assert vic.get(HOME).status_code == vic.get(MOVES).status_code == 200
    for path in (f"{HOME}csv/", f"{MOVES}csv/"):
        assert vic.get(path).status_code == 403
    for path in (HOME, MOVES, f"{HOME}csv/", f"{MOVES}csv/"):
        assert bea.get(path).status_code == 404
        assert bea.post(path).status_code in {404, 405}
    own = bea.get("/o/birch/recurring-revenue/movements/")
    assert own.context["rows"] == []


@pytest.mark.usefixtures("life")
def test_statements_stay_few(ana: Client, queries: Callable[[Client, str], int]) -> None:
    ana.get(HOME)
    before = queries(ana, f"{HOME}?{SPRING}"), queries(ana, f"{MOVES}?kind=new")
    with work():
        for n in range(6):
            factories.subscription(factories.customer(), date(2026, 1, 20), unit_price=Decimal(n + 1))
    assert (queries(ana, f"{HOME}?{SPRING}"), queries(ana, f"{MOVES}?kind=new")) == before

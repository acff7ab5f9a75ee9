"""Recurring revenue as programs read it: figures that add up, the movements behind them, nothing of another's."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.services.subscriptions import end, end_item
from core.scope import Scope, enter, work
from customers.models import Customer
from tests import factories
from tests.db.api.conftest import Program, pointers, said, statements
from tests.db.api.invoices import today

pytestmark = pytest.mark.usefixtures("judged")
KINDS = ("new", "expansion", "contraction", "churn", "reactivation")
RANGE = "day_from=2026-01-15&day_to=2026-04-10"


@pytest.fixture
def subs(api: Program, house: Scope, kestrel: Customer) -> list[str]:
    """One that grows, shrinks and ends in March, one in dollars that goes on; both made by API."""
    with enter(house), work():
        dollar = factories.customer(name="Dollar Inc", currency="USD")
    prices = []
    for code, currency, unit, amount in (
        ("pro", "EUR", "month", "10"),
        ("pro", "USD", "year", "120.06"),
        ("add", "EUR", "month", "5"),
    ):
        body = {"name": code, "code": code, "model": "per_unit", "currency": currency, "unit": unit}
        prices.append(api.post("/prices", {**body, "unit_price": amount}, status=201)["id"])
    bodies: tuple[dict[str, Any], ...] = (
        {"customer": kestrel.public_id, "price": prices[0], "starts_on": "2026-01-01", "quantity": "10"},
        {"customer": dollar.public_id, "price": prices[1], "starts_on": "2026-02-03"},
    )
    made = [api.post("/subscriptions", body, status=201)["id"] for body in bodies]
    item = api.post(
        f"/subscriptions/{made[0]}/items", {"price": prices[2], "starts_on": "2026-02-10"}, status=201
    )
    newest = item["items"][-1]["id"] if "items" in item else item["id"]
    with enter(house), work():  # by the day it was then: a year later the API refuses these days
        end_item(newest, on=date(2026, 3, 1), today=date(2026, 3, 1))
        end(made[0], on=date(2026, 3, 20), today=date(2026, 3, 20))
    return made


def figures(row: dict[str, Any]) -> list[int]:
    return [row[f"{name}_minor"] for name in ("opening", *KINDS, "closing")]


def test_the_months_go_from_opening_to_closing(api: Program, subs: list[str]) -> None:
    found = api.get(f"/mrr?{RANGE}")
    assert (found["object"], found["day_from"], found["day_to"]) == ("mrr", "2026-01-15", "2026-04-10")
    euro, dollar = found["currencies"]
    assert [euro["currency"], dollar["currency"]] == ["EUR", "USD"]
    assert [(row["first_day"], row["last_day"]) for row in euro["months"]] == [
        ("2026-01-15", "2026-01-31"),
        ("2026-02-01", "2026-02-28"),
        ("2026-03-01", "2026-03-31"),
        ("2026-04-01", "2026-04-10"),
    ]
    assert [figures(row) for row in euro["months"]] == [
        [10_000, 0, 0, 0, 0, 0, 10_000],
        [10_000, 0, 500, 0, 0, 0, 10_500],
        [10_500, 0, 0, -500, -10_000, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],
    ]
    assert figures(euro["whole"]) == [10_000, 0, 500, -500, -10_000, 0, 0]
    assert figures(dollar["whole"]) == [0, 1_001, 0, 0, 0, 0, 1_001]


@pytest.mark.parametrize(
    "days", [("2026-02-10", "2026-02-10"), ("2025-12-31", "2026-03-19"), ("2026-03-20", "2027-01-01")]
)
def test_any_days_add_up_and_are_made_of_their_movements(
    api: Program, subs: list[str], days: tuple[str, str]
) -> None:
    asked = f"day_from={days[0]}&day_to={days[1]}"
    for each in api.get(f"/mrr?{asked}")["currencies"]:
        for row in [each["whole"], *each["months"]]:
            opening, *moved, closing = figures(row)
            assert opening + sum(moved) == closing
            until = f"day_to={row['last_day']}&currency={each['currency']}"
            assert closing == sum(one["delta_minor"] for one in api.get(f"/mrr_movements?{until}")["data"])
            for kind, minor in zip(KINDS, moved, strict=True):
                cut = f"day_from={row['first_day']}&day_to={row['last_day']}"
                listed = api.get(f"/mrr_movements?{cut}&kind={kind}&currency={each['currency']}")["data"]
                assert sum(one["delta_minor"] for one in listed) == minor


def test_movements_are_listed_and_filtered(api: Program, subs: list[str], kestrel: Customer) -> None:
    rows = api.get("/mrr_movements")["data"]
    assert [row["day"] for row in rows] == [
        "2026-03-20", "2026-03-01", "2026-02-10", "2026-02-03", "2026-01-01",
    ]  # fmt: skip
    assert {name: rows[0][name] for name in ("object", "kind", "delta_minor", "mrr_minor", "currency")} == {
        "object": "mrr_movement", "kind": "churn", "delta_minor": -10_000, "mrr_minor": 0, "currency": "EUR",
    }  # fmt: skip
    assert (rows[0]["subscription"], rows[0]["customer"]) == (subs[0], kestrel.public_id)
    for query, left in (
        (f"subscription={subs[1]}", 1), (f"customer={kestrel.public_id}", 4), ("currency=USD", 1),
        ("kind=churn", 1), ("plan=pro", 5), ("plan=add", 0), ("day_from=2026-02-10", 3), ("day_to=2026-02-03", 2),
        ("customer=cus_none", 0),
    ):  # fmt: skip
        assert len(api.get(f"/mrr_movements?{query}")["data"]) == left, query
    opened = api.get(
        "/mrr_movements?limit=1&expand[]=customer&expand[]=subscription&expand[]=subscription.price"
    )["data"][0]
    assert opened["customer"]["name"] == "Kestrel"
    assert opened["subscription"]["price"]["object"] == "price"


def test_a_cursor_walks_every_movement_once(api: Program, subs: list[str]) -> None:
    seen, path = [], "/mrr_movements?limit=2"
    while path:
        page = api.get(path)
        seen += [row["id"] for row in page["data"]]
        path = page["next"] and page["next"].partition("/api/v1")[2]
    assert seen == [row["id"] for row in api.get("/mrr_movements")["data"]]
    assert len(set(seen)) == 5


def test_revenue_of_a_plan(api: Program, subs: list[str]) -> None:
    assert len(api.get(f"/mrr?{RANGE}&plan=pro")["currencies"]) == 2
    assert api.get(f"/mrr?{RANGE}&plan=add")["currencies"] == []


def test_the_last_twelve_months_unless_said_otherwise(api: Program, subs: list[str]) -> None:
    found = api.get("/mrr?day_to=2026-03-31")
    assert found["day_from"] == "2025-04-01"
    assert len(found["currencies"][0]["months"]) == 12


def test_a_call_repeated_moves_once(api: Program, subs: list[str]) -> None:
    before = api.get("/mrr_movements")["data"]
    for _ in range(2):
        api.post(f"/subscriptions/{subs[1]}/end", {"on": str(today())}, Idempotency_Key="again")
    api.post(f"/subscriptions/{subs[1]}/end", {"on": str(today())})
    assert len(api.get("/mrr_movements")["data"]) == len(before) + 1


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("day_from=2026-05-01&day_to=2026-04-30", "day_to"),
        ("day_from=1990-01-01&day_to=2026-04-30", "day_from"),
        ("day_to=9999-12-31", "day_to"),
        ("day_from=2026-02-30", "day_from"),
        ("from=2026-02-01", "from"),
        ("plan=" + "x" * 41, "plan"),
        ("plan=%00", "plan"),
    ],
)
def test_what_is_no_range_is_named(api: Program, query: str, named: str) -> None:
    answer = api("GET", f"/mrr?{query}")
    assert (answer.status_code, pointers(answer)) == (422, [f"/{named}"])


@pytest.mark.parametrize("query", ["kind=loss", "currency=eur", "day_to=x", "limit=0", "customer=%00"])
def test_a_filter_that_is_none_is_named(api: Program, query: str) -> None:
    answer = api("GET", f"/mrr_movements?{query}")
    assert (answer.status_code, pointers(answer)) == (422, [f"/{query.partition('=')[0]}"])


def test_it_needs_its_right_and_is_nobody_elses(
    api: Program, as_key: Callable[..., Program], subs: list[str]
) -> None:
    lacking = as_key("acorn", "ana@acorn.example", rights=["subscriptions.view"])
    for path in ("/mrr", "/mrr_movements"):
        assert lacking("GET", path).status_code == 403
    bea = as_key("birch", "bea@birch.example")
    assert bea.get("/mrr")["currencies"] == []
    assert bea.get(f"/mrr_movements?subscription={subs[0]}")["data"] == []
    assert said(bea("GET", f"/mrr_movements?subscription={subs[0]}"))["data"] == []


def test_statements_do_not_grow(api: Program, subs: list[str], house: Scope) -> None:
    paths = (
        "/mrr_movements?limit=100&expand[]=customer&expand[]=subscription&expand[]=subscription.price",
        f"/mrr?{RANGE}",
    )
    before = {path: statements(api, path) for path in paths}
    with enter(house), work():
        for n in range(12):
            made = factories.subscription(factories.customer(), date(2026, 1, 20), unit_price=Decimal(n + 1))
            end(made.public_id, on=date(2026, 3, 20), today=date(2026, 3, 1))
    for path in paths:
        assert statements(api, path) <= before[path], path

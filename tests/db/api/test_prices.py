"""Prices of every model by API, what a quantity costs, and what is added to a subscription."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import time_machine

from billing.models import BilledPeriod, Price, SubscriptionItem
from billing.services.run import run_billing
from core.books import verify
from core.periods import Unit, boundary
from core.scope import Scope, enter, work
from customers.models import Customer
from tests.db.api.conftest import Program, said
from tests.db.api.invoices import today

pytestmark = pytest.mark.usefixtures("judged")

TIERS = [{"up_to": "5", "unit_price": "7"}, {"up_to": "10", "unit_price": "6.5"}, {"unit_price": "6"}]
DAY = "2026-11-01"


def price(api: Program, **given: Any) -> Any:
    return api.post("/prices", {"code": "calls", "name": "Calls", "currency": "EUR", **given}, 201)


def counted(house: Scope) -> tuple[int, int]:
    with enter(house), work():
        return Price.objects.count(), SubscriptionItem.objects.count()


def pointers(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.content
    return [each["pointer"] for each in said(answer)["errors"]]


@pytest.mark.parametrize(("_case", "terms", "quantity", "minor"), [
    ("graduated", {"model": "graduated", "tiers": TIERS}, "12", 7950),
    ("volume", {"model": "volume", "tiers": TIERS}, "12", 7200),
    ("package", {"model": "package", "unit_price": "100", "per": "10", "free": "10"}, "121", 120000),
    ("stairstep", {"model": "stairstep", "tiers": [{"up_to": "10", "flat": "100"}, {"flat": "180"}]}, "11", 18000),
    ("percentage", {"model": "percentage", "percent": "2.9", "minimum": "30", "maximum": "50"}, "1000", 3000),
    ("shares", {"model": "graduated_percentage", "tiers": [{"percent": "1", "flat": "200"}]}, "10", 20010),
    ("per unit", {"model": "per_unit", "unit_price": "0.0012"}, "1000", 120),
    ("flat", {"model": "flat", "unit_price": "0"}, "3", 0),
    ("packages of one", {"model": "package", "unit_price": "2", "per": "1"}, "2.5", 600),
    ("no share", {"model": "percentage", "percent": "0", "minimum": "1"}, "1000", 100),
])  # fmt: skip
def test_a_price_of_each_model_is_kept_and_quoted_as_it_was_said(
    api: Program, _case: str, terms: dict[str, Any], quantity: str, minor: int
) -> None:
    made = price(api, **terms)
    for name, value in terms.items():
        if name != "tiers":
            assert made[name] == value
    assert [{k: v for k, v in tier.items() if v is not None} for tier in made["tiers"]] == terms.get(
        "tiers", []
    )
    again = api.get(f"/prices/{made['id']}")
    assert again == made
    kept = api.get(f"/prices/{made['id']}/quote?quantity={quantity}")
    free = api.post("/quotes", {**terms, "currency": "EUR", "quantity": quantity})
    assert kept == free
    assert kept["amount_minor"] == minor
    assert kept["why"][-1]["label"] == "Rounded once, half away from zero"


def test_events_are_quoted_one_by_one(api: Program) -> None:
    terms = {"model": "percentage", "percent": "1", "per_event": "5", "free_events": 3, "currency": "EUR"}
    assert api.post("/quotes", {**terms, "events": ["10", "10", "10", "10"]})["amount_minor"] == 510
    assert pointers(api("POST", "/quotes", {**terms, "quantity": "40"})) == ["/quantity"]
    api.post("/meters", {"name": "Sales", "code": "sales", "aggregation": "sum", "field": "n"}, 201)
    kept = price(api, **{**terms, "free_events": 0, "timing": "arrears", "meter": "sales"})
    assert api.get(f"/prices/{kept['id']}/quote?quantity=40")["amount_minor"] == 540


def test_a_part_by_its_share_is_said_of_what_a_meter_counts(api: Program) -> None:
    terms = {"model": "per_unit", "unit_price": "1", "minimum": "10", "by_share": True}
    plain = price(api, model="per_unit", unit_price="1")
    assert (plain["by_share"], plain["flat_at_zero"]) == (False, True)
    wish = {"code": "c", "name": "C", "currency": "EUR", **terms}
    assert pointers(api("POST", "/prices", wish)) == ["/by_share"]
    api.post("/meters", {"name": "Sales", "code": "sales", "aggregation": "sum", "field": "n"}, 201)
    assert price(api, **terms, timing="arrears", meter="sales")["by_share"] is True
    flat = {**wish, "model": "flat", "timing": "arrears", "meter": "sales"}
    assert "/by_share" in pointers(api("POST", "/prices", flat))


def test_a_price_by_listed_days_is_kept_and_billed_by_them(api: Program, kestrel: Customer) -> None:
    days = {"unit": "dates", "dates": ["12-25", "03-25", "06-24", "09-29"]}
    made = price(api, model="flat", unit_price="900", **days)
    assert (made["unit"], made["every"], made["dates"]) == ("dates", 1, ["03-25", "06-24", "09-29", "12-25"])
    assert api.get(f"/prices/{made['id']}") == made
    assert price(api, model="flat", unit_price="10")["dates"] == []
    wish = {"customer": kestrel.public_id, "price": made["id"], "starts_on": "2026-12-25"}
    sub = api.post("/subscriptions", wish, 201)
    coming = api.get(f"/subscriptions/{sub['id']}/upcoming")
    (line,) = coming["lines"]
    assert (coming["bill_on"], line["service_start"], line["service_end"]) == (
        "2026-12-25", "2026-12-25", "2027-03-25",
    )  # fmt: skip
    assert line["amount_minor"] == 90000


@pytest.mark.parametrize(("_case", "terms", "pointer"), [
    ("a tier that falls", {"model": "volume", "tiers": [{"up_to": "5"}, {"up_to": "5"}, {}]}, "/tiers/1/up_to"),
    ("no tier", {"model": "volume"}, "/tiers"),
    ("a field of another model", {"model": "flat", "unit_price": "1", "percent": "1"}, "/percent"),
    ("a number that is none", {"model": "flat", "unit_price": "NaN"}, "/unit_price"),
    ("a JSON number", {"model": "volume", "tiers": [{"unit_price": 7}]}, "/tiers/0/unit_price"),
    ("a field of no tier", {"model": "volume", "tiers": [{"colour": "red"}]}, "/tiers/0/colour"),
    ("more than all", {"model": "percentage", "percent": "100.1"}, "/percent"),
    ("arrears of what is owed once", {"model": "flat", "unit_price": "1", "unit": "once", "timing": "arrears"},
     "/timing"),
    ("replaces none", {"model": "flat", "unit_price": "1", "replaces": "price_none"}, "/replaces"),
    ("listed days and none", {"model": "flat", "unit_price": "1", "unit": "dates"}, "/dates"),
    ("an empty list", {"model": "flat", "unit_price": "1", "unit": "dates", "dates": []}, "/dates"),
    ("days of a month", {"model": "flat", "unit_price": "1", "dates": ["03-25"]}, "/dates"),
    ("a day twice", {"model": "flat", "unit_price": "1", "unit": "dates", "dates": ["03-25", "03-25"]}, "/dates/1"),
    ("31 April", {"model": "flat", "unit_price": "1", "unit": "dates", "dates": ["03-25", "04-31"]}, "/dates/1"),
    ("30 February", {"model": "flat", "unit_price": "1", "unit": "dates", "dates": ["02-30"]}, "/dates/0"),
    ("29 February", {"model": "flat", "unit_price": "1", "unit": "dates", "dates": ["02-29"]}, "/dates/0"),
    ("a whole date", {"model": "flat", "unit_price": "1", "unit": "dates", "dates": ["2026-03-25"]}, "/dates/0"),
    ("a number", {"model": "flat", "unit_price": "1", "unit": "dates", "dates": [325]}, "/dates/0"),
    ("text for a list", {"model": "flat", "unit_price": "1", "unit": "dates", "dates": "03-25"}, "/dates"),
    ("too many", {"model": "flat", "unit_price": "1", "unit": "dates", "dates": ["03-25"] * 25}, "/dates"),
    ("every second", {"model": "flat", "unit_price": "1", "unit": "dates", "dates": ["03-25"], "every": 2}, "/every"),
    ("every second of what is owed once", {"model": "flat", "unit_price": "1", "unit": "once", "every": 2}, "/every"),
    ("half a yen", {"model": "per_unit", "unit_price": "0.5", "currency": "JPY", "minimum": "1.5"}, "/minimum"),
    ("a tenth of a cent", {"model": "per_unit", "unit_price": "0.5", "maximum": "10.001"}, "/maximum"),
])  # fmt: skip
def test_what_makes_no_price_is_named_at_its_field(
    api: Program, house: Scope, _case: str, terms: dict[str, Any], pointer: str
) -> None:
    before = counted(house)
    assert pointers(api("POST", "/prices", {"code": "c", "name": "C", "currency": "EUR", **terms})) == [
        pointer
    ]
    assert counted(house) == before


def test_a_price_is_replaced_and_retired(api: Program, kestrel: Customer) -> None:
    old = price(api, model="flat", unit_price="10")
    sub = api.post(
        "/subscriptions", {"customer": kestrel.public_id, "price": old["id"], "starts_on": DAY}, 201
    )
    new = price(api, model="flat", unit_price="12", replaces=old["id"])
    gone = api.get(f"/prices/{old['id']}")
    assert gone["replaced_by"] == new["id"]
    assert gone["retired_at"]
    wish = {"customer": kestrel.public_id, "price": old["id"], "starts_on": DAY}
    assert pointers(api("POST", "/subscriptions", wish)) == ["/price"]
    assert api.get(f"/subscriptions/{sub['id']}")["price"] == old["id"]
    retired = api.post(f"/prices/{new['id']}/retire")
    assert api.post(f"/prices/{new['id']}/retire") == retired


@time_machine.travel("2026-11-27T09:00:00Z")
def test_a_subscription_with_what_is_added_is_billed_as_its_preview_says(
    api: Program, house: Scope, kestrel: Customer
) -> None:
    plan, setup = (
        price(api, model="flat", unit_price="29"),
        price(api, model="flat", unit_price="99", unit="once"),
    )
    calls = price(api, model="graduated", tiers=TIERS, timing="arrears")
    sub = api.post("/subscriptions", {
        "customer": kestrel.public_id, "price": plan["id"], "starts_on": DAY,
        "added": [{"price": setup["id"]}, {"price": calls["id"], "quantity": "12"}],
    }, 201)  # fmt: skip
    assert [(item["role"], item["price"], item["quantity"]) for item in sub["items"]] == [
        ("plan", plan["id"], "1"), ("fee", setup["id"], "1"), ("added", calls["id"], "12"),
    ]  # fmt: skip
    path = f"/subscriptions/{sub['id']}"
    with enter(house):
        run_billing(date(2026, 11, 1))
    coming = api.get(f"{path}/upcoming")
    assert (coming["bill_on"], coming["net_minor"]) == ("2026-12-01", 2900 + 7950)
    with enter(house):
        run_billing(date(2026, 12, 1))
    invoice = api.get("/invoices")["data"][0]
    assert invoice["lines"] == coming["lines"]
    assert [step["label"] for step in invoice["lines"][1]["why"]] == [
        "For 1 Nov 2026 to 30 Nov 2026", "Up to 5: 5 × 7.00", "Up to 10: 5 × 6.50", "Above 10: 2 × 6.00",
        "Rounded once, half away from zero",
    ]  # fmt: skip
    with enter(house), work():
        assert verify() == []


@time_machine.travel("2026-11-27T09:00:00Z")
def test_items_are_added_and_ended(api: Program, house: Scope, kestrel: Customer) -> None:
    plan, extra = price(api, model="flat", unit_price="29"), price(api, model="per_unit", unit_price="3")
    sub = api.post(
        "/subscriptions", {"customer": kestrel.public_id, "price": plan["id"], "starts_on": DAY}, 201
    )
    path = f"/subscriptions/{sub['id']}"
    item = api.post(f"{path}/items", {"price": extra["id"], "quantity": "10", "starts_on": "2026-11-16"}, 201)
    assert api.get(path)["items"][1] == item
    with enter(house):
        run_billing(date(2026, 11, 16))
    with enter(house), work():
        assert list(BilledPeriod.objects.order_by("id").values_list("amount_minor", flat=True)) == [
            2900,
            1500,
        ]
    end = f"/subscription_items/{item['id']}/end"
    assert pointers(api("POST", end, {"on": "2026-11-15"})) == ["/on"]
    ended = api.post(end, {"on": "2026-12-01"})
    assert ended["ends_on"] == "2026-12-01"
    assert api.post(end, {"on": "2026-12-01"}) == ended
    assert (
        api("POST", f"/subscription_items/{sub['items'][0]['id']}/end", {"on": "2026-12-01"}).status_code
        == 409
    )


@pytest.mark.parametrize(("_case", "added", "pointer"), [
    ("no such price", [{"price": "price_none"}], "/added/0/price"),
    ("less than nothing", [{"quantity": "-1"}], "/added/0/quantity"),
    ("a field it does not know", [{"discount": "1"}], "/added/0/discount"),
])  # fmt: skip
def test_what_cannot_be_added_is_named_at_its_place(
    api: Program, house: Scope, kestrel: Customer, _case: str, added: list[dict[str, str]], pointer: str
) -> None:
    plan = price(api, model="flat", unit_price="29")
    before = counted(house)
    wish = {"customer": kestrel.public_id, "price": plan["id"], "starts_on": DAY}
    wish["added"] = [{"price": plan["id"], **each} for each in added]
    assert pointers(api("POST", "/subscriptions", wish)) == [pointer]
    assert counted(house) == before


def test_who_may_only_look_changes_nothing(
    api: Program, as_key: Callable[..., Program], house: Scope, kestrel: Customer
) -> None:
    made = price(api, model="flat", unit_price="29")
    sub = api.post(
        "/subscriptions", {"customer": kestrel.public_id, "price": made["id"], "starts_on": DAY}, 201
    )
    before, viewer = counted(house), as_key("acorn", "ana@acorn.example", rights=["subscriptions.view"])
    for path, body in [
        (f"/prices/{made['id']}/retire", {}),
        (f"/subscriptions/{sub['id']}/items", {"price": made["id"], "starts_on": DAY}),
        (f"/subscription_items/{sub['items'][0]['id']}/end", {"on": DAY}),
    ]:
        assert viewer("POST", path, body).status_code == 403, path
    assert counted(house) == before
    assert viewer.get(f"/prices/{made['id']}/quote?quantity=1")["amount_minor"] == 2900


@time_machine.travel("2026-11-27T09:00:00Z")
def test_a_change_is_previewed_made_and_taken_back(api: Program, house: Scope, kestrel: Customer) -> None:
    plan = price(api, model="flat", unit_price="29")
    dear = price(api, code="dear", name="Dear", model="per_unit", unit_price="50")
    wish = {"customer": kestrel.public_id, "price": plan["id"], "starts_on": DAY}
    sub = api.post("/subscriptions", wish, 201)
    path = f"/subscriptions/{sub['id']}"
    with enter(house):
        run_billing(date(2026, 11, 1))
    change = {"price": dear["id"], "quantity": "3", "on": "2026-12-01"}
    coming = api.post(f"{path}/change/preview", change)
    assert (coming["bill_on"], coming["net_minor"]) == ("2026-12-01", 15000)
    assert api.get(path)["items"] == sub["items"]
    made = api.post(f"{path}/change", change)
    assert [(each["price"], each["starts_on"], each["ends_on"]) for each in made["items"]] == [
        (plan["id"], DAY, "2026-12-01"), (dear["id"], "2026-12-01", None),
    ]  # fmt: skip
    assert api.post(f"{path}/change", change) == made
    back = api.post(f"{path}/change/revoke")
    assert (back["price"], back["items"][0]["ends_on"]) == (plan["id"], None)
    again = api.post(f"{path}/change", change)
    with enter(house):
        run_billing(date(2026, 12, 1))
    assert api.get("/invoices")["data"][0]["net_minor"] == coming["net_minor"]
    assert api.get(path)["price"] == dear["id"] != again["price"]


@pytest.mark.parametrize(("_case", "wish", "pointer"), [
    ("before it begins", {"quantity": "2", "on": "2026-10-15"}, "/on"),
    ("no such price", {"price": "price_none"}, "/price"),
    ("nothing", {}, "/price"),
    ("less than nothing", {"quantity": "-1"}, "/quantity"),
    ("a field it does not know", {"discount": "1"}, "/discount"),
])  # fmt: skip
def test_a_change_that_cannot_be_is_named(
    api: Program, house: Scope, kestrel: Customer, _case: str, wish: dict[str, str], pointer: str
) -> None:
    plan = price(api, model="flat", unit_price="29")
    sub = api.post(
        "/subscriptions", {"customer": kestrel.public_id, "price": plan["id"], "starts_on": DAY}, 201
    )
    with enter(house):
        run_billing(date(2026, 11, 1))
    before = counted(house)
    for act in ("change", "change/preview"):
        assert pointers(api("POST", f"/subscriptions/{sub['id']}/{act}", wish)) == [pointer]
    assert counted(house) == before


def test_what_a_meter_counted_is_previewed_and_billed(api: Program, house: Scope, kestrel: Customer) -> None:
    api.post("/meters", {"name": "Calls", "code": "calls", "aggregation": "sum", "field": "n"}, 201)
    plan = price(api, model="flat", unit_price="29")
    calls = price(api, model="graduated", tiers=TIERS, timing="arrears", meter="calls")
    assert calls["meter"] == api.get("/meters/calls")["id"]
    first = today().replace(day=1)
    wish = {"customer": kestrel.public_id, "price": plan["id"], "starts_on": str(first)}
    wish["added"] = [{"price": calls["id"]}]
    sub = api.post("/subscriptions", wish, 201)
    event = {"transaction_id": "t1", "meter": "calls", "subscription": sub["id"], "properties": {"n": "12"}}
    assert api.post("/usage_events", event)["status"] == "created"
    due = boundary(first, Unit.MONTH, 1, 1)
    with enter(house):
        run_billing(first)
        run_billing(due)
    invoice = api.get("/invoices")["data"][0]
    assert [line["amount_minor"] for line in invoice["lines"]] == [2900, 7950]
    refused = {
        "code": "x",
        "name": "X",
        "currency": "EUR",
        "model": "per_unit",
        "unit_price": "1",
        "meter": "nobody",
    }
    assert pointers(api("POST", "/prices", {**refused, "timing": "arrears"})) == ["/meter"]
    with_quantity = {"price": calls["id"], "quantity": "2", "starts_on": str(due)}
    assert pointers(api("POST", f"/subscriptions/{sub['id']}/items", with_quantity)) == ["/quantity"]

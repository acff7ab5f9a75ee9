"""Coupons and discounts by API: made, given, read back, ended; refused by the field."""

from collections.abc import Callable
from typing import Any

import pytest

from core.scope import Scope
from customers.models import Customer
from tests.db.api.conftest import Program, pointers, same_refusal
from tests.db.api.invoices import today
from tests.db.api.test_billing import bill, subscribed, written

pytestmark = pytest.mark.usefixtures("judged")
HALF = {"code": "HALF", "name": "Half", "percent": "50", "periods": 2, "most": 5}


def test_a_coupon_is_made_given_billed_and_archived(api: Program, house: Scope, kestrel: Customer) -> None:
    made = api.post("/coupons", HALF, 201)
    assert (made["percent"], made["amount"], made["given"], made["until"]) == ("50", "0", 0, None)
    assert api.get(f"/coupons/{made['id']}") == made
    sub = subscribed(api, kestrel, starts_on=str(today()))
    given = api.post(f"/subscriptions/{sub['id']}/discounts", {"coupon": "HALF"}, 201)
    assert (given["starts_on"], given["name"], given["coupon"]) == (str(today()), "Half", made["id"])
    assert api.post(f"/subscriptions/{sub['id']}/discounts", {"coupon": "HALF"}, 201) == given
    seen = api.get(f"/subscriptions/{sub['id']}/upcoming")
    assert seen["lines"][0]["detail"].endswith("50 % off (Half)")
    bill(house, today())
    (invoice,) = api.get("/invoices")["data"]
    assert invoice["total_minor"] == seen["total_minor"]
    assert api.post(f"/coupons/{made['id']}/archive", None, 200)["archived_at"] is not None
    assert [each["id"] for each in api.get("/coupons")["data"]] == [made["id"]]
    ended = api.post(f"/subscription_discounts/{given['id']}/end", {}, 200)
    assert ended["ends_on"] == api.get(f"/subscriptions/{sub['id']}")["next_bill_on"]
    assert api.get(f"/subscriptions/{sub['id']}/discounts")["data"] == [ended]


def test_a_discount_of_its_own(api: Program, house: Scope, kestrel: Customer) -> None:
    sub = subscribed(api, kestrel)
    body = {"name": "Sorry", "amount": "2.50", "periods": 1}
    given = api.post(f"/subscriptions/{sub['id']}/discounts", body, 201)
    assert (given["amount"], given["coupon"], given["plans"], given["per"]) == ("2.5", None, [], "bill")
    other = api.post(f"/subscriptions/{sub['id']}/discounts", {**body, "name": "Each", "per": "line"}, 201)
    assert other["per"] == "line"


def test_an_amount_is_off_a_bill_unless_each_line_is_said(api: Program, house: Scope) -> None:
    five = {"name": "Five", "amount": "5", "currency": "EUR"}
    said = [
        {"code": "A", **five},
        {"code": "B", **five, "per": "line"},
        {"code": "C", "name": "C", "percent": "5"},
    ]
    assert [api.post("/coupons", each, 201)["per"] for each in said] == ["bill", "line", "line"]


@pytest.mark.parametrize(("wish", "fields"), [
    ({"percent": "0"}, ["/percent"]), ({"percent": "100.5"}, ["/percent"]), ({"percent": 5}, ["/percent"]),
    ({"percent": "5", "amount": "1", "currency": "EUR"}, ["/percent"]), ({"periods": 0}, ["/periods"]),
    ({"code": "a b"}, ["/code"]), ({"plans": ["none"]}, ["/plans"]), ({"until": "x"}, ["/until"]),
    ({"most": 0}, ["/most"]),
    ({"amount": "1e3"}, ["/amount"]), ({"currency": "EUR"}, ["/currency"]), ({"extra": 1}, ["/extra"]),
    ({"per": "bill"}, ["/per"]), ({"per": "month"}, ["/per"]), ({"per": ""}, ["/per"]),
])  # fmt: skip
def test_what_is_no_coupon_is_named(
    api: Program, house: Scope, wish: dict[str, Any], fields: list[str]
) -> None:
    before = written(house)
    refused = api("POST", "/coupons", {**HALF, **wish})
    assert (refused.status_code, pointers(refused)) == (422, fields)
    assert written(house) == before


@pytest.mark.parametrize(("wish", "fields"), [
    ({}, ["/name", "/percent"]), ({"coupon": "NONE"}, ["/coupon"]), ({"coupon": "HALF", "percent": "5"}, ["/percent"]),
    ({"name": "x", "percent": "5", "plans": ["other"]}, ["/plans"]),
    ({"name": "x", "percent": "5", "on": "1999-01-01"}, ["/on"]),
])  # fmt: skip
def test_what_cannot_be_given_is_named(
    api: Program, house: Scope, kestrel: Customer, wish: dict[str, Any], fields: list[str]
) -> None:
    api.post("/coupons", HALF, 201)
    sub = subscribed(api, kestrel)
    before = written(house)
    refused = api("POST", f"/subscriptions/{sub['id']}/discounts", wish)
    assert (refused.status_code, sorted(pointers(refused))) == (422, fields)
    assert written(house) == before


def test_only_who_may_and_only_their_own(
    as_key: Callable[..., Program], api: Program, house: Scope, kestrel: Customer
) -> None:
    coupon = api.post("/coupons", HALF, 201)
    sub = subscribed(api, kestrel)
    given = api.post(f"/subscriptions/{sub['id']}/discounts", {"coupon": "HALF"}, 201)
    before = written(house)
    reader = as_key("acorn", "ana@acorn.example", rights=["subscriptions.view"])
    bea = as_key("birch", "bea@birch.example")
    for path, name, body in (
        (f"/coupons/{coupon['id']}/archive", coupon["id"], None),
        (f"/subscriptions/{sub['id']}/discounts", sub["id"], {"name": "x", "percent": "5"}),
        (f"/subscription_discounts/{given['id']}/end", given["id"], {}),
    ):
        assert reader("POST", path, body).status_code == 403
        same_refusal(bea, "POST", path, name, body)
    assert reader("POST", "/coupons", HALF).status_code == 403
    assert bea.get("/coupons")["data"] == []
    assert written(house) == before

"""Steps of a plan by API: said with its subscription or one by one, put between, taken back, billed as said."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from billing.models import SubscriptionStep
from core.models import OutboxEvent
from core.scope import Scope, enter, work
from customers.models import Customer
from tests.db.api.conftest import Program, pointers, said, same_refusal, statements
from tests.db.api.invoices import today
from tests.db.api.test_billing import TRACK, bill, price, subscribed, wish, written

pytestmark = pytest.mark.usefixtures("judged")


def day(ahead: int) -> str:
    return str(today() + timedelta(days=ahead))


def steps(api: Program, made: Any) -> list[tuple[str, str | None, str, str]]:
    """Day, quantity that was said, and what a whole period costs before and after, in minor units."""
    return [
        (each["on"], each["quantity"], f"{each['amount_before_minor']}", f"{each['amount_after_minor']}")
        for each in api.get(f"/subscriptions/{made['id']}/steps")["data"]
    ]


def test_a_subscription_begins_with_steps_and_bills_them(
    api: Program, house: Scope, kestrel: Customer
) -> None:
    dear = price(api, code="dear", unit_price="20")
    made = subscribed(api, kestrel, quantity="10", steps=[
        {"on": day(40), "price": dear["id"], "unit_price": "18"}, {"on": day(20), "quantity": "30"},
        {"after_periods": 12, "quantity": "100"},
    ])  # fmt: skip
    assert made["quantity"] == "10"
    listed = steps(api, made)
    assert [each[:2] for each in listed[:2]] == [(day(20), "30"), (day(40), None)]
    assert [each[2:] for each in listed] == [("14506", "43517"), ("43517", "54000"), ("54000", "180000")]
    for n in (0, 20, 40):
        bill(house, today() + timedelta(days=n))
    assert api.get(f"/subscriptions/{made['id']}")["price"] != dear["id"], "an own price"
    quantities = [each["quantity"] for each in api.get(f"/subscriptions/{made['id']}")["items"]]
    assert quantities == ["10", "30", "30", "100"]


def test_a_step_is_added_between_two_and_each_taken_back_by_its_day(
    api: Program, house: Scope, kestrel: Customer
) -> None:
    made = subscribed(api, kestrel, quantity="1", steps=[{"on": day(60), "quantity": "3"}])
    path = f"/subscriptions/{made['id']}/steps"
    added = api.post(path, {"on": day(30), "quantity": "2"}, 201)
    assert (added["object"], added["on"], added["quantity"]) == ("subscription_step", day(30), "2")
    assert (added["amount_before_minor"], added["amount_after_minor"], added["reached"]) == (1451, 2901, True)
    version = api.get(f"/subscriptions/{made['id']}")["version"]
    assert api.post(path, {"on": day(30), "quantity": "2"}, 201) == added
    assert api.get(f"/subscriptions/{made['id']}")["version"] == version, "the same again"
    assert api("DELETE", f"{path}/{day(60)}", If_Match='"1"').status_code == 412
    assert api("DELETE", f"{path}/{day(60)}").status_code == 204
    assert api("DELETE", f"{path}/{day(60)}").status_code == 404
    assert steps(api, made) == [(day(30), "2", "1451", "2901")]
    with enter(house), work():
        told = OutboxEvent.objects.filter(name="subscription.changed").order_by("id")
        assert [(each.payload["what"], each.payload["on"]) for each in told] == [
            ("plan", day(30)),
            ("plan", None),
        ]


def test_a_preview_says_what_the_step_then_bills(api: Program, house: Scope, kestrel: Customer) -> None:
    made = subscribed(api, kestrel, quantity="4")
    bill(house, today())
    body = {"on": day(10), "quantity": "9"}
    seen = api.post(f"/subscriptions/{made['id']}/change/preview", body, 200)
    assert steps(api, made) == []
    api.post(f"/subscriptions/{made['id']}/steps", body, 201)
    bill(house, today() + timedelta(days=10))
    newest = api.get("/invoices")["data"]
    assert seen["total_minor"] in {each["total_minor"] for each in newest}
    assert seen["credits"][0]["total_minor"] > 0


@pytest.mark.parametrize(("body", "fields"), [
    ({}, ["/price"]),
    ({"on": "2026-13-01", "quantity": "2"}, ["/on"]),
    ({"on": "0", "quantity": "2"}, ["/on"]),
    ({"on": None, "quantity": "2"}, ["/on"]),
    ({"on": "2020-01-01", "quantity": "2"}, ["/on"]),
    ({"on": "TOMORROW", "quantity": "NaN"}, ["/on", "/quantity"]),
    ({"after_periods": 0, "quantity": "2"}, ["/after_periods"]),
    ({"after_periods": 121, "quantity": "2"}, ["/after_periods"]),
    ({"after_periods": "1e9", "quantity": "2"}, ["/after_periods"]),
    ({"after_periods": 2, "quantity": "-1"}, ["/quantity"]),
    ({"after_periods": 2, "quantity": "1e40"}, ["/quantity"]),
    ({"after_periods": 2, "quantity": "\x00"}, ["/quantity"]),
    ({"after_periods": 2, "price": "price_nope"}, ["/price"]),
    ({"after_periods": 2, "price": 5}, ["/price"]),
    ({"after_periods": 2, "unit_price": "-0.01"}, ["/unit_price"]),
    ({"after_periods": 2, "seats": "5"}, ["/seats"]),
    ({"after_periods": 2, "quantity": "1"}, ["/price"]),
])  # fmt: skip
def test_what_cannot_be_a_step_is_named_at_its_field_and_nothing_is_written(
    api: Program, house: Scope, kestrel: Customer, body: Any, fields: list[str]
) -> None:
    made = subscribed(api, kestrel)
    there = written(house)
    refused = api("POST", f"/subscriptions/{made['id']}/steps", body)
    assert (refused.status_code, sorted(pointers(refused))) == (422, fields)
    begun = api("POST", "/subscriptions", wish(kestrel, made["price"], steps=[{**body}]))
    if body.get("on") != "2020-01-01":
        assert (begun.status_code, sorted(pointers(begun))) == (422, [f"/steps/0{each}" for each in fields])
    assert written(house) == there
    with enter(house), work():
        assert SubscriptionStep.objects.count() == 0


@pytest.mark.parametrize("body", [
    [{"on": f"20{30 + n // 12}-{n % 12 + 1:02}-01", "quantity": str(n + 2)} for n in range(25)], "x", [5], None,
])  # fmt: skip
def test_steps_that_are_no_list_or_too_many_are_refused(api: Program, kestrel: Customer, body: Any) -> None:
    refused = api("POST", "/subscriptions", wish(kestrel, price(api)["id"], steps=body))
    assert refused.status_code == 422
    assert pointers(refused)[0].startswith("/steps")


@pytest.mark.parametrize("name", ["2026-02-30", "0", "-", "2026-1-1", "20260101", "tomorrow"])
def test_a_day_that_is_none_names_no_step(api: Program, kestrel: Customer, name: str) -> None:
    made = subscribed(api, kestrel)
    assert api("DELETE", f"/subscriptions/{made['id']}/steps/{name}").status_code == 404


def test_only_who_may_says_steps_and_others_find_nothing(
    as_key: Callable[..., Program], api: Program, house: Scope, kestrel: Customer
) -> None:
    made = subscribed(api, kestrel, steps=[{"on": day(30), "quantity": "2"}])
    path, there = f"/subscriptions/{made['id']}/steps", written(house)
    reader = as_key("acorn", "ana@acorn.example", rights=["subscriptions.view"])
    assert len(reader.get(path)["data"]) == 1
    assert reader("POST", path, {"on": day(60), "quantity": "5"}).status_code == 403
    assert reader("DELETE", f"{path}/{day(30)}").status_code == 403
    bea = as_key("birch", "bea@birch.example")
    same_refusal(bea, "GET", path, made["id"])
    same_refusal(bea, "POST", path, made["id"], {"on": day(60), "quantity": "5"})
    same_refusal(bea, "DELETE", f"{path}/{day(30)}", made["id"])
    assert written(house) == there
    assert len(api.get(path)["data"]) == 1


def test_the_list_of_steps_takes_as_many_statements_however_many_there_are(
    api: Program, kestrel: Customer
) -> None:
    one = subscribed(api, kestrel, steps=[{"on": day(30), "quantity": "2"}])
    many = api.post("/subscriptions", wish(kestrel, api.post("/prices", {**TRACK, "code": "b"}, 201)["id"], steps=[
        {"on": day(30 * n), "quantity": str(n + 1)} for n in range(1, 20)
    ]), 201)  # fmt: skip
    assert statements(api, f"/subscriptions/{one['id']}/steps") == statements(
        api, f"/subscriptions/{many['id']}/steps"
    )


def test_the_one_change_is_taken_back_as_before_and_of_several_none(api: Program, kestrel: Customer) -> None:
    made = subscribed(api, kestrel)
    path = f"/subscriptions/{made['id']}"
    api.post(f"{path}/change", {"on": day(30), "quantity": "5"}, 200)
    api.post(f"{path}/change", {"on": day(60), "quantity": "6"}, 200)
    assert said(api("POST", f"{path}/change/revoke"))["code"] == "conflict"
    assert len(api.get(f"{path}/steps")["data"]) == 2
    assert api("DELETE", f"{path}/steps/{day(30)}").status_code == 204
    api.post(f"{path}/change/revoke", None, 200)
    assert api.get(f"{path}/steps")["data"] == []


@pytest.mark.parametrize("begun", [{"starts_on": day(30)}, {"trial_days": 30}])
@pytest.mark.parametrize(
    "body", [{"quantity": "2"}, {"on": day(30), "quantity": "2"}, {"on": day(30), "quantity": "1"}]
)
def test_the_day_on_which_a_subscription_begins_is_no_step_of_it(
    api: Program, house: Scope, kestrel: Customer, begun: Any, body: Any
) -> None:
    made = subscribed(api, kestrel, quantity="1", **begun)
    there = written(house)
    refused = api("POST", f"/subscriptions/{made['id']}/steps", body)
    assert (refused.status_code, pointers(refused)) == (422, ["/on"])
    assert written(house) == there

"""Trials, calendars, pauses, ends with credit and what begins again, driven and read back by API alone."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from core.models import OutboxEvent
from core.scope import Scope, enter, work
from customers.models import Customer
from tests.db.api.conftest import Program, pointers, said, same_refusal
from tests.db.api.invoices import today
from tests.db.api.test_billing import bill, subscribed, written

pytestmark = pytest.mark.usefixtures("judged")


def test_a_trial_by_the_calendar_is_taken_and_read_back(
    api: Program, house: Scope, kestrel: Customer
) -> None:
    day = today()
    made = subscribed(api, kestrel, starts_on=str(day), trial_days=10, calendar=True, proration="thirtieth")
    wanted = {
        "state": "trialing", "starts_on": str(day), "trial_ends_on": str(day + timedelta(days=10)),
        "anchor": "2001-01-01", "proration": "thirtieth", "paused_on": None, "resumes_on": None, "refund": False,
    }  # fmt: skip
    assert {name: made[name] for name in wanted} == wanted
    assert [each["id"] for each in api.get("/subscriptions?state=trialing")["data"]] == [made["id"]]
    assert api.get("/subscriptions?state=scheduled")["data"] == []
    bill(house, day)
    assert api.get("/invoices")["data"] == []


def test_the_end_is_previewed_and_comes_to_just_that(api: Program, house: Scope, kestrel: Customer) -> None:
    first = today() - timedelta(days=10)
    made = subscribed(api, kestrel, starts_on=str(first), quantity="7")
    path = f"/subscriptions/{made['id']}"
    bill(house, today())
    version = api.get(path)["version"]
    seen = api.post(f"{path}/end/preview", {"on": str(today())}, 200)
    (credit,) = seen["credits"]
    (line,) = credit["lines"]
    assert (line["service_start"], seen["lines"]) == (str(today()), [])
    assert seen["due_minor"] == -credit["total_minor"]
    assert api.get(path)["version"] == version, "a preview changes nothing"
    ended = api.post(f"{path}/end", {"on": str(today()), "refund": True}, 200)
    assert (ended["state"], ended["ends_on"], ended["refund"]) == ("ended", str(today()), True)
    assert [each["id"] for each in api.get("/subscriptions?state=ended")["data"]] == [made["id"]]
    assert api.get("/subscriptions?state=active")["data"] == []
    bill(house, today())
    (note,) = [each for each in api.get("/invoices")["data"] if each["kind"] == "credit_note"]
    assert (note["net_minor"], note["tax_minor"], note["total_minor"]) == (
        credit["net_minor"], credit["tax_minor"], credit["total_minor"],
    )  # fmt: skip
    (run,) = api.get("/billing_runs")["data"]
    assert (run["documents"], run["credit_notes"]) == (1, 1)
    again = api.post(f"{path}/reactivate", {}, 200)
    assert (again["state"], again["ends_on"]) == ("active", None)


def test_paused_resumed_and_told(api: Program, house: Scope, kestrel: Customer) -> None:
    first = today() - timedelta(days=10)
    made = subscribed(api, kestrel, starts_on=str(first))
    path = f"/subscriptions/{made['id']}"
    bill(house, today())
    seen = api.post(f"{path}/pause/preview", {"on": str(today())}, 200)
    assert len(seen["credits"]) == 1
    back = str(today() + timedelta(days=5))
    paused = api.post(f"{path}/pause", {"on": str(today()), "resumes_on": back}, 200)
    assert (paused["state"], paused["paused_on"], paused["resumes_on"]) == ("paused", str(today()), back)
    assert [each["id"] for each in api.get("/subscriptions?state=paused")["data"]] == [made["id"]]
    assert api.get("/subscriptions?state=active")["data"] == []
    resumed = api.post(f"{path}/resume", {"on": str(today())}, 200)
    assert (resumed["state"], resumed["paused_on"]) == ("active", None)
    with enter(house), work():
        rows = OutboxEvent.objects.filter(object_public_id=made["id"]).order_by("id")
        told = list(rows.values_list("name", "object_version"))
    assert [name for name, _ in told] == [
        "subscription.created",
        "subscription.paused",
        "subscription.resumed",
    ]
    assert [version for _, version in told] == sorted({version for _, version in told}), (
        "each orders after the last"
    )


@pytest.mark.parametrize(("place", "body", "fields"), [
    ("end", {"on": "soon"}, ["/on"]),
    ("end", {"on": "1999-01-01"}, ["/on"]),
    ("end", {"refund": "perhaps"}, ["/refund"]),
    ("end", {"credit": True}, ["/credit"]),
    ("pause", {"on": "1999-01-01"}, ["/on"]),
    ("pause", {"resumes_on": "1999-01-01"}, ["/resumes_on"]),
    ("pause", {"resumes_on": "x"}, ["/resumes_on"]),
    ("resume", {}, ["/on"]),
    ("reactivate", {"on": 5}, ["/on"]),
])  # fmt: skip
def test_what_cannot_be_is_named_and_nothing_is_written(
    api: Program, house: Scope, kestrel: Customer, place: str, body: Any, fields: list[str]
) -> None:
    made = subscribed(api, kestrel)
    before = written(house)
    refused = api("POST", f"/subscriptions/{made['id']}/{place}", body)
    assert (refused.status_code, pointers(refused)) == (422, fields)
    assert written(house) == before


@pytest.mark.parametrize(("wish", "fields"), [
    ({"trial_days": -1}, ["/trial_days"]),
    ({"trial_days": 731}, ["/trial_days"]),
    ({"anchor_day": 32}, ["/anchor_day"]),
    ({"anchor": "2026-02-30"}, ["/anchor"]),
    ({"anchor": "1899-01-01"}, ["/anchor"]),
    ({"proration": "hour"}, ["/proration"]),
    ({"calendar": True, "anchor_day": 5}, ["/anchor_day", "/calendar"]),
])  # fmt: skip
def test_periods_that_cannot_be_are_named(
    api: Program, house: Scope, kestrel: Customer, wish: Any, fields: list[str]
) -> None:
    made = subscribed(api, kestrel)
    before = written(house)
    body = {"customer": kestrel.public_id, "price": made["price"], "starts_on": str(today()), **wish}
    refused = api("POST", "/subscriptions", body)
    assert (refused.status_code, sorted(pointers(refused))) == (422, fields)
    assert written(house) == before


@pytest.mark.parametrize("place", ["resume", "reactivate"])
def test_what_is_neither_paused_nor_ended_is_a_conflict(
    api: Program, house: Scope, kestrel: Customer, place: str
) -> None:
    made = subscribed(api, kestrel)
    refused = api("POST", f"/subscriptions/{made['id']}/{place}", {"on": str(today())})
    assert refused.status_code == 409


@pytest.mark.parametrize(("place", "body"), [
    ("end", {}), ("end/preview", {}), ("pause", {}), ("pause/preview", {}), ("resume", {"on": "2026-01-01"}),
    ("reactivate", {}),
])  # fmt: skip
def test_only_who_may_does_it_and_others_find_nothing(
    as_key: Callable[..., Program], api: Program, house: Scope, kestrel: Customer, place: str, body: Any
) -> None:
    made = subscribed(api, kestrel)
    before = written(house)
    path = f"/subscriptions/{made['id']}/{place}"
    reader = as_key("acorn", "ana@acorn.example", rights=["subscriptions.view"])
    assert reader("POST", path, body).status_code == (200 if "preview" in place else 403)
    same_refusal(as_key("birch", "bea@birch.example"), "POST", path, made["id"], body)
    assert written(house) == before


def test_the_same_key_and_a_stale_version_do_nothing_twice(
    api: Program, house: Scope, kestrel: Customer
) -> None:
    made = subscribed(api, kestrel)
    path = f"/subscriptions/{made['id']}"
    once = [said(api("POST", f"{path}/pause", {}, Idempotency_Key="k1")) for _ in range(2)]
    assert once[0] == once[1]
    stale = api("POST", f"{path}/resume", {"on": str(today())}, If_Match=f'"{made["version"]}"')
    assert stale.status_code == 412


def test_a_day_of_the_month_is_the_anchor(api: Program, house: Scope, kestrel: Customer) -> None:
    made = subscribed(api, kestrel, starts_on="2026-03-10", anchor_day=31)
    assert made["anchor"] == "2026-03-31"
    bill(house, date(2026, 3, 31))
    spans = [
        (line["service_start"], line["service_end"])
        for each in api.get("/invoices")["data"]
        for line in api.get(f"/invoices/{each['id']}")["lines"]
    ]
    assert sorted(spans) == [("2026-03-10", "2026-03-31"), ("2026-03-31", "2026-04-30")]


def test_a_unit_price_of_its_own_is_said_beside_the_price(
    api: Program, house: Scope, kestrel: Customer
) -> None:
    made = subscribed(api, kestrel, unit_price="9.99", quantity="2")
    own = api.get(f"/prices/{made['price']}")
    base = api.get(f"/prices/{own['overrides']}")
    assert (own["unit_price"], base["overrides"], own["plan"]) == ("9.99", None, base["plan"])
    assert [each["id"] for each in api.get("/prices")["data"]] == [base["id"]], "it is not offered"
    path = f"/subscriptions/{made['id']}"
    api.post(f"{path}/change", {"unit_price": "8.5"}, 200)
    item = api.post(
        f"{path}/items", {"price": base["id"], "unit_price": "1.25", "starts_on": str(today())}, 201
    )
    assert api.get(f"/prices/{item['price']}")["unit_price"] == "1.25"
    refused = api("POST", f"{path}/change", {"unit_price": "-1"})
    assert (refused.status_code, pointers(refused)) == (422, ["/unit_price"])

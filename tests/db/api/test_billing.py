"""Plans, subscriptions and billing runs by API: what a preview says is what the run bills, and nothing twice."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import BilledPeriod, BillingRun, Plan, Price, Subscription
from billing.services.run import run_billing
from core.scope import Scope, enter, work
from customers.models import Customer
from invoicing.models import Document
from tests import factories
from tests.db.api.conftest import Program, effects_due, said
from tests.db.api.invoices import today

pytestmark = pytest.mark.usefixtures("judged")

TRACK = {
    "code": "track",
    "name": "Track Pro",
    "model": "per_unit",
    "unit_price": "14.5055",
    "currency": "EUR",
}


def written(house: Scope) -> tuple[int, ...]:
    """How much there is: nothing of it grows by what is refused."""
    kinds = (Plan, Price, Subscription, BillingRun, BilledPeriod, Document)
    with enter(house), work():
        versions = sum(Subscription.objects.values_list("version", flat=True))
        return (*(kind.objects.count() for kind in kinds), effects_due(), versions)


def price(api: Program, **given: Any) -> Any:
    return api.post("/prices", {**TRACK, **given}, 201)


def wish(owner: Customer, price_id: str, **given: Any) -> dict[str, Any]:
    return {"customer": owner.public_id, "price": price_id, "starts_on": str(today()), **given}


def subscribed(api: Program, owner: Customer, **given: Any) -> Any:
    return api.post("/subscriptions", wish(owner, price(api)["id"], **given), 201)


def bill(house: Scope, day: date) -> None:
    with enter(house):
        run_billing(day)


# plans and prices


def test_a_price_makes_its_plan_once(api: Program) -> None:
    first = price(api)
    assert (first["unit_price"], first["tax_percent"], first["every"], first["unit"]) == (
        "14.5055",
        "19",
        1,
        "month",
    )
    plan = api.get("/plans")["data"][0]
    assert (plan["code"], plan["name"], first["plan"]) == ("track", "Track Pro", plan["id"])
    other = api.post("/prices", {**{k: v for k, v in TRACK.items() if k != "name"}, "currency": "USD"}, 201)
    assert other["plan"] == plan["id"]
    assert len(api.get("/plans")["data"]) == 1
    assert [each["id"] for each in api.get("/prices?plan=track&currency=USD")["data"]] == [other["id"]]
    assert api.get("/prices?plan=none")["data"] == []
    assert api.get(f"/prices/{other['id']}?expand[]=plan")["plan"] == plan


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"code": "a b"}, "code"),
        ({"code": ""}, "code"),
        ({"name": None}, "name"),
        ({"model": "tiers"}, "model"),
        ({"unit_price": "-1"}, "unit_price"),
        ({"unit_price": 14.5}, "unit_price"),
        ({"unit_price": "1000000000000.01"}, "unit_price"),
        ({"unit_price": "0.0000000000001"}, "unit_price"),
        ({"currency": "XXX"}, "currency"),
        ({"every": 0}, "every"),
        ({"every": 121}, "every"),
        ({"unit": "hour"}, "unit"),
        ({"tax_percent": "100.1"}, "tax_percent"),
        ({"amount": "1"}, "amount"),
    ],
)
def test_a_price_that_cannot_be_is_named(api: Program, house: Scope, change: Any, name: str) -> None:
    before = written(house)
    answer = api("POST", "/prices", {**TRACK, **change})
    assert answer.status_code == 422, answer.content
    assert [each["pointer"] for each in said(answer)["errors"]] == [f"/{name}"]
    assert written(house) == before


def test_a_new_plan_needs_a_name(api: Program, house: Scope) -> None:
    answer = api("POST", "/prices", {k: v for k, v in TRACK.items() if k != "name"})
    assert [each["pointer"] for each in said(answer)["errors"]] == ["/name"]


# subscriptions


def test_the_life_of_a_subscription(api: Program, house: Scope, kestrel: Customer) -> None:
    made = subscribed(api, kestrel, quantity="2.5", external_id="S-1", metadata={"contract": "9"})
    assert (made["state"], made["quantity"], made["starts_on"]) == ("active", "2.5", str(today()))
    assert (made["external_id"], made["metadata"]) == ("S-1", {"contract": "9"})
    path = f"/subscriptions/{made['id']}"
    coming = api.get(f"{path}/upcoming")
    assert (coming["net_minor"], coming["problem"]) == (3626, "")
    bill(house, today())
    (invoice,) = api.get("/invoices")["data"]
    for name in ("net_minor", "tax_minor", "total_minor", "taxes", "lines"):
        assert invoice[name] == coming[name], name
    assert invoice["lines"][0]["why"][1]["label"] == "2.5 × 14.5055"
    after = api.get(path)
    assert after["next_bill_on"] > made["next_bill_on"]
    refused = api("POST", f"{path}/end", {"on": str(today() - timedelta(days=1))})
    assert [each["pointer"] for each in said(refused)["errors"]] == ["/on"]
    ended = api.post(f"{path}/end", {"on": after["next_bill_on"]})
    assert (ended["state"], ended["ends_on"]) == ("ended", after["next_bill_on"])
    assert api.post(f"{path}/end", {"on": after["next_bill_on"]}) == ended
    assert api.get(f"{path}/upcoming")["lines"] == []


def test_one_that_is_held_is_released(api: Program, house: Scope, kestrel: Customer) -> None:
    made = subscribed(api, kestrel, starts_on="2000-01-01")
    path = f"/subscriptions/{made['id']}"
    assert "36 periods" in api.get(f"{path}/upcoming")["problem"]
    shown = api.post("/billing_runs/preview", {"as_of": str(today())})
    bill(house, today())
    held = api.get(path)
    assert held["state"] == "held"
    assert shown["held"] == [{"subscription": made["id"], "reason": held["held_reason"], "findings": []}]
    assert [each["id"] for each in api.get("/subscriptions?state=held")["data"]] == [made["id"]]
    free = api.post(f"{path}/release")
    assert (free["state"], free["held_reason"]) == ("active", "")
    assert api.post(f"{path}/release") == free


def test_an_upcoming_sum_beyond_range_is_a_problem_and_no_fault(
    api: Program, house: Scope, kestrel: Customer
) -> None:
    """One line may be just as large as an amount can be; with its tax it is no bill, and the run says the same."""
    big = price(api, unit_price="900000000000", code="big")
    made = api.post("/subscriptions", wish(kestrel, big["id"], quantity="10"), 201)
    assert api.get(f"/subscriptions/{made['id']}/upcoming")["problem"] == "That total is too large."
    assert api.post("/billing_runs/preview", {"as_of": str(today())})["documents"] == 0
    bill(house, today())
    assert api.get(f"/subscriptions/{made['id']}")["held_reason"] == "That total is too large."


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"customer": "cus_none"}, "customer"),
        ({"price": "price_none"}, "price"),
        ({"price": None}, "price"),
        ({"starts_on": "0001-01-01"}, "starts_on"),
        ({"starts_on": "9999-12-31"}, "starts_on"),
        ({"starts_on": "2026-02-30"}, "starts_on"),
        ({"ends_on": "2020-01-01"}, "ends_on"),
        ({"quantity": "-1"}, "quantity"),
        ({"quantity": "1000000000001"}, "quantity"),
        ({"quantity": 2}, "quantity"),
        ({"autopay": "yes"}, "autopay"),
        ({"metadata": {"a": 1}}, "metadata/a"),
        ({"zone": "UTC"}, "zone"),
    ],
)
def test_a_subscription_that_cannot_be_is_named(
    api: Program, house: Scope, kestrel: Customer, change: Any, name: str
) -> None:
    good = wish(kestrel, price(api)["id"])
    before = written(house)
    answer = api("POST", "/subscriptions", {**good, **change})
    assert answer.status_code == 422, answer.content
    assert [each["pointer"] for each in said(answer)["errors"]] == [f"/{name}"]
    assert written(house) == before


def test_what_does_not_fit_together_is_named(api: Program, house: Scope, kestrel: Customer) -> None:
    made = subscribed(api, kestrel, external_id="S-1")
    dollars = price(api, currency="USD")
    with enter(house), work():
        gone = factories.customer(name="Gone")
        Customer.objects.filter(pk=gone.pk).update(archived_at="2026-01-01T00:00Z")
    before = written(house)
    refused = api("POST", "/subscriptions", wish(kestrel, dollars["id"]))
    assert [each["pointer"] for each in said(refused)["errors"]] == ["/price"]
    refused = api("POST", "/subscriptions", wish(gone, made["price"]))
    assert [each["pointer"] for each in said(refused)["errors"]] == ["/customer"]
    taken = api("POST", "/subscriptions", wish(kestrel, made["price"], external_id="S-1"))
    assert (taken.status_code, said(taken)["code"]) == (409, "external_id_taken")
    stale = api("POST", f"/subscriptions/{made['id']}/end", {"on": str(today())}, If_Match='"9"')
    assert stale.status_code == 412
    far = api("POST", f"/subscriptions/{made['id']}/end", {"on": "9999-12-31"})
    assert [each["pointer"] for each in said(far)["errors"]] == ["/on"]
    assert written(house) == before


def test_filters_have_the_pages_names(api: Program, house: Scope, kestrel: Customer) -> None:
    first = subscribed(api, kestrel)
    with enter(house), work():
        owner = factories.customer(name="Other")
    price(api, code="fleet", name="Fleet")
    (fleet,) = api.get("/prices?plan=fleet")["data"]
    second = api.post("/subscriptions", wish(owner, fleet["id"]), 201)
    api.post(f"/subscriptions/{second['id']}/end", {"on": str(today())})

    def ids(query: str) -> list[str]:
        return [each["id"] for each in api.get(f"/subscriptions?{query}")["data"]]

    assert ids("") == [second["id"], first["id"]]
    assert ids("state=active") == [first["id"]]
    assert ids("state=ended") == [second["id"]]
    assert ids(f"customer={kestrel.public_id}") == [first["id"]]
    assert ids("plan=fleet") == [second["id"]]
    assert ids("plan=none") == []
    whole = api.get("/subscriptions?plan=fleet&expand[]=price&expand[]=price.plan&expand[]=customer")["data"][
        0
    ]
    assert (whole["price"]["plan"]["name"], whole["customer"]["name"]) == ("Fleet", "Other")
    for query in ("state=sleeping", "plan=%00", "customer=", "autopay=true"):
        assert api("GET", f"/subscriptions?{query}").status_code == 422


# runs


def test_a_preview_is_what_the_run_bills(api: Program, house: Scope, kestrel: Customer) -> None:
    subscribed(api, kestrel, quantity="3", starts_on=str(today() - timedelta(days=70)))
    with enter(house), work():
        dollar = factories.customer(name="Dollar", currency="USD")
        factories.subscription(dollar, today(), quantity=Decimal(7))
    before = written(house)
    shown = api.post("/billing_runs/preview", {"as_of": str(today())})
    assert written(house) == before
    run = api.post("/billing_runs", {"as_of": str(today())}, 202)
    assert (run["state"], run["documents"]) == ("running", 0)
    assert api.get(f"/billing_runs/{run['id']}")["to_go"] == 2
    bill(house, today())
    done = api.get(f"/billing_runs/{run['id']}")
    assert (done["run"]["state"], done["run"]["documents"], done["to_go"]) == ("done", shown["documents"], 0)
    assert done["sums"] == [
        {name: each[name] for name in ("currency", "documents", "net_minor")} for each in shown["sums"]
    ]
    for each in shown["sums"]:
        invoices = api.get(f"/invoices?currency={each['currency']}")["data"]
        assert sum(invoice["total_minor"] for invoice in invoices) == each["total_minor"]
    assert [each["id"] for each in api.get("/billing_runs")["data"]] == [run["id"]]


def test_a_run_is_started_once(api: Program, house: Scope) -> None:
    day = {"as_of": str(today())}
    first = api.post("/billing_runs", day, 202, Idempotency_Key="one")
    before = written(house)
    again = api("POST", "/billing_runs", day, Idempotency_Key="one")
    assert (again.status_code, said(again)) == (202, first)
    assert written(house) == before
    assert api.post("/billing_runs", day, 202)["id"] == first["id"]


@pytest.mark.parametrize("as_of", ["2999-01-01", "1999-12-31", "tomorrow", None, 20261101])
def test_a_day_that_cannot_be_is_named(api: Program, house: Scope, as_of: Any) -> None:
    before = written(house)
    for path in ("/billing_runs", "/billing_runs/preview"):
        answer = api("POST", path, {"as_of": as_of})
        assert answer.status_code == 422
        assert [each["pointer"] for each in said(answer)["errors"]] == ["/as_of"]
    assert written(house) == before


# once, lists, who may


def test_the_same_post_twice_is_done_once(api: Program, house: Scope, kestrel: Customer) -> None:
    def twice(path: str, sent: Any, key: str) -> Any:
        first = api("POST", path, sent, Idempotency_Key=key)
        assert first.status_code in {200, 201}, first.content
        before = written(house)
        again = api("POST", path, sent, Idempotency_Key=key)
        assert (again["Idempotent-Replayed"], said(again)) == ("true", said(first))
        assert written(house) == before
        return said(first)

    chosen = twice("/prices", TRACK, "price")
    made = twice("/subscriptions", wish(kestrel, chosen["id"]), "subscription")
    twice(f"/subscriptions/{made['id']}/end", {"on": str(today() + timedelta(days=9))}, "end")
    twice(f"/subscriptions/{made['id']}/release", None, "release")


def test_statements_do_not_grow_with_the_lists(api: Program, house: Scope) -> None:
    paths = (
        "/plans",
        "/prices?expand[]=plan",
        "/subscriptions?expand[]=customer&expand[]=price&expand[]=price.plan",
        "/billing_runs",
    )

    def counts() -> list[int]:
        found = []
        for path in paths:
            with CaptureQueriesContext(connection) as asked:
                api.get(path)
            found.append(len(asked))
        return found

    def more(n: int) -> None:
        with enter(house), work():
            for _ in range(n):
                factories.subscription(factories.customer(parent_id=factories.customer().pk), today())
                BillingRun.objects.create(as_of=today() - timedelta(days=BillingRun.objects.count()))

    more(2)
    counts()  # what is asked once for a worker's life
    before = counts()
    more(6)
    assert counts() == before


def test_a_restricted_key_changes_nothing(
    api: Program, as_key: Callable[..., Program], house: Scope, kestrel: Customer
) -> None:
    made = subscribed(api, kestrel)
    reader = as_key("acorn", "ana@acorn.example", rights=["subscriptions.view", "runs.view"])
    for path in (
        "/plans",
        "/prices",
        "/subscriptions",
        "/billing_runs",
        f"/subscriptions/{made['id']}/upcoming",
    ):
        reader.get(path)
    before = written(house)
    for path, sent in (
        ("/prices", TRACK),
        ("/subscriptions", wish(kestrel, made["price"])),
        (f"/subscriptions/{made['id']}/end", {"on": str(today())}),
        (f"/subscriptions/{made['id']}/release", None),
        ("/billing_runs", {"as_of": str(today())}),
        ("/billing_runs/preview", {"as_of": str(today())}),
    ):
        assert reader("POST", path, sent).status_code == 403, path
    assert written(house) == before
    blind = as_key("acorn", "ana@acorn.example", rights=["customers.view"])
    for path in ("/plans", "/prices", "/subscriptions", "/billing_runs", f"/subscriptions/{made['id']}"):
        assert blind("GET", path).status_code == 403, path


def test_another_organization_is_not_there(
    api: Program, as_key: Callable[..., Program], house: Scope, kestrel: Customer
) -> None:
    made = subscribed(api, kestrel)
    run = api.post("/billing_runs", {"as_of": str(today())}, 202)
    bea = as_key("birch", "bea@birch.example")
    before = written(house)
    for method, path, sent in (
        ("GET", f"/prices/{made['price']}", None),
        ("GET", f"/subscriptions/{made['id']}", None),
        ("GET", f"/subscriptions/{made['id']}/upcoming", None),
        ("POST", f"/subscriptions/{made['id']}/end", {"on": str(today())}),
        ("POST", f"/subscriptions/{made['id']}/release", None),
        ("GET", f"/billing_runs/{run['id']}", None),
    ):
        absent_path = "/".join([*path.split("/")[:2], "none_1", *path.split("/")[3:]])
        foreign, absent = bea(method, path, sent), bea(method, absent_path, sent)
        assert foreign.status_code == absent.status_code == 404, path
        assert {**said(foreign), "request_id": ""} == {**said(absent), "request_id": ""}
    for path in ("/plans", "/prices", "/subscriptions", "/billing_runs"):
        assert bea.get(path)["data"] == []
    refused = bea("POST", "/subscriptions", wish(kestrel, made["price"]))
    assert said(refused)["errors"][0]["pointer"] == "/price"
    assert written(house) == before

"""Features by API: made, granted by plans, overridden for one subscription, and asked for in one statement."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import Feature, FeatureGrant, FeatureOverride
from billing.services.subscriptions import end_item
from core.models import OutboxEvent
from core.scope import Scope, enter, work
from customers.models import Customer
from tests.db.api.conftest import Program, pointers, said, same_refusal
from tests.db.api.invoices import today

pytestmark = pytest.mark.usefixtures("judged")

BEGUN = (today() - timedelta(days=20)).isoformat()


def feature(api: Program, code: str = "seats", kind: str = "limit", **given: Any) -> Any:
    return api.post("/features", {"name": code.title(), "code": code, "kind": kind, **given}, 201)


def plan(api: Program, code: str = "basic", *grants: dict[str, Any], **given: Any) -> str:
    """A plan that grants this; the id of its price."""
    wish = {
        "code": code,
        "name": code.title(),
        "model": "flat",
        "unit_price": "29",
        "currency": "EUR",
        **given,
    }
    price = str(api.post("/prices", wish, 201)["id"])
    grant(api, code, *grants)
    return price


def grant(api: Program, plan: str, *grants: dict[str, Any], status: int = 200, **headers: str) -> Any:
    answer = api("PUT", f"/plans/{plan}/features", {"features": list(grants)}, **headers)
    assert answer.status_code == status, answer.content
    return said(answer) if status == 200 else answer


def subscribed(api: Program, customer: Customer, price: str, **given: Any) -> str:
    wish = {"customer": customer.public_id, "price": price, "starts_on": BEGUN, **given}
    return str(api.post("/subscriptions", wish, 201)["id"])


def own(api: Program, sub: str, code: str, status: int = 200, **wish: Any) -> Any:
    answer = api("PUT", f"/subscriptions/{sub}/feature_overrides/{code}", wish)
    assert answer.status_code == status, answer.content
    return said(answer) if status == 200 else answer


def has(api: Program, customer: Customer, code: str, query: str = "") -> Any:
    return api.get(f"/customers/{customer.public_id}/entitlements/{code}{query}")


def counted(house: Scope) -> tuple[int, ...]:
    with enter(house), work():
        return tuple(each.objects.count() for each in (Feature, FeatureGrant, FeatureOverride))


def events(house: Scope) -> list[str]:
    with enter(house), work():
        rows = OutboxEvent.objects.filter(name__contains="feature").order_by("id")
        return [row.name for row in rows]


def test_a_feature_is_made_renamed_and_retired(api: Program, house: Scope) -> None:
    made = feature(api, unit="seats", combine="sum", per_unit=True)
    assert (made["kind"], made["unit"], made["combine"], made["per_unit"]) == ("limit", "seats", "sum", True)
    assert api.get("/features/seats") == api.get(f"/features/{made['id']}") == made
    changed = said(api("PATCH", "/features/seats", {"name": "Users", "combine": "max"}))
    assert (changed["name"], changed["combine"], changed["version"]) == ("Users", "max", 2)
    assert said(api("PATCH", "/features/seats", {"name": "Users"})) == changed
    assert api("PATCH", "/features/seats", {"name": "Seats"}, If_Match='"1"').status_code == 412
    retired = api.post("/features/seats/retire")
    assert retired["retired_at"]
    assert api.post("/features/seats/retire") == retired
    assert [each["code"] for each in api.get("/features?retired=true")["data"]] == ["seats"]
    assert api.get("/features?retired=false")["data"] == []
    assert events(house) == ["feature.created", "feature.changed", "feature.changed"]


@pytest.mark.parametrize(("_case", "wish", "field"), [
    ("an unknown kind", {"kind": "number"}, "/kind"),
    ("a code with capitals", {"code": "SSO"}, "/code"),
    ("an id as code", {"code": "feat_1"}, "/code"),
    ("a long code", {"code": "a" * 41}, "/code"),
    ("no name", {"name": " "}, "/name"),
    ("a long name", {"name": "a" * 201}, "/name"),
    ("a unit of a switch", {"kind": "switch", "unit": "seats"}, "/unit"),
    ("a switch for each unit", {"kind": "switch", "per_unit": True}, "/per_unit"),
    ("an unknown way", {"combine": "min"}, "/combine"),
    ("a field of nobody", {"amount": "1"}, "/amount"),
])  # fmt: skip
def test_what_is_no_feature_is_named_at_its_field(
    api: Program, house: Scope, _case: str, wish: dict[str, Any], field: str
) -> None:
    answer = api("POST", "/features", {"name": "Seats", "code": "seats", "kind": "limit", **wish})
    assert answer.status_code == 422
    assert pointers(answer) == [field]
    assert counted(house) == (0, 0, 0)


def test_a_code_is_one_features_and_neither_it_nor_the_kind_changes(api: Program, house: Scope) -> None:
    feature(api)
    plan(api, "basic", {"feature": "seats", "amount": "10"})
    again = api("POST", "/features", {"name": "Other", "code": "seats", "kind": "switch"})
    assert (again.status_code, said(again)["code"], pointers(again)) == (409, "code_taken", ["/code"])
    for wish, field in [({"kind": "switch"}, "/kind"), ({"code": "users"}, "/code")]:
        assert pointers(api("PATCH", "/features/seats", wish)) == [field]
    assert api.get("/features/seats")["kind"] == "limit"
    assert counted(house) == (1, 1, 0)


def test_a_plan_grants_just_what_was_put(api: Program, house: Scope) -> None:
    feature(api), feature(api, "sso", "switch"), feature(api, "support", "text"), feature(api, "calls")
    plan(api, "basic")
    first = grant(
        api, "basic", {"feature": "seats", "amount": "10"}, {"feature": "sso"},
        {"feature": "support", "text": "by mail"}, {"feature": "calls", "unlimited": True},
    )  # fmt: skip
    assert [(each["feature"], each["amount"], each["unlimited"], each["text"]) for each in first["data"]] == [
        ("seats", "10", False, ""), ("sso", None, False, ""), ("support", None, False, "by mail"),
        ("calls", None, True, ""),
    ]  # fmt: skip
    then = grant(api, "basic", {"feature": "seats", "amount": "12.5"})
    assert [(each["feature"], each["amount"]) for each in then["data"]] == [("seats", "12.5")]
    assert grant(api, "basic", {"feature": "seats", "amount": "12.50"}) == then
    assert api.get(f"/plans/{then['plan']}/features") == then
    assert grant(api, "basic", status=412, If_Match='"1"').status_code == 412
    assert grant(api, "basic")["data"] == []
    assert events(house) == [*["feature.created"] * 4, *["plan.features_changed"] * 3]


@pytest.mark.parametrize(("_case", "wish", "field"), [
    ("less than nothing", {"feature": "seats", "amount": "-1"}, "/features/0/amount"),
    ("an exponent", {"feature": "seats", "amount": "1e30"}, "/features/0/amount"),
    ("too much", {"feature": "seats", "amount": "1" + "0" * 13}, "/features/0/amount"),
    ("a JSON number", {"feature": "seats", "amount": 5}, "/features/0/amount"),
    ("no amount", {"feature": "seats"}, "/features/0/amount"),
    ("both", {"feature": "seats", "amount": "1", "unlimited": True}, "/features/0/amount"),
    ("words of a limit", {"feature": "seats", "amount": "1", "text": "x"}, "/features/0/text"),
    ("an amount of a switch", {"feature": "sso", "amount": "1"}, "/features/0/amount"),
    ("no words", {"feature": "support"}, "/features/0/text"),
    ("too many words", {"feature": "support", "text": "x" * 201}, "/features/0/text"),
    ("nobody's feature", {"feature": "gold"}, "/features/0/feature"),
    ("a retired one", {"feature": "old"}, "/features/0/feature"),
])  # fmt: skip
def test_what_cannot_be_granted_is_named_at_its_place(
    api: Program, house: Scope, _case: str, wish: dict[str, Any], field: str
) -> None:
    (
        feature(api),
        feature(api, "sso", "switch"),
        feature(api, "support", "text"),
        feature(api, "old", "switch"),
    )
    plan(api, "basic", {"feature": "sso"})
    api.post("/features/old/retire")
    before, told = counted(house), events(house)
    assert pointers(grant(api, "basic", wish, status=422)) == [field]
    assert (counted(house), events(house)) == (before, told)


def test_a_feature_is_said_once(api: Program) -> None:
    feature(api)
    plan(api)
    twice = [{"feature": "seats", "amount": "1"}, {"feature": "seats", "amount": "2"}]
    assert pointers(grant(api, "basic", *twice, status=422)) == ["/features/1/feature"]


def test_a_retired_feature_stays_where_it_was_granted(api: Program, kestrel: Customer) -> None:
    feature(api, "sso", "switch")
    price = plan(api, "basic", {"feature": "sso"})
    plan(api, "premium")
    subscribed(api, kestrel, price)
    api.post("/features/sso/retire")
    assert has(api, kestrel, "sso")["granted"]
    assert len(grant(api, "basic", {"feature": "sso"})["data"]) == 1
    assert pointers(grant(api, "premium", {"feature": "sso"}, status=422)) == ["/features/0/feature"]
    grant(api, "basic")
    assert not has(api, kestrel, "sso")["granted"]
    assert api.get(f"/customers/{kestrel.public_id}/entitlements")["data"] == []


def test_basic_and_premium_differ(api: Program, house: Scope, kestrel: Customer) -> None:
    feature(api, unit="seats"), feature(api, "sso", "switch"), feature(api, "support", "text")
    basic = plan(api, "basic", {"feature": "seats", "amount": "3"}, {"feature": "support", "text": "by mail"})
    premium = plan(
        api, "premium", {"feature": "seats", "unlimited": True}, {"feature": "sso"},
        {"feature": "support", "text": "by phone"}, unit_price="99",
    )  # fmt: skip
    sub = subscribed(api, kestrel, basic)
    assert [(each["feature"], each["granted"], each["amount"], each["text"]) for each in
            api.get(f"/customers/{kestrel.public_id}/entitlements")["data"]] == [
        ("seats", True, "3", ""), ("sso", False, None, ""), ("support", True, None, "by mail"),
    ]  # fmt: skip
    api.post(f"/subscriptions/{sub}/change", {"price": premium, "on": BEGUN})
    assert (has(api, kestrel, "seats")["unlimited"], has(api, kestrel, "sso")["granted"]) == (True, True)
    (source,) = has(api, kestrel, "support")["sources"]
    assert (source["object"], source["name"], source["subscription"], source["text"]) == (
        "subscription_item", "Premium", sub, "by phone",
    )  # fmt: skip
    assert (
        api.get(f"/subscriptions/{sub}/entitlements")["data"]
        == (api.get(f"/customers/{kestrel.public_id}/entitlements")["data"])
    )


def test_items_grant_from_their_first_day_to_their_last(
    api: Program, house: Scope, kestrel: Customer
) -> None:
    feature(api, combine="sum", per_unit=True), feature(api, "sso", "switch")
    now = today()
    day = {n: (now + timedelta(days=n)).isoformat() for n in (-20, -1, 0, 1, 10, 20, 30)}
    basic = plan(api, "basic", {"feature": "seats", "amount": "3"})
    extra = plan(api, "extra", {"feature": "seats", "amount": "5"}, {"feature": "sso"}, model="per_unit")
    sub = subscribed(api, kestrel, basic, starts_on=day[-20], ends_on=day[30])
    item = api.post(
        f"/subscriptions/{sub}/items", {"price": extra, "quantity": "2", "starts_on": day[1]}, 201
    )
    assert has(api, kestrel, "seats")["amount"] == "3"
    assert has(api, kestrel, "seats", f"?on={day[1]}")["amount"] == "13"
    with enter(house), work():
        end_item(item["id"], on=date.fromisoformat(day[20]), today=now)
    assert [has(api, kestrel, "sso", f"?on={day[n]}")["granted"] for n in (0, 1, 10, 20)] == [
        False,
        True,
        True,
        False,
    ]
    assert [has(api, kestrel, "seats", f"?on={day[n]}")["amount"] for n in (-20, 10, 20)] == ["3", "13", "3"]
    assert not has(api, kestrel, "seats", f"?on={day[30]}")["granted"]
    assert not has(api, kestrel, "seats", f"?on={(now - timedelta(days=21)).isoformat()}")["granted"]


def test_a_trial_grants_and_a_pause_does_not(api: Program, kestrel: Customer) -> None:
    feature(api, "sso", "switch")
    day = {n: (today() + timedelta(days=n)).isoformat() for n in (-3, -4, 0, 5, 10, 11, 20)}
    price = plan(api, "basic", {"feature": "sso"})
    sub = subscribed(api, kestrel, price, starts_on=day[-3], trial_days=8)
    assert [has(api, kestrel, "sso", f"?on={day[n]}")["granted"] for n in (-4, -3, 0, 5, 20)] == [
        False, True, True, True, True,
    ]  # fmt: skip
    pause = api("POST", f"/subscriptions/{sub}/pause", {"on": day[10], "resumes_on": day[20]})
    assert pause.status_code == 200, pause.content
    assert [has(api, kestrel, "sso", f"?on={day[n]}")["granted"] for n in (5, 10, 11, 20)] == [
        True, False, False, True,
    ]  # fmt: skip


def test_what_is_owed_once_grants_while_the_plan_runs(api: Program, house: Scope, kestrel: Customer) -> None:
    feature(api, "sso", "switch")
    fee = plan(api, "setup", {"feature": "sso"}, unit="once")
    now = today()
    end = (now + timedelta(days=9)).isoformat()
    subscribed(api, kestrel, plan(api, "basic"), added=[{"price": fee}], ends_on=end)
    assert has(api, kestrel, "sso")["granted"]
    assert not has(api, kestrel, "sso", f"?on={end}")["granted"]


def test_a_customer_gets_fifty_seats_more(api: Program, house: Scope, kestrel: Customer) -> None:
    feature(api)
    sub = subscribed(api, kestrel, plan(api, "basic", {"feature": "seats", "amount": "10"}))
    now = today()
    end = (now + timedelta(days=5)).isoformat()
    made = own(api, sub, "seats", mode="add", amount="50", ends_on=end, why="Fair in May")
    assert own(api, sub, "seats", mode="add", amount="50.0", ends_on=end, why="Fair in May") == made
    found = has(api, kestrel, "seats")
    assert (found["amount"], [each["object"] for each in found["sources"]]) == (
        "60", ["subscription_item", "feature_override"],
    )  # fmt: skip
    assert has(api, kestrel, "seats", f"?on={end}")["amount"] == "10"
    path = f"/subscriptions/{sub}/feature_overrides/seats"
    assert api("PUT", path, {"amount": "7"}, If_Match='"9"').status_code == 412
    assert own(api, sub, "seats", amount="7")["version"] == 2
    assert has(api, kestrel, "seats")["amount"] == "7"
    assert [each["id"] for each in api.get(f"/subscriptions/{sub}/feature_overrides")["data"]] == [made["id"]]
    assert api("DELETE", path, If_Match='"1"').status_code == 412
    assert api("DELETE", path).status_code == 204
    assert api("DELETE", path).status_code == 404
    assert has(api, kestrel, "seats")["amount"] == "10"
    assert events(house)[-3:] == ["feature_override.set", "feature_override.set", "feature_override.removed"]


def test_an_override_gives_what_no_plan_does_and_takes_what_one_does(api: Program, kestrel: Customer) -> None:
    feature(api, "sso", "switch"), feature(api, "beta", "switch")
    sub = subscribed(api, kestrel, plan(api, "basic", {"feature": "sso"}))
    own(api, sub, "beta")
    own(api, sub, "sso", granted=False)
    assert [has(api, kestrel, code)["granted"] for code in ("beta", "sso")] == [True, False]


@pytest.mark.parametrize(("_case", "code", "wish", "field"), [
    ("adds nothing", "seats", {"mode": "add", "amount": "0"}, "/amount"),
    ("adds less", "seats", {"mode": "add", "amount": "-5"}, "/amount"),
    ("adds no end", "seats", {"mode": "add", "unlimited": True}, "/unlimited"),
    ("adds to a switch", "sso", {"mode": "add"}, "/mode"),
    ("an unknown way", "seats", {"mode": "minus", "amount": "1"}, "/mode"),
    ("takes away and gives", "seats", {"granted": False, "amount": "1"}, "/granted"),
    ("says nothing", "seats", {}, "/amount"),
    ("ends before it begins", "sso", {"ends_on": "2020-01-01"}, "/ends_on"),
    ("ends never", "sso", {"ends_on": "9999-01-01"}, "/ends_on"),
    ("long words", "sso", {"why": "x" * 301}, "/why"),
    ("a retired feature", "old", {}, "/feature"),
])  # fmt: skip
def test_what_is_no_override_is_named_at_its_field(
    api: Program, house: Scope, kestrel: Customer, _case: str, code: str, wish: dict[str, Any], field: str
) -> None:
    feature(api), feature(api, "sso", "switch"), feature(api, "old", "switch")
    api.post("/features/old/retire")
    sub = subscribed(api, kestrel, plan(api))
    assert pointers(own(api, sub, code, 422, **wish)) == [field]
    assert counted(house) == (3, 0, 0)


def test_what_has_ended_gets_nothing_more(api: Program, house: Scope, kestrel: Customer) -> None:
    feature(api, "sso", "switch")
    sub = subscribed(api, kestrel, plan(api), ends_on=(today()).isoformat())
    assert own(api, sub, "sso", 409).status_code == 409
    assert own(api, sub, "none", 404).status_code == 404
    assert counted(house) == (1, 0, 0)


def test_your_systems_own_name_of_a_customer_is_as_good(api: Program, kestrel: Customer) -> None:
    feature(api)
    api("PATCH", f"/customers/{kestrel.public_id}", {"external_id": "crm/7 ä"})
    api("PATCH", f"/customers/{kestrel.public_id}", {"external_id": "crm-7"})
    subscribed(api, kestrel, plan(api, "basic", {"feature": "seats", "amount": "10"}))
    assert api.get("/customers/external/crm-7/entitlements/seats") == has(api, kestrel, "seats")
    assert api.get("/customers/external/crm-7/entitlements")["owner"] == kestrel.public_id
    assert api("GET", "/customers/external/crm-8/entitlements/seats").status_code == 404


def test_is_it_on_is_one_statement_by_index(api: Program, house: Scope, kestrel: Customer) -> None:
    made = feature(api)
    subscribed(api, kestrel, plan(api, "basic", {"feature": "seats", "amount": "10"}))
    address = f"/customers/{kestrel.public_id}/entitlements/seats"
    api.get(address)
    with CaptureQueriesContext(connection) as seen:
        api.get(address)
    reads = [each["sql"] for each in seen if "billing_" in each["sql"] or "customers_" in each["sql"]]
    assert len(reads) == 1
    with enter(house), work(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # a handful of rows is read whole, whatever there is
        cursor.execute(f"EXPLAIN {reads[0]}")
        found = "\n".join(row[0] for row in cursor.fetchall())
    assert "Seq Scan" not in found, found
    assert has(api, kestrel, made["id"])["amount"] == "10"


def test_nothing_of_another_organization_is_known(
    api: Program, house: Scope, as_key: Callable[..., Program], kestrel: Customer
) -> None:
    made = feature(api)
    sub = subscribed(api, kestrel, plan(api, "basic", {"feature": "seats", "amount": "10"}))
    own(api, sub, "seats", mode="add", amount="1")
    plan_id = api.get("/plans/basic/features")["plan"]
    bea, before = as_key("birch", "bea@birch.example"), counted(house)
    same_refusal(bea, "GET", f"/customers/{kestrel.public_id}/entitlements", kestrel.public_id)
    same_refusal(bea, "GET", f"/subscriptions/{sub}/entitlements", sub)
    same_refusal(bea, "PATCH", f"/features/{made['id']}", made["id"], {"name": "Mine"})
    same_refusal(bea, "POST", f"/features/{made['id']}/retire", made["id"])
    same_refusal(bea, "PUT", f"/plans/{plan_id}/features", plan_id, {"features": []})
    feature(bea)
    same_refusal(bea, "GET", f"/customers/{kestrel.public_id}/entitlements/seats", kestrel.public_id)
    same_refusal(bea, "PUT", f"/subscriptions/{sub}/feature_overrides/seats", sub, {"amount": "1"})
    same_refusal(bea, "DELETE", f"/subscriptions/{sub}/feature_overrides/seats", sub)
    assert counted(house) == before
    assert has(api, kestrel, "seats")["amount"] == "11"


def test_who_may_only_look_changes_nothing(
    api: Program, house: Scope, as_key: Callable[..., Program], kestrel: Customer
) -> None:
    feature(api)
    sub = subscribed(api, kestrel, plan(api, "basic", {"feature": "seats", "amount": "10"}))
    viewer = as_key("acorn", "ana@acorn.example", rights=["subscriptions.view"])
    stranger = as_key("acorn", "ana@acorn.example", rights=["invoices.view"])
    before = counted(house)
    for method, path, body in [
        ("POST", "/features", {"name": "X", "code": "x", "kind": "switch"}),
        ("PATCH", "/features/seats", {"name": "X"}),
        ("POST", "/features/seats/retire", {}),
        ("PUT", "/plans/basic/features", {"features": []}),
        ("PUT", f"/subscriptions/{sub}/feature_overrides/seats", {"amount": "1"}),
        ("DELETE", f"/subscriptions/{sub}/feature_overrides/seats", None),
    ]:
        assert viewer(method, path, body).status_code == 403, path
    assert counted(house) == before
    assert has(viewer, kestrel, "seats")["granted"]
    assert stranger("GET", f"/customers/{kestrel.public_id}/entitlements/seats").status_code == 403

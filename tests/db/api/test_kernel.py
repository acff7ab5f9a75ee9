"""What every operation of the API has: problems, idempotency, versions, pages, limits, a log."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db.models import F

from core import clock, effects
from core.api.operations import Call
from core.api.problems import Precondition
from core.models import IdempotencyKey
from core.scope import Scope, enter, work
from core.tasks import system_scope
from customers.models import Customer
from tenants.models import ApiKeyUse, ApiRequest
from tenants.services import keys
from tests import factories
from tests.conftest import seat
from tests.db.api.conftest import Program, key_of, said

KESTREL = {"name": "Kestrel Freight", "number": "K-77", "email": "ap@kestrel.example", "currency": "EUR"}


def customers(house: Scope) -> int:
    with enter(house), work():
        return Customer.objects.count()


# problems


def test_every_refusal_is_a_problem_with_the_id_of_its_request(api: Program) -> None:
    answer = api("GET", "/customers/cus_none")
    problem = said(answer)
    assert answer["Content-Type"] == "application/problem+json"
    assert (problem["status"], problem["code"]) == (404, "not_found")
    assert problem["request_id"] == answer["Request-Id"]


def test_an_address_that_is_none_is_a_problem_too(api: Program) -> None:
    answer = api("GET", "/nothing/here")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    refused = api("DELETE", "/customers")
    assert (refused.status_code, refused["Allow"]) == (405, "GET, HEAD, POST")


def test_an_unknown_field_is_refused_and_named(api: Program, house: Scope) -> None:
    answer = api("POST", "/customers", {**KESTREL, "emial": "x", "parent": None})
    assert answer.status_code == 422
    assert said(answer)["errors"] == [{"pointer": "/emial", "message": "Unknown field."}]
    assert api("GET", "/customers?statsu=open").status_code == 422
    assert api("GET", "/customers?q=a&q=b").status_code == 422
    assert customers(house) == 0


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b'"x"', b"null", b"\xff", b"{" * 100_000, b'{"name": NaN}', b"[" * 100_000, b""],
)
def test_a_body_that_is_no_object_is_a_bad_request(api: Program, house: Scope, body: bytes) -> None:
    assert api("POST", "/customers", body).status_code in {400, 422}
    assert customers(house) == 0


def test_a_body_too_large_is_said_so(api: Program) -> None:
    assert api("POST", "/customers", {"name": "x" * 1_100_000}).status_code == 413


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", 7),
        ("name", ""),
        ("name", "\0"),
        ("name", "\ud800"),
        ("name", "x" * 201),
        ("name", None),
        ("terms_days", "14"),
        ("terms_days", 1.0),
        ("terms_days", True),
        ("terms_days", 10**40),
        ("terms_days", -1),
        ("currency", "eur"),
        ("currency", "XXX"),
        ("email", "nobody"),
        ("parent", "cus_none"),
        ("metadata", {"a": 1}),
        ("metadata", {"a" * 41: "x"}),
        ("metadata", {str(n): "x" for n in range(51)}),
        ("metadata", {"": "x"}),
        ("metadata", {"a\0": "x"}),
        ("metadata", []),
    ],
)
def test_a_value_that_cannot_be_is_named(api: Program, house: Scope, name: str, value: Any) -> None:
    answer = api("POST", "/customers", {**KESTREL, name: value})
    assert answer.status_code == 422
    assert said(answer)["errors"][0]["pointer"].startswith(f"/{name}")
    assert customers(house) == 0


# idempotency


def test_the_same_key_again_is_answered_the_same_and_done_once(api: Program, house: Scope) -> None:
    body = {key: value for key, value in KESTREL.items() if key != "number"}
    first = api("POST", "/customers", body, Idempotency_Key="one")
    again = api("POST", "/customers", body, Idempotency_Key="one")
    assert (first.status_code, again.status_code) == (201, 201)
    assert said(first) == said(again)
    assert again["Idempotent-Replayed"] == "true"
    assert again["ETag"] == first["ETag"]
    assert customers(house) == 1
    assert api("POST", "/customers", body, Idempotency_Key="two").status_code == 201
    assert customers(house) == 2


def test_a_key_with_another_request_is_refused(api: Program, house: Scope) -> None:
    api.post("/customers", KESTREL, 201, Idempotency_Key="one")
    answer = api("POST", "/customers", {**KESTREL, "name": "Other"}, Idempotency_Key="one")
    assert (answer.status_code, said(answer)["code"]) == (422, "key_reused")
    assert customers(house) == 1


def test_a_refusal_is_repeated_too(api: Program, house: Scope) -> None:
    """Once begun it stays as it was answered, also when it would work now."""
    with enter(house), work():
        factories.customer(number="K-77", name="Somebody else")
    for _ in range(2):
        answer = api("POST", "/customers", KESTREL, Idempotency_Key="one")
        assert (answer.status_code, said(answer)["code"]) == (409, "number_taken")
        with enter(house), work():
            Customer.objects.filter(number="K-77").update(number="K-1")
    assert answer["Idempotent-Replayed"] == "true"
    assert answer["Content-Type"] == "application/problem+json"


def test_what_fails_in_its_form_leaves_the_key_unused(api: Program, house: Scope) -> None:
    assert api("POST", "/customers", {}, Idempotency_Key="one").status_code == 422
    api.post("/customers", KESTREL, 201, Idempotency_Key="one")


def test_two_callers_may_have_the_same_key(api: Program, as_key: Callable[..., Program]) -> None:
    other = as_key("acorn", "ben@acorn.example")
    api.post("/customers", KESTREL, 201, Idempotency_Key="one")
    other.post("/customers", {**KESTREL, "number": "K-78"}, 201, Idempotency_Key="one")


@pytest.mark.parametrize("key", ["", "x" * 256, "\u00e9"])
def test_a_key_that_is_none_is_refused(api: Program, key: str) -> None:
    assert api("POST", "/customers", KESTREL, Idempotency_Key=key).status_code == 400


def test_the_same_request_twice_at_once_is_done_once(committed: dict[str, str]) -> None:
    """One of both may be told that the other is under way."""
    ana = seat("acorn", "ana@acorn.example")
    secret = key_of(ana)
    body = {"name": "Kestrel Freight"}
    found: list[int] = []

    def ask() -> None:
        from django.db import connection

        answer = Program(secret)("POST", "/customers", body, Idempotency_Key="one")
        found.append(answer.status_code)
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert customers(ana) == 1
    assert set(found) <= {201, 409}
    assert 201 in found
    with enter(ana), work():
        assert IdempotencyKey.objects.count() == 1


# versions and pages


def test_nothing_newer_is_written_over(api: Program) -> None:
    made = api("POST", "/customers", KESTREL)
    path = f"/customers/{said(made)['id']}"
    assert made["ETag"] == '"1"'
    changed = api("PATCH", path, {"name": "Kestrel AG"}, If_Match='"1"')
    assert (changed.status_code, changed["ETag"]) == (200, '"2"')
    stale = api("PATCH", path, {"name": "Kestrel SE"}, If_Match='"1"')
    assert (stale.status_code, said(stale)["code"]) == (412, "version_mismatch")
    assert api("PATCH", path, {"name": "x"}, If_Match="x").status_code == 412
    assert api.get(path)["name"] == "Kestrel AG"


def test_what_changed_after_it_was_read_is_not_written_over(api: Program, house: Scope) -> None:
    with enter(house), work():
        read = factories.customer()
        Customer.objects.filter(pk=read.pk).update(version=F("version") + 1)
        with pytest.raises(Precondition):
            Call(if_match=read.version).hold(read)
        Call(if_match=read.version + 1).hold(read)


def test_a_list_is_walked_by_next_without_missing_or_doubling(api: Program, house: Scope) -> None:
    with enter(house), work():
        wanted = {factories.customer().public_id for _ in range(7)}
    seen, path = [], "/customers?limit=3"
    while path:
        page = api.get(path)
        seen += [row["id"] for row in page["data"]]
        assert page["has_more"] == bool(page["next"])
        path = page["next"]
        if len(seen) == 3:
            with enter(house), work():
                factories.customer()  # comes before what is walked, so it moves nothing
    assert len(seen) == len(set(seen)) == 7
    assert set(seen) == wanted


def test_a_cursor_is_of_its_list_and_its_organization(
    api: Program, as_key: Callable[..., Program], house: Scope
) -> None:
    with enter(house), work():
        owner = factories.customer()
        factories.customer()
    page = api.get("/customers?limit=1")["next"]
    cursor = page.split("page=")[1]
    for path in (f"/customers?page={cursor}x", f"/customers/{owner.public_id}/contacts?page={cursor}"):
        assert api("GET", path).status_code == 422
    assert as_key("birch", "bea@birch.example")("GET", page).status_code == 422
    for limit in ("0", "101", "x", "-1", "1e3"):
        assert api("GET", f"/customers?limit={limit}").status_code == 422


def test_an_object_is_expanded_where_the_list_offers_it(api: Program, house: Scope) -> None:
    with enter(house), work():
        parent = factories.customer(name="Kestrel Group")
        factories.customer(parent_id=parent.pk)
    plain = api.get("/customers?limit=1")["data"][0]
    whole = api.get("/customers?limit=1&expand[]=parent")["data"][0]
    assert plain["parent"] == parent.public_id
    assert (whole["parent"]["id"], whole["parent"]["name"]) == (parent.public_id, "Kestrel Group")
    assert api("GET", "/customers?expand[]=organization").status_code == 422


def test_statements_do_not_grow_with_the_list(
    api: Program, house: Scope, django_assert_max_num_queries: Any
) -> None:
    with enter(house), work():
        for _ in range(30):
            factories.customer()
    api.get("/customers")
    with django_assert_max_num_queries(26):
        api.get("/customers?limit=100&expand[]=parent")


# limits, versions of the form, the log


def test_limits_are_said_and_held(api: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenants.api_door.PER_KEY", 2)
    at = clock.wall()  # within one window, however slow the machine
    monkeypatch.setattr("core.limits.clock", SimpleNamespace(wall=lambda: at))
    answer = api("GET", "/me")
    assert answer["RateLimit-Policy"] == '"key";q=2;w=60'
    assert answer["RateLimit"].startswith('"key";r=1;t=')
    api("GET", "/me")
    refused = api("GET", "/me")
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 60
    cache.clear()
    assert api("GET", "/me").status_code == 200


def test_the_form_of_answers_is_dated(api: Program) -> None:
    assert api("GET", "/me")["Api-Version"] == keys.VERSION
    assert api("GET", "/me", Api_Version=keys.VERSION).status_code == 200
    assert api("GET", "/me", Api_Version="1999-01-01").status_code == 400


def test_requests_are_logged_without_secrets(api: Program, house: Scope) -> None:
    api("POST", "/customers", {**KESTREL, "metadata": {"api_token": "tops3cret", "note": "y" * 400}})
    api("GET", "/customers/cus_none")
    with enter(house), work():
        made, missed = ApiRequest.objects.order_by("id")
        use = ApiKeyUse.objects.get()
    assert (made.method, made.path, made.status) == ("POST", "/api/v1/customers", 201)
    assert made.body["metadata"]["api_token"] == "[cut]"
    assert len(made.body["metadata"]["note"]) < 250
    assert (missed.status, missed.code, missed.problem["status"]) == (404, "not_found", 404)
    assert api.secret not in str([made.__dict__, missed.__dict__])
    assert use.address == "127.0.0.1"


def test_another_organization_is_not_there(api: Program, as_key: Callable[..., Program]) -> None:
    mine = api.post("/customers", KESTREL, 201)["id"]
    bea = as_key("birch", "bea@birch.example")
    for method, path, body in (
        ("GET", f"/customers/{mine}", None),
        ("PATCH", f"/customers/{mine}", {"name": "Mine"}),
        ("POST", f"/customers/{mine}/archive", None),
        ("POST", f"/customers/{mine}/contacts", {"name": "x", "email": "x@x.example"}),
    ):
        foreign, absent = bea(method, path, body), bea(method, path.replace(mine, "cus_none"), body)
        assert foreign.status_code == absent.status_code == 404
        assert {**said(foreign), "request_id": ""} == {**said(absent), "request_id": ""}
    answer = bea("POST", "/customers", {"name": "B", "parent": mine})
    assert answer.status_code == 422
    assert bea.get("/customers")["data"] == []


def test_old_requests_are_forgotten(committed_acorn: Scope) -> None:
    """After thirty days the log and the kept answers go, without anybody asking; younger ones stay."""
    with time_machine.travel(datetime(2026, 12, 1, 12, tzinfo=UTC), tick=False) as now:
        api = Program(key_of(committed_acorn))
        api.post("/customers", KESTREL, 201, Idempotency_Key="one")
        now.shift(timedelta(days=31, hours=1))
        young = api("GET", "/me")["Request-Id"]
        for _ in range(2):
            with enter(system_scope(committed_acorn.organization_id)):
                effects.work_off([])
        with work():
            assert list(ApiRequest.objects.values_list("request_id", flat=True)) == [young]
            assert not IdempotencyKey.objects.exists()

"""Webhooks by API: a secret is given once, also where the request is repeated, and kept nowhere."""

from collections.abc import Callable

import pytest

from core.models import IdempotencyKey
from core.relay import relay
from core.scope import Scope, enter, work
from integrations.models import Delivery, Endpoint
from tenants.models import ApiRequest
from tests import factories
from tests.db.api.conftest import Program, said

HOOK = {"url": "https://erp.example/hook"}


def test_a_secret_is_given_once_and_kept_nowhere(api: Program, house: Scope) -> None:
    first = api("POST", "/webhooks", HOOK, Idempotency_Key="one")
    again = api("POST", "/webhooks", HOOK, Idempotency_Key="one")
    secret = said(first)["secret"]
    assert (first.status_code, again.status_code) == (201, 201)
    assert secret.startswith("whsec_")
    assert said(again) == {**said(first), "secret": None}
    with enter(house), work():
        assert Endpoint.objects.count() == 1
        kept = [
            IdempotencyKey.objects.values()[0],
            ApiRequest.objects.values()[0],
            Endpoint.objects.values()[0],
        ]
    assert secret not in str(kept)
    rolled = api.post(f"/webhooks/{said(first)['webhook']['id']}/secret")
    assert rolled["secret"] not in {None, secret}


def test_it_is_changed_switched_off_and_on_and_taken_away(api: Program) -> None:
    made = api.post("/webhooks", {**HOOK, "events": ["invoice.issued"]}, 201)["webhook"]
    path = f"/webhooks/{made['id']}"
    changed = api("PATCH", path, {"thin": True}, If_Match='"1"')
    assert (said(changed)["thin"], said(changed)["events"]) == (True, ["invoice.issued"])
    assert api("PATCH", path, {"thin": False}, If_Match='"1"').status_code == 412
    for _ in range(2):
        assert api.post(f"{path}/disable")["disabled_at"]
    assert api.post(f"{path}/enable")["disabled_at"] is None
    assert [row["id"] for row in api.get("/webhooks")["data"]] == [made["id"]]
    assert api("DELETE", path).status_code == 204
    assert api("GET", path).status_code == 404


def test_what_it_was_told_is_listed_and_told_again(api: Program, house: Scope) -> None:
    made = api.post("/webhooks", HOOK, 201)["webhook"]
    with enter(house):
        with work():
            factories.invoice(factories.customer())
        relay([])
    (row,) = api.get(f"/webhooks/{made['id']}/deliveries?state=pending&limit=1")["data"]
    assert api("POST", f"/deliveries/{row['id']}/replay").status_code == 409
    with enter(house), work():
        Delivery.objects.update(state="failed")
    assert api.post(f"/deliveries/{row['id']}/replay", status=202)["state"] == "pending"
    assert api.post(f"/webhooks/{made['id']}/test", status=202)["id"] == made["id"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"url": "nowhere"}, "/url"),
        ({"url": 7}, "/url"),
        ({}, "/url"),
        ({**HOOK, "events": ["invoice.isued"]}, "/events"),
        ({**HOOK, "events": "invoice.issued"}, "/events"),
        ({**HOOK, "thin": "yes"}, "/thin"),
        ({**HOOK, "secret": "mine"}, "/secret"),
    ],
)
def test_what_cannot_be_is_named(api: Program, house: Scope, body: object, pointer: str) -> None:
    answer = api("POST", "/webhooks", body)
    assert (answer.status_code, said(answer)["errors"][0]["pointer"]) == (422, pointer)
    with enter(house), work():
        assert not Endpoint.objects.exists()


def test_who_may_not_and_whose_it_is_not(api: Program, as_key: Callable[..., Program], house: Scope) -> None:
    path = f"/webhooks/{api.post('/webhooks', HOOK, 201)['webhook']['id']}"
    reader = as_key("acorn", "ana@acorn.example", rights=["webhooks.view"])
    bea = as_key("birch", "bea@birch.example")
    for method, address in (
        ("PATCH", path),
        ("DELETE", path),
        ("POST", f"{path}/secret"),
        ("POST", f"{path}/test"),
    ):
        body = {"thin": True} if method == "PATCH" else None
        assert reader(method, address, body).status_code == 403
        foreign, absent = bea(method, address, body), bea(method, address.replace("whe_", "whe_x"), body)
        assert foreign.status_code == absent.status_code == 404
    with enter(house), work():
        assert Endpoint.objects.get().version == 1

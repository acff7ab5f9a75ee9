"""Every operation of the API, asked by another organization's key: as what is nobody's, and nothing changed."""

import json
from typing import Any

import pytest
from django.test import Client

from core.scope import enter, work
from tenants.services import keys
from tests.db.isolation.conftest import ACORN_CANARY, House, public_ids
from tests.routes import Route, api_routes

METHODS = ("get", "post", "patch", "put", "delete")
WITH_IDS = [route for route in api_routes() if route.parameters]
LISTS = [route for route in api_routes() if not route.parameters]
NOBODY = "01J00000000000000000000000"


@pytest.fixture
def bea(next_door: House, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A program with all rights of Birch's owner, which no limit stops."""
    monkeypatch.setattr("tenants.api_door.PER_KEY", 10**9)
    monkeypatch.setattr("tenants.api_door.PER_ORGANIZATION", 10**9)
    with enter(next_door.birch), work():
        secret = keys.make(name="ERP").secret
        found = keys.find_alive(keys.digest(secret), "127.0.0.1")
    monkeypatch.setattr(
        keys, "find_alive", lambda *_key: found
    )  # once, not for each of thousands of requests
    return Client(raise_request_exception=False, headers={"Authorization": f"Bearer {secret}"})


def methods(route: Route) -> list[str]:
    return [each for each in METHODS if hasattr(route.view.cls, each)]


def asked(client: Client, method: str, address: str) -> tuple[int, str]:
    """Status and body, without what differs from one request to the next and the id that was asked for."""
    answer = getattr(client, method)(address, "{}", content_type="application/json") if method != "get" else (
        client.get(address)
    )  # fmt: skip
    text = answer.content.decode("utf-8", "replace")
    assert ACORN_CANARY not in text, address
    said: Any = json.loads(text) if text.startswith("{") else text
    if isinstance(said, dict):
        said.pop("request_id", None)
    return answer.status_code, json.dumps(said, sort_keys=True)


@pytest.mark.parametrize("route", WITH_IDS, ids=lambda route: route.text)
def test_an_id_of_another_organization_is_nobodys(next_door: House, bea: Client, route: Route) -> None:
    values = list(public_ids(next_door).values())

    def answer(method: str, value: str) -> tuple[int, str]:
        status, said = asked(bea, method, route.address(dict.fromkeys(route.parameters, value)))
        return status, said.replace(value, "")

    for method in methods(route):
        nobodys = answer(method, NOBODY)
        assert 400 <= nobodys[0] < 500
        for value in values:
            assert answer(method, value) == nobodys, f"{method} {value} differs from an id that is nobody's"


@pytest.mark.parametrize("route", LISTS, ids=lambda route: route.text)
def test_no_list_shows_a_row_of_another_organization(next_door: House, bea: Client, route: Route) -> None:
    if "get" not in methods(route):
        pytest.skip("nothing to read")
    for query in ("", f"?q={ACORN_CANARY[:8]}"):
        status, said = asked(bea, "get", route.address({}) + query)
        assert status < 500
        assert not [each for each in public_ids(next_door).values() if each in said]

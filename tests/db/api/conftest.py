"""The API as programs use it: with a key of Ana's, in a transaction that is rolled back."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import uuid4

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import Resolver404, resolve
from jsonschema import Draft202012Validator

from core.api.schema import document
from core.models import Effect
from core.scope import Scope, enter, work
from customers.models import Customer
from tenants.services import keys
from tenants.services.requests import FORGET
from tests import factories
from tests.conftest import judge, seat

V1 = "/api/v1"


@pytest.fixture(autouse=True)
def own_cache(settings: object) -> None:
    """Counters of rate limits start at nothing."""
    settings.CACHES = {  # type: ignore[attr-defined]
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": uuid4().hex}
    }


@dataclass
class Program:
    """A caller with a key. Answers are checked to be JSON; `said` is the body of one."""

    secret: str
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        given = {
            "Authorization": f"Bearer {self.secret}",
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        if (method, path) == ("POST", "/payments"):
            given.setdefault("Idempotency-Key", uuid4().hex)
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        address = path if path.startswith("/api/") else V1 + path
        answer: Any = self.client.generic(
            method, address, data, content_type="application/json", headers=given
        )
        assert answer.status_code < 500, answer.content
        conforms(method.lower(), address.split("?")[0], answer)
        return answer  # type: ignore[no-any-return]

    def get(self, path: str, **headers: str) -> Any:
        answer = self("GET", path, **headers)
        assert answer.status_code == 200, answer.content
        return said(answer)

    def post(self, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        answer = self("POST", path, body, **headers)
        assert answer.status_code == status, answer.content
        return said(answer)


def conforms(method: str, path: str, answer: HttpResponse) -> None:
    """Judge an answer by what the OpenAPI document says of it."""
    try:
        route = resolve(path).route
    except Resolver404:
        return
    known = openapi()
    template = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)
    operation = known["paths"].get(template, {}).get(method)
    if operation is None or answer.status_code in {405, 401}:
        return
    stated = operation["responses"][str(answer.status_code)]
    if not answer.content:
        assert "content" not in stated
        return
    schema = stated["content"][answer["Content-Type"]]["schema"]
    if schema.get("format") == "binary":
        return
    Draft202012Validator({**schema, "components": known["components"]}).validate(json.loads(answer.content))


@cache
def openapi() -> Any:
    return document()


def said(answer: HttpResponse) -> Any:
    """The body of an answer."""
    return json.loads(answer.content) if answer.content else None


def statements(api: Program, path: str) -> int:
    """How many statements a request takes that is not the first of its kind."""
    api.get(path)
    with CaptureQueriesContext(connection) as seen:
        api.get(path)
    return len(seen)


def pointers(answer: HttpResponse) -> list[str]:
    """The fields that a refusal names."""
    return [each["pointer"] for each in said(answer).get("errors", [])]


def same_refusal(program: Program, method: str, path: str, known: str, body: Any = None) -> None:
    """What is another organization's is answered as what is nobody's."""
    prefix = known.partition("_")[0]
    absent_id = (
        f"{prefix}_99999999" if known.partition("_")[2].isdigit() else f"{prefix}_01J00000000000000000000000"
    )
    foreign, absent = program(method, path, body), program(method, path.replace(known, absent_id), body)
    assert foreign.status_code == absent.status_code == 404
    assert {**said(foreign), "request_id": ""} == {**said(absent), "request_id": ""}


def key_of(scope: Scope, **given: Any) -> str:
    """A key made by the member of the scope."""
    with enter(scope), work():
        return keys.make(**{"name": "ERP", **given}).secret


@pytest.fixture
def house(db: None) -> Scope:
    """Ana's scope, not entered: the API enters its own."""
    return seat("acorn", "ana@acorn.example")


@pytest.fixture
def books(house: Scope) -> Iterator[None]:
    """The books prove themselves at the end of the test."""
    yield
    judge(house)


@pytest.fixture
def api(house: Scope) -> Program:
    """A program with all of Ana's rights."""
    return Program(key_of(house))


@pytest.fixture
def as_key(db: None) -> Callable[..., Program]:
    """A program of a member: as_key("birch", "bea@birch.example", rights=[…])."""
    return lambda slug, email, **given: Program(key_of(seat(slug, email), **given))


@pytest.fixture
def generous(house: Scope, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A key of Ana's that no limit stops, while a served request leaves the test its connection."""
    monkeypatch.setattr("tenants.api_door.PER_KEY", 10**9)
    monkeypatch.setattr("tenants.api_door.PER_ORGANIZATION", 10**9)
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield key_of(house)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def judged(house: Scope) -> Iterator[None]:
    """What was done by API leaves books that prove themselves."""
    yield
    if not connection.needs_rollback:
        judge(house)


@pytest.fixture
def kestrel(house: Scope) -> Customer:
    """A customer of Acorn's with an address."""
    with enter(house), work():
        return factories.customer(name="Kestrel", email="ap@kestrel.example", terms_days=14)


def effects_due() -> int:
    """How many effects were asked for, but the clearing of the requests' own log. Inside work()."""
    return Effect.objects.exclude(kind=FORGET).count()

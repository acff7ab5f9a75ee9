"""Every page, crawled as another organization: 404, nothing of Acorn's in the answer, nothing changed."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from core.scope import enter, work
from tenants.models import User
from tenants.selectors import seat_of
from tests.db.isolation.conftest import ACORN_CANARY, House, public_ids, run
from tests.db.isolation.rows import tenant_models
from tests.routes import Route, routes, staff_routes

STAFF_ROUTES = staff_routes()
WITH_IDS = [route for route in STAFF_ROUTES if len(route.parameters) > 1]
NO_METHOD = 405
each_page = pytest.mark.parametrize("route", STAFF_ROUTES or [None], ids=lambda route: route and route.text)


def bea() -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(
        User.objects.get(email="bea@birch.example"), "django.contrib.auth.backends.ModelBackend"
    )
    return client


def body(answer: Any) -> str:
    return (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode(
        "utf-8", "replace"
    )


def both(client: Client, address: str, methods: Sequence[str] = ("get", "post")) -> list[HttpResponse]:
    said = {"name": "x", "reason": "x", "amount": "1"}
    return [client.post(address, said) if each == "post" else client.get(address) for each in methods]


def filled(route: Route, slug: str, value: str) -> dict[str, str]:
    return {name: slug if name == "slug" else value for name in route.parameters}


@each_page
def test_another_organizations_pages_are_not_there(next_door: House, route: Route | None) -> None:
    if route is None:
        pytest.skip("no pages yet")
    client = bea()
    address = route.address(filled(route, "acorn", "1"))
    for answer in both(client, address):
        assert answer.status_code == 404, address
        assert ACORN_CANARY not in body(answer)
        assert "Acorn Instruments" not in body(answer)


@each_page
def test_a_stranger_is_sent_to_sign_in(next_door: House, route: Route | None) -> None:
    if route is None:
        pytest.skip("no pages yet")
    address = route.address(filled(route, "acorn", "1"))
    for answer in both(Client(raise_request_exception=False), address):
        assert answer.status_code == 302, address
        assert answer["Location"].startswith("/sign-in/?next=/o/acorn/")


@pytest.mark.parametrize("route", WITH_IDS or [None], ids=lambda route: route and route.text)
def test_ids_of_another_organization_lead_nowhere(
    next_door: House, route: Route | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bea on her own pages with the ids of Acorn's rows, of every kind. That she may come in is found out once."""
    if route is None:
        pytest.skip("no pages yet")
    with enter(next_door.birch):
        came_in = seat_of(
            User.objects.get(email="bea@birch.example"), next_door.birch.organization_id, origin="page",
            request_id="req_test",
        )  # fmt: skip
    monkeypatch.setattr("tenants.middleware.seat_of", lambda *_who, **_how: came_in)
    client = bea()
    values = list(public_ids(next_door).values())
    if any(name.endswith("_id") and f"<int:{name}>" in route.text for name in route.parameters):
        values = [
            str(pk)
            for label, pk in next_door.mine.items()
            if f"{label.split('.')[1].lower()}_id" in route.parameters
        ]
    nobodys = both(client, route.address(filled(route, "birch", "999999999")))
    # A method that a page does not have is refused before any id is read.
    wanted = [
        each for each, answer in zip(("get", "post"), nobodys, strict=True) if answer.status_code != NO_METHOD
    ]
    absent = [answer.status_code for answer in nobodys if answer.status_code != NO_METHOD]
    for value in values:
        address = route.address(filled(route, "birch", value))
        answers = both(client, address, wanted)
        assert [answer.status_code for answer in answers] == absent, (
            f"{address} differs from an id that is nobody's"
        )
        assert all(400 <= answer.status_code < 500 for answer in answers), address
        assert not any(ACORN_CANARY in body(answer) for answer in answers)


@pytest.mark.parametrize(
    "route",
    [route for route in STAFF_ROUTES if route.parameters == ["slug"]] or [None],
    ids=lambda route: route and route.text,
)
def test_own_pages_show_nothing_of_another_organization(next_door: House, route: Route | None) -> None:
    if route is None:
        pytest.skip("no pages yet")
    client = bea()
    address = route.address({"slug": "birch"})
    asked = {"q": ACORN_CANARY[:8], "query": ACORN_CANARY[:8], "search": ACORN_CANARY[:8]}
    for answer in (client.get(address), client.get(address, asked)):
        assert answer.status_code in {200, 302, 400, 405, 422}, address
        assert ACORN_CANARY not in body(answer)


@pytest.mark.parametrize(
    "route",
    [route for route in routes() if route not in STAFF_ROUTES],
    ids=lambda route: route.text or "front",
)
def test_open_pages_show_a_stranger_nothing(next_door: House, route: Route) -> None:
    client = Client(raise_request_exception=False)
    for value in public_ids(next_door).values():
        answer = client.get(route.address(filled(route, "acorn", value)))
        assert answer.status_code < 500
        assert ACORN_CANARY not in body(answer)
        if not route.parameters:
            break


def test_the_crawl_has_something_to_find(neighbours: House) -> None:
    """The canary is in the rows that the pages above must not show."""
    with transaction.atomic(), enter(neighbours.acorn), work():
        found = [
            model._meta.label
            for model in tenant_models()
            if run(f"SELECT 1 FROM {model._meta.db_table} t WHERE t::text LIKE '%%{ACORN_CANARY}%%' LIMIT 1")
        ]
    assert {"customers.Customer", "invoicing.Document"} <= set(found)

"""What the API answers to input that two readers could understand in two ways, or that is no input at all."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from rest_framework import serializers

from core.api.fields import Exact, In, Whole
from core.scope import Scope, enter, work
from customers.models import Customer
from integrations.models import Endpoint
from tests.db.api.conftest import V1, Program, pointers, said
from tests.db.api.test_payments import body, counts
from tests.routes import Route, api_routes

INSIDE = (
    "127.0.0.1",
    "169.254.169.254",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "10.0.0.1",
    "localhost",
    "a.localhost",
)


@pytest.mark.parametrize(
    "text",
    [
        '{"amount_minor": 1, "amount_minor": 2}',
        '{"parts": [{"item": "a", "item": "b"}]}',
        '{"amount_minor": NaN}',
        '{"amount_minor": Infinity}',
        '{"amount_minor": ' + "9" * 5000 + "}",
        '{"metadata": ' + "[" * 33 + "]" * 33 + "}",
        '{"memo": "' + "\\ud8" + '"}',
    ],
)
def test_json_that_is_read_in_two_ways_is_refused(
    api: Program, house: Scope, kestrel: Customer, text: str
) -> None:
    good = json.dumps(body(kestrel))
    answer = api("POST", "/payments", f"{good[:-1]}, {text[1:]}".encode())
    assert (answer.status_code, said(answer)["code"]) == (400, "bad_request")
    assert counts(house) == (0, 0)


@pytest.mark.parametrize("value", [1e400, True, [1], {"a": 1}, None, "١", 2**63, -(2**63) - 1, 1.0])
def test_an_amount_is_a_whole_number(api: Program, house: Scope, kestrel: Customer, value: Any) -> None:
    answer = api(
        "POST",
        "/payments",
        json.dumps(body(kestrel, amount_minor=value)).replace("Infinity", "1e400").encode(),
    )
    assert (answer.status_code, pointers(answer)) == (422, ["/amount_minor"])
    assert counts(house) == (0, 0)


@pytest.mark.parametrize(
    "day",
    [
        "٢٠٢٦-١١-١٠",
        "2026-1-5",
        "20261110",
        "2026-W01-1",
        "2026-11-10T00:00:00",
        "10/11/2026",
        "0026-01-01",
        20261110,
    ],
)
def test_a_day_is_written_one_way(api: Program, house: Scope, kestrel: Customer, day: Any) -> None:
    answer = api("POST", "/payments", body(kestrel, received_on=day))
    assert (answer.status_code, pointers(answer)) == (422, ["/received_on"])
    assert counts(house) == (0, 0)


@pytest.mark.parametrize(
    "moment",
    [
        "2026-11-26T09:30:00",
        "2026-11-26",
        "2026-11-26T23:59:60Z",
        "2026-11-26T09:30:00+99:00",
        "20261126T093000Z",
        "x",
    ],
)
def test_a_time_says_its_offset(api: Program, moment: str) -> None:
    assert api("GET", f"/events?since={moment}").status_code == 422


def test_figures_of_a_query_are_plain_digits(api: Program) -> None:
    for limit in ("١٠", "1_0", "５", "1e1", "-1", "0", "101", "9" * 1000, "10.0", " 1"):
        assert api("GET", "/customers", limit=limit).status_code == 200  # a header is no parameter
        assert api("GET", f"/customers?limit={limit}").status_code == 422, limit


def test_money_is_recorded_under_a_name_of_the_callers_only(
    api: Program, house: Scope, kestrel: Customer
) -> None:
    """Without one, a caller that saw no answer cannot ask again without the danger of recording it twice."""
    answer: Any = Client().post(
        f"{V1}/payments",
        body(kestrel),
        content_type="application/json",
        headers={"Authorization": f"Bearer {api.secret}"},
    )
    assert (answer.status_code, said(answer)["code"]) == (400, "bad_request")
    assert counts(house) == (0, 0)


def test_a_host_in_full_width_letters_is_kept_in_plain_ones(api: Program) -> None:
    made = api.post("/customers", {"name": "K", "currency": "EUR", "email": "ap@ｋestrel.example"}, 201)
    assert made["email"] == "ap@kestrel.example"


@pytest.mark.parametrize("host", INSIDE)
def test_nobody_inside_is_told_of_events(api: Program, house: Scope, host: str) -> None:
    answer = api("POST", "/webhooks", {"url": f"https://{host}/hook"})
    assert (answer.status_code, pointers(answer)) == (422, ["/url"])
    with enter(house), work():
        assert not Endpoint.objects.exists()


def _serializers() -> Iterator[tuple[str, serializers.BaseSerializer[Any]]]:
    def inner(name: str, one: Any) -> Iterator[tuple[str, Any]]:
        yield name, one
        for key, given in getattr(one, "fields", {}).items():
            field = getattr(given, "child", given)
            if isinstance(field, serializers.BaseSerializer):
                yield from inner(f"{name}/{key}", field)

    for route in api_routes():
        for method in ("get", "post", "put", "patch", "delete"):
            declared = getattr(getattr(route.view.view_class, method, None), "operation", None)
            for kind in filter(None, (declared and declared.takes, declared and declared.query)):
                yield from inner(f"{method} {route.text}", kind())


@pytest.mark.parametrize(("name", "one"), [pytest.param(*each, id=each[0]) for each in _serializers()])
def test_all_that_is_taken_is_named_and_bounded(name: str, one: serializers.BaseSerializer[Any]) -> None:
    """No operation takes a field it does not know, a number without an end, or one that is written in other ways."""
    assert isinstance(one, In)
    for field in one.fields.values():
        if isinstance(field, serializers.IntegerField):
            assert isinstance(field, Whole)
            assert field.min_value is not None
            assert field.max_value is not None
        assert not isinstance(field, serializers.FloatField)
        if isinstance(field, serializers.DecimalField):
            assert isinstance(field, Exact)
        if isinstance(field, serializers.CharField) and not isinstance(field, serializers.ChoiceField):
            assert field.max_length, field.field_name


@pytest.mark.parametrize("route", api_routes(), ids=lambda route: route.text)
def test_methods_that_the_api_does_not_have_are_refused(api: Program, route: Route) -> None:
    address = route.address(dict.fromkeys(route.parameters, "x"))
    for method in ("TRACE", "CONNECT", "OPTIONS", "FOO"):
        assert (
            api.client.generic(method, address, headers={"Authorization": f"Bearer {api.secret}"}).status_code
            == 405
        )
    overridden = api("GET", address, X_HTTP_Method_Override="DELETE")
    assert overridden.status_code in {200, 404, 405, 422, 400}


@pytest.mark.parametrize(
    "route", [route for route in api_routes() if "<str:" in route.text], ids=lambda route: route.text
)
def test_a_name_that_no_text_can_be_is_not_found(api: Program, route: Route) -> None:
    methods = [each.upper() for each in ("get", "post", "put", "patch") if hasattr(route.view.cls, each)]
    for text in ("%00", "a%00b", "%FF", "%ED%A0%80", "%0A", "x" * 300):
        address = route.address(dict.fromkeys(route.parameters, text))
        for method in methods:
            answer = api(method, address, None if method == "GET" else {})
            assert answer.status_code == 404 or pointers(answer), (method, text)

"""The OpenAPI file is true: what it says is what the API does, for anything a program may send."""

import json
import re
from typing import Any

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, settings
from rest_framework.exceptions import ValidationError
from schemathesis.checks import CHECKS

from arapp.api.changes import breaking
from arapp.management.commands.openapi import FILE, written
from core import registry
from core.api.fields import Exact
from core.api.operations import ANY_KEY, Operation
from core.api.schema import document
from tests.routes import Route, api_routes

METHODS = ("get", "post", "put", "patch", "delete")


def operations() -> list[tuple[str, Route, Operation]]:
    return [
        (method, route, getattr(route.view.cls, method).operation)
        for route in api_routes()
        for method in METHODS
        if hasattr(route.view.cls, method)
    ]


def test_the_committed_file_is_what_the_product_says() -> None:
    """`python3 run.py manage openapi` writes it; a change shows in review, one that breaks callers is refused."""
    assert FILE.read_text(encoding="utf-8") == written(document())


@pytest.mark.parametrize(
    ("method", "route", "declared"), operations(), ids=lambda each: getattr(each, "text", "")
)
def test_every_operation_names_a_right_and_says_what_it_does(
    method: str, route: Route, declared: Operation
) -> None:
    assert declared.permission in {*registry.permissions, ANY_KEY}
    assert route.view.cls.tag
    assert declared.summary.endswith(".")
    assert not route.text.endswith("/")


def test_operations_have_names_of_their_own() -> None:
    names = [each["operationId"] for path in document()["paths"].values() for each in path.values()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "text", ["0", "-1", "12.50", "0.000000000001", "", ".", ".5", "5.", "1.0000000000001"]
)
def test_a_decimal_is_taken_where_its_pattern_says_so(text: str) -> None:
    said = document()["components"]["schemas"]["PriceIn"]["properties"]["unit_price"]
    try:
        Exact(max_digits=27, decimal_places=12).run_validation(text)
        taken = True
    except ValidationError:
        taken = False
    assert bool(re.search(said["pattern"], text)) is taken


def test_what_breaks_a_caller_is_found() -> None:
    before = document()
    after = json.loads(json.dumps(before))
    assert breaking(before, after) == []
    del after["paths"]["/api/v1/me"]
    after["paths"]["/api/v1/customers"]["get"]["parameters"] = [
        each for each in after["paths"]["/api/v1/customers"]["get"]["parameters"] if each["name"] != "q"
    ]
    del after["components"]["schemas"]["Customer"]["properties"]["number"]
    after["components"]["schemas"]["CustomerIn"]["required"].append("email")
    assert sorted(breaking(before, after)) == [
        "Customer.number is gone",
        "CustomerIn.email is required now",
        "GET /api/v1/customers no longer takes q",
        "GET /api/v1/me is gone",
    ]


SCHEMA = schemathesis.openapi.from_dict(document())
CHECKED = [
    CHECKS.get_one(name)
    for name in (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
    )
]


@SCHEMA.parametrize()
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_anything_that_may_be_sent_is_answered_as_written(case: Any, db: None, generous: str) -> None:
    response = case.call(app=get_wsgi_application(), headers={"Authorization": f"Bearer {generous}"})
    each_by_itself = (
        case.operation.label == "POST /api/v1/usage_events/batch"
    )  # says of each event what is wrong
    case.validate_response(response, checks=CHECKED[:-1] if each_by_itself else CHECKED)

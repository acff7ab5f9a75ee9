"""The API against bare views that send the same rows as they are, and the statements of one creation."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import include, path

from core.scope import Scope, enter, work
from invoicing.models import Document, Line, TaxLine
from receivables.models import OpenItem
from tenants.services import keys
from tests.conftest import seat
from tools.bench.data import acorn
from tools.bench.lists import FRAMES, invoices
from tools.bench.report import Row, seconds

COUNT, SHOWN, ROUNDS = 1_000, 100, 15
MOST_QUERIES = 25
_BEHIND, _BESIDE = "/api/v1/bare", "/bare"
"""A bare view behind the door of keys, limits and the log, like every list, and one beside it."""
_COLUMNS = (
    "public_id", "version", "created_at", "updated_at", "kind", "state", "number", "currency", "issued_on", "due_on",
    "net_minor", "tax_minor", "total_minor", "customer__public_id", "customer__name", "external_id", "metadata",
)  # fmt: skip
_scopes: list[Scope] = []


def beside(request: HttpRequest) -> JsonResponse:
    """The bare view for whoever asks: no key, no limit, no log."""
    with enter(_scopes[-1]):
        return bare(request)


def bare(_request: HttpRequest) -> JsonResponse:
    """The newest invoices with lines, taxes and what is open, as the database gives them, sent as JSON."""
    with work():
        rows = list(Document.objects.order_by("-pk").values("pk", *_COLUMNS)[:SHOWN])
        ids = [each["pk"] for each in rows]
        lines = list(Line.objects.filter(document__in=ids).values())
        taxes = list(TaxLine.objects.filter(document__in=ids).values())
        sources = [each["public_id"] for each in rows]
        items = list(OpenItem.objects.filter(source__in=sources).values("source", "open_minor"))
    return JsonResponse({"data": rows, "lines": lines, "taxes": taxes, "items": items})


urlpatterns = [path(_BEHIND[1:], bare), path(_BESIDE[1:], beside), path("", include("arapp.urls"))]


@contextmanager
def _caller() -> Iterator[tuple[Client, dict[str, str]]]:
    """A client over COUNT invoices, and the headers of a key of Ana's."""
    with acorn():
        invoices(COUNT)
        ana = seat("acorn", "ana@acorn.example")
        _scopes.append(ana)
        with enter(ana), work():
            secret = keys.make(name="bench").secret
        with override_settings(ROOT_URLCONF=__name__):
            yield Client(HTTP_HOST="localhost"), {"Authorization": f"Bearer {secret}"}
        _scopes.pop()


def _statements(act: Any) -> int:
    with CaptureQueriesContext(connection) as queries:
        act()
    return sum(not query["sql"].startswith(FRAMES) for query in queries)


def api() -> Iterator[Row]:
    """A list of a hundred against bare views, turn by turn; creating a draft by its statements."""
    with _caller() as (client, headers):

        def listed() -> None:
            answer = client.get(f"/api/v1/invoices?limit={SHOWN}", headers=headers)
            assert len(answer.json()["data"]) == SHOWN, answer.content  # noqa: S101

        def behind() -> None:
            assert len(client.get(_BEHIND, headers=headers).json()["data"]) == SHOWN  # noqa: S101

        def plain() -> None:
            assert len(client.get(_BESIDE).json()["data"]) == SHOWN  # noqa: S101

        with work():
            customer = Document.objects.order_by("-pk").values_list("customer__public_id", flat=True)[0]
        body = json.dumps({"customer": customer, "lines": [{"description": "Work", "unit_price": "100"}]})

        def made() -> None:
            answer = client.post("/api/v1/invoices", body, content_type="application/json", headers=headers)
            assert answer.status_code == 201, answer.content  # noqa: S101

        for act in (listed, behind, plain, made):
            act()
        turns = [(seconds(listed), seconds(behind), seconds(plain)) for _ in range(ROUNDS)]
        ours, door, alone = (median(each) for each in zip(*turns, strict=True))
        yield Row(
            f"API, list of {SHOWN} invoices", f"{ours * 1000:.0f} ms", f"{door * 1000:.0f} ms by a bare view",
            door / ours, 0.5,
        )  # fmt: skip
        yield Row(
            "  without key, limits and log", f"{ours * 1000:.0f} ms", f"{alone * 1000:.0f} ms by a bare view",
            alone / ours, 0.5,
        )  # fmt: skip
        spent = median(seconds(made) for _ in range(ROUNDS))
        count = _statements(made)
        yield Row(
            f"API, create an invoice, {spent * 1000:.0f} ms", f"{count} statements", f"{MOST_QUERIES} statements",
            count / MOST_QUERIES, 1, at_least=False,
        )  # fmt: skip

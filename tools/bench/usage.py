"""Taking events of usage, against bare multi-row INSERTs of the same rows into the same table."""

import json
from collections.abc import Iterator
from datetime import timedelta
from statistics import median
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.domain.usage_events import read
from billing.services.meters import create_meter
from billing.services.subscriptions import subscribe
from billing.services.usage import ingest
from billing.usage import Asked, usage_of
from core import clock
from core.scope import current, work
from tools.bench.data import DAY, acorn
from tools.bench.report import Row, seconds

BATCH, SUBSCRIPTIONS, ROUNDS, METERED = 1000, 50, 15, 500
_ROW = "(%s, %s, %s, %s, %s, '', %s, %s)"
_INSERT = (
    "INSERT INTO billing_usageevent (organization_id, series_id, transaction_id, at, value, key, properties,"
    " received_at) VALUES "
)


def _furnished(count: int) -> tuple[list[str], int]:
    """So many subscriptions and a meter that counts two groups of each; ids of both."""
    from tests import factories

    with work():
        meter = create_meter(name="Calls", code="calls", aggregation="sum", field="n", group_by=["region"])
        owner = factories.customer()
        first = factories.subscription(owner, DAY)
        others = [
            subscribe(customer=owner.public_id, price=first.price, starts_on=DAY) for _ in range(count - 1)
        ]
        return [each.public_id for each in (first, *others)], meter.pk


def _batch(turn: str, subscriptions: list[str]) -> list[dict[str, Any]]:
    """Events of the last ten minutes, as a program sends them."""
    now = clock.now()
    return [
        {
            "transaction_id": f"{turn}-{n * 7919 % BATCH:06d}",
            "meter": "calls",
            "subscription": subscriptions[n % len(subscriptions)],
            "at": (now - timedelta(seconds=n % 600)).isoformat(),
            "properties": {"n": f"{n % 97}.{n % 100:02d}", "region": ("eu", "us")[n % 3 % 2]},
        }
        for n in range(BATCH)
    ]


def _take(events: list[dict[str, Any]]) -> None:
    with work():
        ingest([read(each) for each in events])


def _bare(events: list[dict[str, Any]], series: list[int]) -> None:
    now, organization_id = clock.now(), current().organization_id
    values: list[Any] = []
    for n, each in enumerate(events):
        said = each["properties"]
        values += [
            organization_id, series[n % len(series)], each["transaction_id"], each["at"], said["n"],
            json.dumps(said), now,
        ]  # fmt: skip
    with work(), connection.cursor() as cursor:
        cursor.execute(_INSERT + ", ".join([_ROW] * len(events)), values)


def usage() -> Iterator[Row]:
    """Batches of a thousand by turns with bare ones; statements; figures of a month of many subscriptions."""
    with acorn():
        subscriptions, _ = _furnished(SUBSCRIPTIONS)
        _take(_batch("first", subscriptions))
        with work(), connection.cursor() as cursor:
            cursor.execute("SELECT id FROM billing_usageseries ORDER BY id")
            series = [pk for (pk,) in cursor.fetchall()]
        turns = [
            (
                seconds(lambda n=n: _take(_batch(f"t{n}", subscriptions))),  # type: ignore[misc]
                seconds(lambda n=n: _bare(_batch(f"b{n}", subscriptions), series)),  # type: ignore[misc]
            )
            for n in range(ROUNDS)
        ]
        taken, bare = (median(each) for each in zip(*turns, strict=True))
        with CaptureQueriesContext(connection) as queries:
            _take(_batch("last", subscriptions))
    yield Row(
        f"usage, {BATCH:,} events of {SUBSCRIPTIONS} subscriptions", f"{BATCH / taken:,.0f} events/s",
        f"{BATCH / bare:,.0f} /s bare INSERT", bare / taken, 0.5,
    )  # fmt: skip
    yield Row("  statements of such a batch", str(len(queries)), "12", len(queries) / 12, 1, at_least=False)
    yield from _figures()


def _figures() -> Iterator[Row]:
    """Reading the month of many subscriptions: time for each, and against half as many."""
    with acorn():
        subscriptions, meter_id = _furnished(METERED)
        for n in range(4):
            _take(_batch(f"t{n}", subscriptions))
        with work():
            from billing.models import Subscription

            ids = list(Subscription.objects.values_list("pk", flat=True))
        start = clock.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        asked = [Asked(pk, meter_id, start, start + timedelta(days=31)) for pk in ids]

        def read_all() -> None:
            with work():
                usage_of(asked)

        spent = median(seconds(read_all) for _ in range(5))
    yield Row(
        f"usage, a month of {METERED} subscriptions",
        f"{spent * 1000:.0f} ms",
        "250 ms",
        spent / 0.25,
        1,
        at_least=False,
    )

"""What reading usage costs, in pages of the database: a fresh server, which knows nothing of its tables, included."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.services.subscriptions import subscribe
from billing.usage import Asked, usage_of
from core import clock
from core.scope import Scope, work
from tests import factories
from tests.metering import meter, said, send


def pages_read(how: str, count: int) -> int:
    """Pages of all tables that the figures of so many subscriptions take, by the plan that the server makes."""
    by, owner = meter(how, field="" if how == "count" else "amount"), factories.customer()
    first = factories.subscription(owner, factories.DAY)
    subs = [
        first,
        *(
            subscribe(customer=owner.public_id, price=first.price, starts_on=factories.DAY)
            for _ in range(count - 1)
        ),
    ]
    now = clock.now()
    send(*(said(by, each, at=now - timedelta(hours=hours)) for each in subs for hours in (1, 30)))
    asked = [Asked(each.pk, by.pk, now - timedelta(days=9, seconds=7), now) for each in subs]
    with CaptureQueriesContext(connection) as queries:
        usage_of(asked)
    pages = 0
    with connection.cursor() as cursor:
        for each in queries.captured_queries:
            if "SELECT a.n" in each["sql"]:
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {each['sql']}")
                plan = json.loads(json.dumps(cursor.fetchone()[0]))[0]["Plan"]
                pages += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return int(pages)


@pytest.mark.parametrize("how", ["sum", "count", "unique"])
def test_four_times_as_many_are_read_in_four_times_the_pages(acorn: Scope, how: str) -> None:
    with work():
        few, many = pages_read(how, 30), pages_read(how, 120)
        assert 0 < many <= 6 * few, (few, many)

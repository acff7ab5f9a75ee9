"""What was counted after it was billed, on pages and by API: billed, counted since, to be billed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client

from billing.api.outputs import GivenBill
from billing.counted import counted_periods
from billing.domain.timeline import Kind
from billing.listing import subscription
from billing.models import Meter, Subscription
from billing.previews import next_bill
from billing.services.run import run_billing
from billing.services.subscriptions import end
from billing.services.usage_voids import void
from billing.timeline import timeline
from core.scope import Scope, work
from tenants.models import User
from tests.db.billing.test_metered import counted, sold, used
from tests.metering import meter

FIRST, NEXT, AFTER = date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)


@pytest.fixture(autouse=True)
def _early_in_december() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 12, 3, 12, tzinfo=UTC), tick=True):
        yield


@pytest.fixture
def calls(acorn: Scope) -> tuple[Meter, Subscription]:
    with work():
        by = meter("sum")
        sub = sold(counted(by, model="per_unit", unit_price=Decimal(2)))
        used(by, sub, "30", "2026-11-10T10:00Z", "first")
    run_billing(FIRST)
    run_billing(NEXT)
    return by, sub


@pytest.fixture
def ana(acorn: Scope) -> Client:
    client = Client()
    client.force_login(User.objects.get(email="ana@acorn.example"))
    return client


def page(client: Client, path: str) -> str:
    found = client.get(f"/o/acorn{path}")
    assert found.status_code == 200
    return " ".join(found.content.decode().split())


def figures(sub: Subscription, by: Meter) -> list[tuple[Any, ...]]:
    with work():
        return [
            (each.counted, each.billed_minor, each.counted_now, each.to_bill_minor, each.waits)
            for each in counted_periods(sub, by)
        ]


def test_billed_counted_since_and_to_be_billed(calls: tuple[Meter, Subscription], ana: Client) -> None:
    by, sub = calls
    assert figures(sub, by) == [(30, 6000, 30, 0, False)]
    with work():
        used(by, sub, "2.5", "2026-11-11T10:00Z")
    assert figures(sub, by) == [(30, 6000, Decimal("32.5"), 500, True)]
    usage = page(ana, f"/subscriptions/{sub.public_id}/usage/?meter={by.code}&day=2026-11-01")
    assert "32.5 by now" in usage
    assert "To be billed" in usage
    own = page(ana, f"/subscriptions/{sub.public_id}/")
    assert "Counted anew after it was billed" in own
    assert "32.5 instead of 30" in own
    run_billing(AFTER)
    assert figures(sub, by)[1] == (Decimal("32.5"), 6500, Decimal("32.5"), 0, False)
    own = page(ana, f"/subscriptions/{sub.public_id}/")
    assert "Counted anew: 32.5 instead of 30" in own
    assert "+5.00" in own


def test_the_coming_invoice_says_what_the_run_bills_and_credits(calls: tuple[Meter, Subscription]) -> None:
    by, sub = calls
    with work():
        used(by, sub, "1", "2026-11-11T10:00Z")
        found = next_bill(subscription(sub.public_id), today=AFTER)
        assert [line.line.amount_minor for line in GivenBill(sub, found).lines] == [2900, 0, 200]
        void(["first"])
        found = next_bill(subscription(sub.public_id), today=AFTER)
        ((number, parts),) = [(each.number, each.parts) for each in found.credits]
        assert number
        assert [minor for *_, minor in parts] == [5800]


def test_an_ended_one_shows_what_is_still_to_come(calls: tuple[Meter, Subscription], ana: Client) -> None:
    by, sub = calls
    with work():
        end(sub.public_id, on=NEXT, today=NEXT)
    run_billing(NEXT)
    with work():
        assert next_bill(subscription(sub.public_id), today=NEXT).charge is None
        used(by, sub, "3000", "2026-11-11T10:00Z")
        found = next_bill(subscription(sub.public_id), today=NEXT)
        assert found.totals is not None
        assert found.totals.net_minor == 600000
    run_billing(date(2027, 1, 8))
    assert "no run bills it" in page(ana, f"/subscriptions/{sub.public_id}/")


def test_the_timeline_tells_of_it(calls: tuple[Meter, Subscription], ana: Client) -> None:
    by, sub = calls
    with work():
        used(by, sub, "1", "2026-11-11T10:00Z")
    run_billing(AFTER)
    with work():
        (entry,) = [one for one in timeline(sub.public_id).entries if one.kind is Kind.COUNTED_ANEW]
        assert (entry.day, entry.amount_minor, entry.parts[0].period_start) == (AFTER, 200, FIRST)
    assert "Usage counted anew" in page(ana, f"/subscriptions/{sub.public_id}/history/")


def test_the_pages_read_as_much_however_many_corrections(
    calls: tuple[Meter, Subscription], ana: Client, django_assert_max_num_queries: Any
) -> None:
    by, sub = calls

    def queries() -> int:
        with django_assert_max_num_queries(60) as found:
            page(ana, f"/subscriptions/{sub.public_id}/usage/?meter={by.code}&day=2026-11-01")
            page(ana, f"/subscriptions/{sub.public_id}/")
        return len(found)

    with work():
        used(by, sub, "1", "2026-11-11T10:00Z")
    queries()
    few = queries()
    for n in range(3):
        with work():
            used(by, sub, "1", f"2026-11-1{n + 2}T10:00Z")
    assert queries() == few

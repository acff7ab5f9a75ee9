"""An alert is told once in each period, to those who may see usage, and to programs."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.models import Meter, Subscription, UsageAlertReached
from billing.services.usage_alerts import AlertThere, archive_alert, create_alert, look
from billing.tasks import make_usage_months
from core import clock, effects
from core.errors import Invalid
from core.models import Effect, OutboxEvent
from core.relay import relay
from core.scope import Scope, acting, enter, work
from messaging.models import Notification
from tests import factories
from tests.db.api.conftest import Program, key_of, pointers, same_refusal
from tests.metering import meter, said, send


@pytest.fixture
def sub(acorn: Scope) -> Subscription:
    with work():
        return factories.subscription(factories.customer(name="Kestrel"), date(2026, 11, 5))


@pytest.fixture
def calls(acorn: Scope) -> Meter:
    with work():
        return meter("sum", code="calls")


def on(day: date, hour: int = 12) -> ExitStack:
    """In the scope whose clock shows noon of a day."""
    stack = ExitStack()
    at = clock.wall().replace(year=day.year, month=day.month, day=day.day, hour=hour, minute=0)
    stack.enter_context(enter(acting(clock_offset=at - clock.wall())))
    return stack


def used(day: date, row: Meter, sub: Subscription, amount: str, **given: Any) -> None:
    """So much is used, and the minute passes."""
    with on(day):
        with work():
            send(said(row, sub, amount=amount, **given))
        with enter(acting(clock_offset=clock.now() + timedelta(minutes=1) - clock.wall())):
            effects.work_off([])


def told() -> list[dict[str, Any]]:
    with work():
        rows = OutboxEvent.objects.filter(name="usage.threshold_reached").order_by("id")
        return [row.payload for row in rows]


def test_a_figure_is_told_once_in_each_period(sub: Subscription, calls: Meter) -> None:
    with work():
        alert = create_alert(meter=calls, threshold=Decimal(100))
        create_alert(meter=calls, threshold=Decimal("250.5"), subscription=sub)
    used(date(2026, 12, 6), calls, sub, "99.999")
    assert told() == []
    used(date(2026, 12, 7), calls, sub, "0.001")
    used(date(2026, 12, 8), calls, sub, "50")
    (first,) = told()
    assert first["object_id"] == alert.public_id
    assert (first["meter"], first["threshold"], first["value"]) == ("calls", "100", "100")
    assert (first["period_start"], first["period_end"], first["subscription"]) == (
        "2026-12-05", "2027-01-05", sub.public_id,
    )  # fmt: skip
    used(date(2026, 12, 9), calls, sub, "101")
    assert [each["threshold"] for each in told()] == ["100", "250.5"]
    used(date(2027, 1, 4), calls, sub, "1000")
    used(date(2027, 1, 6), calls, sub, "100")
    used(date(2027, 1, 7), calls, sub, "100")
    assert [each["period_start"] for each in told()] == ["2026-12-05"] * 2 + ["2027-01-05"]
    assert [each["object_version"] for each in told() if each["threshold"] == "100"] == [2, 3]


def test_what_is_counted_in_one_minute_is_looked_at_once(sub: Subscription, calls: Meter) -> None:
    with work():
        other = meter("sum")
        create_alert(meter=calls, threshold=Decimal(1))
        for _ in range(3):
            send(said(calls, sub, amount="1"), said(other, sub))
        (row,) = Effect.objects.filter(kind="usage.alerts")
        assert row.due_at > clock.now()
    effects.work_off([])
    assert told() == []


def test_members_are_told_who_may_see_usage(sub: Subscription, calls: Meter) -> None:
    with work():
        create_alert(meter=calls, threshold=Decimal(1000))
    used(date(2026, 12, 7), calls, sub, "1500")
    with on(date(2026, 12, 7), 13):
        relay([])
    with work():
        from messaging.notices import Told, kinds

        rows = Notification.objects.filter(kind="usage.reached")
        assert rows.count() == 3  # Ana, Ben and Vic
        words = kinds["usage.reached"].say(Told(rows[0].about, rows[0].facts))
    assert str(words.title) == "Usage of calls has reached 1,000"
    assert "1,500 since" in words.detail


def test_an_alert_that_is_archived_or_another_subscriptions_is_not_told(
    sub: Subscription, calls: Meter
) -> None:
    with work():
        other = factories.subscription(factories.customer(), date(2026, 11, 5))
        create_alert(meter=calls, threshold=Decimal(1), subscription=other)
        gone = create_alert(meter=calls, threshold=Decimal(1))
        assert archive_alert(gone.public_id).archived_at == archive_alert(gone.public_id).archived_at
    used(date(2026, 12, 7), calls, sub, "5")
    assert told() == []
    with work():
        create_alert(meter=calls, threshold=Decimal(1))
        with pytest.raises(AlertThere):
            create_alert(meter=calls, threshold=Decimal(1))
        for wrong in ("0", "-1", "NaN", "1e15"):
            with pytest.raises(Invalid):
                create_alert(meter=calls, threshold=Decimal(wrong))


def test_the_database_tells_once_whoever_looks(sub: Subscription, calls: Meter) -> None:
    with work():
        create_alert(meter=calls, threshold=Decimal(1))
    with on(date(2026, 12, 7)), work():
        send(said(calls, sub, amount="5"))
        assert [look(subscription_id=sub.pk, meter_id=calls.pk) for _ in range(3)] == [1, 0, 0]
        assert UsageAlertReached.objects.count() == 1
    with on(date(2026, 11, 4)), work():  # before its first period
        assert look(subscription_id=sub.pk, meter_id=calls.pk) == 0


def test_alerts_by_api(
    acorn: Scope, sub: Subscription, calls: Meter, as_birch: Callable[[], Program]
) -> None:
    api = Program(key_of(acorn))
    made = api.post(
        "/usage_alerts", {"meter": "calls", "threshold": "100.5", "subscription": sub.public_id}, status=201
    )
    assert (made["meter"], made["threshold"], made["subscription"]) == ("calls", "100.5", sub.public_id)
    every = api.post("/usage_alerts", {"meter": calls.public_id, "threshold": "100.5"}, status=201)
    assert every["subscription"] is None
    assert [each["id"] for each in api.get("/usage_alerts")["data"]] == [every["id"], made["id"]]
    for wrong, field in (
        ({"threshold": "0"}, "/threshold"),
        ({"threshold": 1.5}, "/threshold"),
        ({"meter": "nothing"}, "/meter"),
        ({"subscription": "sub_nobody"}, "/subscription"),
        ({"unit": "GB"}, "/unit"),
    ):
        answer = api("POST", "/usage_alerts", {"meter": "calls", "threshold": "1", **wrong})
        assert pointers(answer) == [field]
    archived = api.post(f"/usage_alerts/{made['id']}/archive")
    assert archived["archived_at"]
    assert api.post(f"/usage_alerts/{made['id']}/archive") == archived
    bea = as_birch()
    same_refusal(bea, "POST", f"/usage_alerts/{every['id']}/archive", every["id"])
    assert bea.get("/usage_alerts")["data"] == []
    assert pointers(bea("POST", "/usage_alerts", {"meter": "calls", "threshold": "1"})) == ["/meter"]


@pytest.fixture
def as_birch(birch: Scope) -> Callable[[], Program]:
    return lambda: Program(key_of(birch))


def test_months_are_made_before_anybody_needs_them(db: None) -> None:
    from django.db import connection

    make_usage_months()
    make_usage_months()
    with connection.cursor() as cursor:
        later = clock.wall() + timedelta(days=62)
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [f"billing_usageevent_{later:%Y_%m}"])
        assert cursor.fetchone() == (True,)

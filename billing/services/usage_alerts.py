"""Alerts: telling once in each period that a meter has reached a figure."""

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import Q

from billing.domain.usage import floor
from billing.events import UsageThresholdReached
from billing.models import ONCE, Meter, Subscription, UsageAlert, UsageAlertReached
from billing.usage import Asked, usage_of
from core import clock
from core.effects import due
from core.errors import Conflict, Invalid
from core.events import emit
from core.locks import lock, lock_one
from core.periods import Period, local_midnight, period_on, unit_of

LOOK = "usage.alerts"
_TURN = timedelta(minutes=1)
MOST = Decimal(10) ** 15


class AlertThere(Conflict):
    """There is such an alert already."""

    code = "alert_there"


def create_alert(*, meter: Meter, threshold: Decimal, subscription: Subscription | None = None) -> UsageAlert:
    """Have people and programs told when a meter reaches a figure in a period, of one subscription or of each.

    Inside work(). What is reached already is told at the next event. Raises Invalid, and AlertThere.
    """
    if not threshold.is_finite() or not 0 < threshold < MOST:
        problem = "More than zero, and at most 15 digits."
        raise Invalid(problem, fields={"threshold": problem})
    if meter.archived_at is not None:
        raise Invalid("That meter is archived.", fields={"meter": "That meter is archived."})
    try:
        with transaction.atomic():
            return UsageAlert.objects.create(meter=meter, subscription=subscription, threshold=threshold)
    except IntegrityError as error:
        raise AlertThere("There is an alert at that figure already.") from error


def archive_alert(public_id: str) -> UsageAlert:
    """Tell nothing more. Again changes nothing. Inside work()."""
    alert = lock_one(UsageAlert.objects.filter(public_id=public_id))
    if alert.archived_at is not None:
        return alert
    alert.archived_at = clock.now()
    return alert.touch("archived_at")


def look_soon(counted: Collection[tuple[int, int]]) -> None:
    """Have a worker look at the alerts of what was counted, (subscription, meter) each, when the minute is over.

    One query, and a second where there are alerts. However often something is counted in a minute, it is looked at
    once. Inside work().
    """
    meters = {meter for _, meter in counted}
    alerts = list(
        UsageAlert.objects.filter(meter_id__in=meters, archived_at=None).values_list(
            "meter_id", "subscription_id"
        )
    )
    watched = {pair for pair in counted if (pair[1], None) in alerts or (pair[1], pair[0]) in alerts}
    if watched:
        at = floor(clock.now(), _TURN) + _TURN
        due(
            LOOK,
            [
                (f"{subscription}:{meter}:{at.isoformat()}", {"subscription": subscription, "meter": meter})
                for subscription, meter in sorted(watched)
            ],
            at=at,
        )


def period_at(row: Subscription, at: datetime) -> Period | None:
    """The period of a subscription's plan that an instant falls into; None before its first, or where it has none."""
    if row.price.unit == ONCE:
        return None
    unit, every = unit_of(row.price.unit, row.price.dates), row.price.every
    day = at.astimezone(ZoneInfo(row.zone)).date()
    return period_on(row.anchor, unit, every, day) if day >= row.starts_on else None


def look(*, subscription_id: int, meter_id: int) -> int:
    """Tell what alerts are reached in the period of now and were not told in it; returns how many. Inside work().

    Natural key: alert, subscription and the period's first day. A late event that falls into an earlier period is
    counted there and told of nobody. Emits usage.threshold_reached for each.
    """
    row = Subscription.objects.select_related("price", "customer").get(pk=subscription_id)
    own = period_at(row, clock.now())
    if own is None:
        return 0
    asked = Asked(
        subscription_id, meter_id, local_midnight(own.start, row.zone), local_midnight(own.end, row.zone)
    )
    value = usage_of([asked])[asked]
    alerts = lock(
        UsageAlert.objects.filter(
            Q(subscription=None) | Q(subscription=row),
            meter_id=meter_id,
            archived_at=None,
            threshold__lte=value,
        )
    )
    told = UsageAlertReached.objects.filter(alert__in=alerts, subscription=row, period_start=own.start)
    before = set(told.values_list("alert_id", flat=True))
    code = Meter.objects.values_list("code", flat=True).get(pk=meter_id)
    fresh = [each for each in alerts if each.pk not in before]
    for alert in fresh:
        _tell(alert, row, own, value, code)
    return len(fresh)


def _tell(alert: UsageAlert, row: Subscription, own: Period, value: Decimal, code: str) -> None:
    UsageAlertReached.objects.create(alert=alert, subscription=row, period_start=own.start, value=value)
    alert.touch()
    facts: dict[str, Any] = {
        "meter": code,
        "threshold": f"{alert.threshold.normalize():f}",
        "value": f"{value:f}",
    }
    emit(
        UsageThresholdReached(
            alert.public_id,
            alert.version,
            subscription=row.public_id,
            customer=row.customer.public_id,
            period_start=own.start.isoformat(),
            period_end=own.end.isoformat(),
            **facts,
        )
    )

"""Meters, their events and what they counted by day, for pages and the API. Inside work()."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet

from billing.counted import CountedPeriod
from billing.models import (
    Meter,
    Subscription,
    UsageAlert,
    UsageAlertReached,
    UsageEvent,
    UsageSeries,
    UsageVoid,
)
from billing.usage import Asked, usage_by_group, usage_of
from core.errors import Invalid, NotFound
from core.paging import Order
from core.periods import Unit, boundary, local_midnight

MOST_DAYS = 366
NEWEST_EVENTS = Order("at", datetime, descending=True)


def meters() -> "QuerySet[Meter]":
    """The organization's meters."""
    found: QuerySet[Meter] = Meter.objects.all()
    return found


def called(name: str, *, of: str = "") -> Q:
    """A meter's code or id; `of` leads to the meter from the table that is asked."""
    return Q(**{f"{of}code": name}) | Q(**{f"{of}public_id": name})


def meter(name: str) -> Meter:
    """The meter with this code or id; raises NotFound."""
    found = Meter.objects.filter(called(name)).first()
    if found is None:
        raise NotFound("That meter is not here.")
    return found


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are wanted: of a meter, a subscription, one id, within instants; "" and None are all."""

    meter: str = ""
    subscription: str = ""
    transaction_id: str = ""
    at_from: datetime | None = None
    at_to: datetime | None = None


def events(wanted: EventFilter) -> "QuerySet[UsageEvent]":
    """Events that are wanted, voided ones too."""
    found: QuerySet[UsageEvent] = UsageEvent.objects.select_related("series__meter", "series__subscription")
    series = UsageSeries.objects.all()
    if wanted.meter:
        series = series.filter(called(wanted.meter, of="meter__"))
    if wanted.subscription:
        series = series.filter(subscription__public_id=wanted.subscription)
    if wanted.meter or wanted.subscription:
        found = found.filter(series_id__in=list(series.values_list("pk", flat=True)))
    if wanted.transaction_id:
        found = found.filter(transaction_id=wanted.transaction_id)
    if wanted.at_from:
        found = found.filter(at__gte=wanted.at_from)
    if wanted.at_to:
        found = found.filter(at__lt=wanted.at_to)
    return found


def with_voids(rows: Sequence[UsageEvent]) -> list[UsageEvent]:
    """The events, each with its void in `void`, or None there; one query."""
    found = UsageVoid.objects.filter(event_id__in=[row.pk for row in rows])
    voids = {each.event_id: each for each in found}
    for row in rows:
        row.void = voids.get(row.pk)  # type: ignore[attr-defined]
    return list(rows)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a meter counted of a subscription from a local day up to another that is not in it."""

    subscription: Subscription
    meter: Meter
    start: date
    end: date
    total: Decimal
    days: list[tuple[date, Decimal]]
    groups: list[tuple[dict[str, str], Decimal]]
    billed: Sequence[CountedPeriod] = ()


def usage_by_day(subscription: Subscription, row: Meter, start: date, end: date) -> Usage:
    """Total, by day of the subscription's zone and by group; the queries do not grow with the days.

    Raises Invalid for days in the wrong order or more than a year.
    """
    if not 0 < (end - start).days <= MOST_DAYS:
        raise Invalid(
            "Those days are none.", fields={"to": f"After the first day, at most {MOST_DAYS} days later."}
        )
    zone = subscription.zone

    def asked(first: date, last: date) -> Asked:
        return Asked(subscription.pk, row.pk, local_midnight(first, zone), local_midnight(last, zone))

    listed = [start + timedelta(days=n) for n in range((end - start).days)]
    days = {day: asked(day, day + timedelta(days=1)) for day in listed}
    # A zone may leave out a day of the calendar; it has no instants.
    days = {day: each for day, each in days.items() if each.start < each.end}
    whole = asked(start, end)
    figures = usage_of([whole, *days.values()])
    groups = usage_by_group([whole])[whole] if row.group_by else {}
    return Usage(
        subscription,
        row,
        start,
        end,
        figures[whole],
        [(day, figures[each]) for day, each in days.items()],
        [(dict(zip(row.group_by, values, strict=True)), value) for values, value in groups.items()],
    )


def metered(subscription: Subscription) -> list[Meter]:
    """Meters that counted something of a subscription, by name."""
    ids = UsageSeries.objects.filter(subscription=subscription).values_list("meter_id", flat=True)
    return list(Meter.objects.filter(pk__in=set(ids)).order_by("name", "pk"))


def subscribers(row: Meter) -> "QuerySet[Subscription, Any]":
    """Subscriptions of which a meter counted something, with their customers."""
    ids = UsageSeries.objects.filter(meter=row).values("subscription_id")
    found: QuerySet[Subscription] = Subscription.objects.filter(pk__in=ids)
    return found.select_related("customer", "price__plan")


def subscriber_counts(rows: Sequence[Meter]) -> dict[int, int]:
    """Number of subscriptions by meter; one query."""
    found = UsageSeries.objects.filter(meter__in=rows).values("meter_id").order_by("meter_id")
    return {each["meter_id"]: each["n"] for each in found.annotate(n=Count("subscription_id", distinct=True))}


def alerts() -> "QuerySet[UsageAlert]":
    """The organization's alerts with their meters and subscriptions."""
    found: QuerySet[UsageAlert] = UsageAlert.objects.select_related("meter", "subscription")
    return found


def alert(public_id: str) -> UsageAlert:
    """The alert with this id; raises NotFound."""
    found = alerts().filter(public_id=public_id).first()
    if found is None:
        raise NotFound("That alert is not here.")
    return found


def alerts_of(meter: Meter) -> "QuerySet[UsageAlert]":
    """A meter's alerts that still tell, with the customers of those that are of one subscription, by figure."""
    found = UsageAlert.objects.filter(meter=meter, archived_at=None).select_related("subscription__customer")
    ordered: QuerySet[UsageAlert] = found.order_by("threshold", "id")
    return ordered


def reached(row: UsageAlert) -> "QuerySet[UsageAlertReached]":
    """The periods in which an alert was reached, with their subscriptions."""
    found: QuerySet[UsageAlertReached] = UsageAlertReached.objects.filter(alert=row)
    return found.select_related("subscription")


@dataclass(frozen=True, slots=True)
class Watched:
    """An alert that looks at a subscription, and where it was reached last, if it was."""

    row: UsageAlert
    last: UsageAlertReached | None


def watching(subscription: Subscription, meter: Meter) -> list[Watched]:
    """The alerts that look at what a meter counts of a subscription, by figure; two queries."""
    rows = list(alerts_of(meter).filter(Q(subscription=None) | Q(subscription=subscription)))
    told = UsageAlertReached.objects.filter(alert__in=rows, subscription=subscription).order_by(
        "period_start"
    )
    last = {each.alert_id: each for each in told}
    return [Watched(row, last.get(row.pk)) for row in rows]


def first_of_month(now: datetime, zone: str) -> date:
    """First day of the month that it is in a zone."""
    return now.astimezone(ZoneInfo(zone)).date().replace(day=1)


def month_after(day: date) -> date:
    """The same day of the next month, or its last."""
    return boundary(day, Unit.MONTH, 1, 1)

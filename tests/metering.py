"""Short ways to meters and events, made through the services as in life. All inside work()."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from billing.domain.usage_events import Said
from billing.models import Meter, Subscription
from billing.services.meters import create_meter
from billing.services.usage import Taken, ingest
from billing.usage import Asked, usage_of
from core import clock

_numbers = count(1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def meter(how: str = "sum", **given: Any) -> Meter:
    n = next(_numbers)
    field = "" if how == "count" else "amount"
    return create_meter(
        **{"name": f"Meter {n}", "code": f"meter-{n}", "aggregation": how, "field": field, **given}
    )


def said(meter: Meter, subscription: Subscription, name: str = "", **given: Any) -> Said:
    """An event of one unit, now, unless told otherwise; further words are properties."""
    own = {key: given.pop(key) for key in ("at", "replaces") if key in given}
    properties = {} if meter.aggregation == "count" else {"amount": "1"}
    return Said(
        name or f"t{next(_numbers)}",
        meter.code,
        subscription.public_id,
        properties={**properties, **given},
        **own,
    )


def send(*events: Said) -> list[Taken]:
    return ingest(events)


def statuses(answers: Sequence[Taken]) -> list[str]:
    return [str(each.status) for each in answers]


def used(
    meter: Meter, subscription: Subscription, start: datetime | None = None, end: datetime | None = None
) -> Decimal:
    """The figure of a period, of the last and next fifty days unless told otherwise."""
    now = clock.now().replace(minute=0, second=0, microsecond=0)
    asked = Asked(subscription.pk, meter.pk, start or now - 50 * DAY, end or now + 50 * DAY)
    return usage_of([asked])[asked]


def hours_ago(hours: float) -> datetime:
    return clock.now() - timedelta(hours=hours)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)

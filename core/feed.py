"""Events as consumers read them: in the order of their places, in which nothing is ever added behind a reader.

An event is shown once the relay has given it its place; see `core.relay`.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from core.errors import Invalid, NotFound
from core.models import OutboxEvent
from core.paging import Order

IN_ORDER = Order("place", int)


@dataclass(frozen=True, slots=True)
class EventFilter:
    """What is wanted; "" and None leave a condition out. `about` is an object, `after` the last event that was seen."""

    name: str = ""
    about: str = ""
    since: datetime | None = None
    after: str = ""


def feed(wanted: EventFilter) -> "QuerySet[OutboxEvent]":
    """The events that are wanted, for IN_ORDER. Raises Invalid when `after` is no event. Inside work()."""
    found = _placed()
    if wanted.name:
        found = found.filter(name=wanted.name)
    if wanted.about:
        found = found.filter(object_public_id=wanted.about)
    if wanted.since:
        found = found.filter(occurred_at__gte=wanted.since)
    if wanted.after:
        place = _placed().filter(public_id=wanted.after).values_list("place", flat=True).first()
        if place is None:
            raise Invalid(
                "There is no such event.", fields={"after": "Send the id of the last event you have."}
            )
        found = found.filter(place__gt=place)
    return found


def event(public_id: str) -> OutboxEvent:
    """The event with this public id; raises NotFound. Inside work()."""
    found = _placed().filter(public_id=public_id).first()
    if found is None:
        raise NotFound("That event is not here.")
    return found


def _placed() -> "QuerySet[OutboxEvent]":
    found: QuerySet[OutboxEvent] = OutboxEvent.objects.filter(place__isnull=False)
    return found

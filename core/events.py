"""Facts that other apps, integrations and the events API may rely on.

An event is a frozen dataclass in an app's `events.py` with a `name` and a `schema_version`; its fields are public
ids and the figures a receiver needs. A breaking change is a new version beside the old one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, ClassVar, Self, get_args, get_origin, get_type_hints

from core import bulk, clock
from core.models import OutboxEvent
from core.scope import on_commit

_MANY = 20
"""From so many rows on, copying them is quicker than inserting them."""


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events: `object_id` is the public id of what it is about, `object_version` orders them."""

    name: ClassVar[str]
    schema_version: ClassVar[int] = 1

    object_id: str
    object_version: int

    @classmethod
    def of(cls, row: OutboxEvent) -> Self:
        """The event as it was emitted, read back from its row; unknown fields of newer writers are ignored."""
        hints = get_type_hints(cls)
        known = {field.name for field in fields(cls)}
        return cls(**{key: _typed(value, hints[key]) for key, value in row.payload.items() if key in known})


def _typed(value: Any, hint: Any) -> Any:
    """A JSON value as the field's type: dates and tuples are texts and lists on the way."""
    kinds = {hint, *get_args(hint)}
    if isinstance(value, str) and datetime in kinds:
        return datetime.fromisoformat(value)
    if isinstance(value, str) and date in kinds:
        return date.fromisoformat(value)
    return tuple(value) if isinstance(value, list) and get_origin(hint) is tuple else value


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value


def emit(*events: Event) -> None:
    """Write the events in the transaction at hand; handlers, events API and webhooks are fed from these rows."""
    emit_all(events)


def emit_all(events: Iterable[Event]) -> None:
    """`emit` for a batch: one statement, and one wake-up after COMMIT."""
    at = clock.now()
    rows = [
        {
            "name": event.name,
            "schema_version": event.schema_version,
            "object_public_id": event.object_id,
            "object_version": event.object_version,
            "payload": {field.name: _plain(getattr(event, field.name)) for field in fields(event)},
            "occurred_at": at,
            "next_attempt_at": at,
        }
        for event in events
    ]
    if len(rows) > _MANY:
        bulk.insert(OutboxEvent, rows)
    elif rows:
        OutboxEvent.objects.bulk_create([OutboxEvent(**row) for row in rows])
    if rows:
        on_commit(_wake)


def _wake() -> None:
    from core.tasks import wake  # tasks import the relay, which imports this module

    wake("events")

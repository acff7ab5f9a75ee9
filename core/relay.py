"""Takes committed events to their in-database handlers, each exactly once.

A batch of one event name goes to each handler in one transaction together with its HandledEvent rows. When a
batch fails, its events are tried one by one, so that a poisoned one delays nobody; it is tried again later and
finally parked where a person sees it.
"""

import logging
from datetime import timedelta
from itertools import groupby

from django.db.models import QuerySet

from core import clock, registry
from core.locks import claim
from core.models import HandledEvent, OutboxEvent
from core.scope import work

log = logging.getLogger(__name__)

BATCH = 500
PARK_AFTER = 8
SHIFT = timedelta(minutes=1)  # a worker's turn at one organization; the dispatcher brings the next turn


def backoff(attempts: int) -> timedelta:
    """Wait after that many failures: 10 s doubling to at most an hour."""
    return timedelta(seconds=min(3600, 5 * 2**attempts))


@registry.due_worker("events")
def relay(row_ids: list[int]) -> None:
    """Relay pending events of the scope's organization for one turn; `row_ids` only says there are some."""
    end = clock.wall() + SHIFT
    while _relay_batch() and clock.wall() < end:
        pass


def _relay_batch() -> bool:
    try:
        with work():
            rows = claim(_pending(), BATCH)
            if not rows:
                return False
            _handle(rows)
        return True
    except Exception:
        log.exception("A batch of events failed; trying its events one by one.")
        return _relay_singly()


def _pending() -> "QuerySet[OutboxEvent]":
    pending: QuerySet[OutboxEvent] = OutboxEvent.objects.filter(
        relayed_at=None, parked_at=None, next_attempt_at__lte=clock.wall()
    ).order_by("id")
    return pending


def _relay_singly() -> bool:
    with work():
        row_ids = list(_pending().values_list("id", flat=True)[:BATCH])
    progressed = False
    for row_id in row_ids:
        try:
            with work():
                if rows := claim(_pending().filter(id=row_id), 1):
                    _handle(rows)
                    progressed = True
        except Exception as error:
            log.exception("Event %s failed.", row_id)
            _postpone(row_id, error)
    return progressed


def _handle(rows: list[OutboxEvent]) -> None:
    """Run each event through its handlers in order of id, and mark it relayed."""
    for name, group in groupby(rows, key=lambda row: row.name):
        batch = list(group)
        for handler in registry.handlers.get(name, []):
            done = set(
                HandledEvent.objects.filter(
                    event_id__in=[row.pk for row in batch], handler=handler.name
                ).values_list("event_id", flat=True)
            )
            fresh = [row for row in batch if row.pk not in done]
            if not fresh:
                continue
            handler.run(fresh)
            HandledEvent.objects.bulk_create(
                HandledEvent(event_id=row.pk, handler=handler.name, handled_at=clock.wall()) for row in fresh
            )
    OutboxEvent.objects.filter(pk__in=[row.pk for row in rows]).update(relayed_at=clock.wall(), last_error="")


def _postpone(row_id: int, error: Exception) -> None:
    with work():
        for row in claim(_pending().filter(id=row_id), 1):
            row.attempts += 1
            row.last_error = f"{type(error).__name__}: {error}"[:2000]
            row.next_attempt_at = clock.wall() + backoff(row.attempts)
            if row.attempts >= PARK_AFTER:
                row.parked_at = clock.wall()
            row.save(update_fields=["attempts", "last_error", "next_attempt_at", "parked_at"])

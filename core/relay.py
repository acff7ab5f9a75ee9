"""Takes committed events to their in-database handlers, each exactly once.

A batch of one event name goes to each handler in one transaction together with its HandledEvent rows. When a
batch fails, its events are tried one by one, so that a poisoned one delays nobody; it is tried again later and
finally parked where a person sees it. Tries are counted before they begin, so this holds for a worker that dies too.

Before anything is told, committed events are given their places: the order in which `core.feed` shows them.
"""

import logging
from datetime import timedelta
from itertools import groupby

from django.db import connection
from django.db.models import F, QuerySet

from core import clock, registry
from core.locks import claim
from core.models import HandledEvent, OutboxEvent
from core.parked import EVENT, tell_parked
from core.scope import current, work

log = logging.getLogger(__name__)

BATCH = 500
PARK_AFTER = 8
SHIFT = timedelta(minutes=1)  # a worker's turn at one organization; the dispatcher brings the next turn


def backoff(attempts: int) -> timedelta:
    """Wait after that many failures: 10 s doubling to at most an hour."""
    return timedelta(seconds=min(3600, 5 * 2**attempts))


@registry.clocked_by("events", "next_attempt_at")
def waiting() -> "QuerySet[OutboxEvent]":
    """Events that are still to be told. Inside work()."""
    found: QuerySet[OutboxEvent] = OutboxEvent.objects.filter(relayed_at=None, parked_at=None)
    return found


@registry.due_worker("events")
def relay(row_ids: list[int]) -> None:
    """Relay pending events of the scope's organization for one turn; `row_ids` only says there are some."""
    end = clock.wall() + SHIFT
    while _relay_batch() and clock.wall() < end:
        pass


def _relay_batch() -> bool:
    """Tell a batch, or one event that was tried before; False when nothing is due."""
    row_ids = _begin()
    if not row_ids:
        return False
    try:
        _tell(row_ids)
    except Exception:
        log.exception("A batch of events failed; trying its events one by one.")
        _tell_singly(row_ids)
    return True


def _begin() -> list[int]:
    """Ids of what is tried next, each counted before it is: an event that kills its worker every time is parked too.

    What was tried before goes alone, those tried least first: it may have killed the worker, and must not take its
    neighbours along. For the length of its next pause what was begun is nobody else's.
    """
    with work():
        _place()
        rows = claim(_pending(), BATCH)
        spent = [row.pk for row in rows if row.attempts >= PARK_AFTER]
        OutboxEvent.objects.filter(pk__in=spent).update(
            parked_at=clock.wall(), last_error="The worker died at every try."
        )
        tell_parked(EVENT, [(row.pk, row.name) for row in rows if row.pk in set(spent)])
        fresh = [row.pk for row in rows if row.attempts == 0]
        tried = sorted(
            (row for row in rows if 0 < row.attempts < PARK_AFTER), key=lambda row: (row.attempts, row.pk)
        )
        chosen = fresh or [row.pk for row in tried[:1]]
        wait = backoff(1 if fresh or not tried else tried[0].attempts + 1)
        OutboxEvent.objects.filter(pk__in=chosen).update(
            attempts=F("attempts") + 1, next_attempt_at=clock.now() + wait
        )
    return chosen


def _place() -> None:
    """Give committed events that have none the next places, at most a batch of them, in order of id.

    Ids are drawn before a transaction commits, so that a smaller one may become visible later. Places are given by
    one worker at a time, who holds the lock until its COMMIT: what is seen with a place has all smaller ones before it.
    """
    own = current().organization_id
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_PLACES, own % 2**31])
        if cursor.fetchone()[0]:
            cursor.execute(_GIVE_PLACES, {"own": own, "most": BATCH})


_PLACES = 0x0E7E
"""The advisory lock under which places are given, with the organization as its second key."""
_GIVE_PLACES = """
    UPDATE core_outboxevent e
    SET place = coalesce((SELECT max(place) FROM core_outboxevent WHERE organization_id = %(own)s), 0) + fresh.n
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS n
          FROM (SELECT id FROM core_outboxevent
                WHERE organization_id = %(own)s AND place IS NULL AND relayed_at IS NULL AND parked_at IS NULL
                ORDER BY id LIMIT %(most)s) waiting) fresh
    WHERE e.organization_id = %(own)s AND e.id = fresh.id
"""


def _pending() -> "QuerySet[OutboxEvent]":
    pending: QuerySet[OutboxEvent] = (
        waiting().filter(next_attempt_at__lte=clock.now(), place__isnull=False).order_by("id")
    )
    return pending


def _tell(row_ids: list[int]) -> None:
    with work():
        begun = OutboxEvent.objects.filter(pk__in=row_ids, relayed_at=None, parked_at=None).order_by("id")
        _handle(claim(begun, BATCH))


def _tell_singly(row_ids: list[int]) -> None:
    for row_id in row_ids:
        try:
            _tell([row_id])
        except Exception as error:
            log.exception("Event %s failed.", row_id)
            _postpone(row_id, error)


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
    for run in registry.every_event:
        run(rows)
    OutboxEvent.objects.filter(pk__in=[row.pk for row in rows]).update(
        relayed_at=clock.wall(), attempts=0, next_attempt_at=clock.now(), last_error=""
    )


def _postpone(row_id: int, error: Exception) -> None:
    """Write down why; the try was counted and the next one set when it began."""
    with work():
        for row in claim(OutboxEvent.objects.filter(pk=row_id, relayed_at=None, parked_at=None), 1):
            row.last_error = f"{type(error).__name__}: {error}"[:2000]
            if row.attempts >= PARK_AFTER:
                row.parked_at = clock.wall()
                tell_parked(EVENT, [(row.pk, row.name)])
            row.save(update_fields=["last_error", "parked_at"])

"""Work outside the database that is due: written as a row with its effect's natural key, done under a lease.

`due()` writes the row in the transaction that makes the effect necessary. A worker claims rows, commits, runs the
effect with no transaction open, and records the result. A worker that dies leaves a lease that runs out; the
effect then runs again, so every effect finds out for itself what it already did.

When it is due is business time, so that what waits in a sandbox comes nearer as its clock is moved; leases are real
time.
"""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from core import clock, registry
from core.locks import claim
from core.models import Effect
from core.parked import EFFECT, tell_parked, without_secrets
from core.relay import PARK_AFTER, backoff
from core.scope import on_commit, work

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=12)  # longer than a task may run, so a live worker never loses its rows
BATCH = 20
_DIED = "The worker died at every try."
SHIFT = timedelta(minutes=1)  # a worker's turn at one organization; the dispatcher brings the next turn


class Later(Exception):
    """Raised by an effect that cannot be done yet: tried again at `at`, without counting as a failure."""

    def __init__(self, at: datetime) -> None:
        super().__init__("later")
        self.at = at


def due(kind: str, items: Iterable[tuple[str, Mapping[str, Any]]], *, at: datetime | None = None) -> None:
    """Write due effects, (natural key, payload) each; a key already written is left as it is."""
    at = at or clock.now()
    rows = [Effect(kind=kind, key=key, payload=dict(payload), due_at=at) for key, payload in items]
    if rows:
        Effect.objects.bulk_create(rows, batch_size=2000, ignore_conflicts=True)
        on_commit(_wake)


def _wake() -> None:
    from core.tasks import wake  # tasks import this module

    wake("effects")


@registry.clocked_by("effects", "due_at")
def waiting() -> "QuerySet[Effect]":
    """Effects that are still to be done. Inside work()."""
    found: QuerySet[Effect] = Effect.objects.filter(done_at=None, parked_at=None)
    return found


@registry.due_worker("effects")
def work_off(row_ids: list[int]) -> None:
    """Work off the scope's due effects for one turn; `row_ids` only says there are some.

    What was claimed and not begun when the turn ends is given back, so that the task's time limit, which would
    kill an effect in the middle, is never reached.
    """
    end = clock.wall() + SHIFT
    while clock.wall() < end and (batch := _claim_batch()):
        for place, effect in enumerate(batch):
            if place and clock.wall() >= end:
                _give_back(batch[place:])
                break
            _run(effect)


def _claim_batch() -> list[Effect]:
    """Lease due effects, those tried least first: what kills its worker must not hold up its neighbours."""
    now = clock.wall()
    with work():
        rows = claim(
            Effect.objects.filter(
                Q(lease_until=None) | Q(lease_until__lte=now),
                done_at=None,
                parked_at=None,
                due_at__lte=clock.now(),
            ).order_by("due_at", "id"),
            BATCH,
        )
        spent = [row for row in rows if row.attempts >= PARK_AFTER]
        Effect.objects.filter(pk__in=[row.pk for row in spent]).update(
            parked_at=now, lease_until=None, last_error=_DIED
        )
        for row in spent:
            _given_up(row, _DIED)
        tell_parked(EFFECT, [(row.pk, row.kind) for row in spent])
        batch = [row for row in rows if row.attempts < PARK_AFTER]
        Effect.objects.filter(pk__in=[row.pk for row in batch]).update(lease_until=now + LEASE)
    return sorted(batch, key=lambda row: row.attempts)


def _give_back(batch: list[Effect]) -> None:
    with work():
        Effect.objects.filter(pk__in=[effect.pk for effect in batch]).update(lease_until=None)


def _run(effect: Effect) -> None:
    with work():  # counted before it begins: an effect that kills its worker every time is parked too
        Effect.objects.filter(pk=effect.pk).update(attempts=F("attempts") + 1)
    try:
        registry.effects[effect.kind](effect)
    except Later as later:
        changes: dict[str, Any] = {"due_at": later.at, "lease_until": None, "attempts": effect.attempts}
    except Exception as error:
        log.exception("Effect %s %s failed.", effect.kind, effect.key)
        attempts = effect.attempts + 1
        changes = {
            "last_error": f"{type(error).__name__}: {error}"[:2000],
            "due_at": clock.now() + backoff(attempts),
            "lease_until": None,
            "parked_at": clock.wall() if attempts >= PARK_AFTER else None,
        }
    else:
        changes = {"done_at": clock.wall(), "last_error": "", "lease_until": None}
    with work():
        Effect.objects.filter(pk=effect.pk).update(**changes)
        if changes.get("parked_at"):
            _given_up(effect, changes["last_error"])
            tell_parked(EFFECT, [(effect.pk, effect.kind)])


def _given_up(effect: Effect, why: str) -> None:
    """Let whoever waits for it know. Where that fails it is parked all the same, for others must go on."""
    tell = registry.given_up_by.get(effect.kind)
    if tell is None:
        return
    try:
        with transaction.atomic():
            tell(effect, without_secrets(why))
    except Exception:
        log.exception("Nobody could be told that effect %s %s is parked.", effect.kind, effect.key)

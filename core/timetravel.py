"""Moves the clock of a sandbox forward, and does on the way what would have been done.

The clock goes from one due instant to the next, never past one: whatever is due there is worked off by the same workers
as in life, and only then does it go on. The target is a row, so whoever comes after a crash goes on from where the
clock stands; while there is one, nobody else works for the sandbox.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from django.db import IntegrityError, transaction
from django.db.models import Count, Max, Min, Sum, Value

from core import clock, jobs, registry
from core.clocks import ClockAdvance
from core.errors import Conflict, Invalid
from core.events import Event, emit
from core.locks import lock, lock_one
from core.models import Effect, Job, Organization
from core.relay import backoff
from core.sandbox import is_sandbox, require_sandbox
from core.scope import current, enter, on_commit, work

log = logging.getLogger(__name__)

KIND = "sandbox.advance"
MOST = timedelta(days=400)
LEASE = timedelta(minutes=3)
KEEP_EVERY = timedelta(seconds=20)
TURN = timedelta(minutes=1)
AGAIN = timedelta(hours=1)
"""What is due and cannot be done yet is tried again after so much business time."""
PASSES = 200
GIVE_UP = 5
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ClockMoved(Event):
    """A sandbox's clock was moved from one business time to another and stands there.

    It is about the job that moved it, which is `done`, `cancelled` or `failed`.
    """

    name: ClassVar[str] = "sandbox.clock_moved"

    began: datetime
    reached: datetime
    state: str


class Advancing(Conflict):
    """The clock is being moved already."""

    code = "clock_is_moving"


class _Lost(Exception):
    """Somebody else has the lease now."""


class _Rest(StrEnum):
    """How it looks at an instant: nothing is due, something is due that cannot be done now, or the turn is over."""

    QUIET = "quiet"
    STUCK = "stuck"
    LATER = "later"


def under_way() -> ClockAdvance | None:
    """The move of the scope's clock that is not over, with its job. Inside work()."""
    found: ClockAdvance | None = ClockAdvance.objects.select_related("job").filter(ended_at=None).first()
    return found


def is_moving() -> bool:
    """Whether the scope's clock is being moved, so that nobody else works for it. Outside work()."""
    if not is_sandbox():
        return False
    with work():
        return under_way() is not None


def business_now() -> datetime:
    """What the scope's clock shows now, also when it was moved since the scope began. Inside work()."""
    own = Organization.objects.filter(pk=current().organization_id)
    return clock.wall() + own.values_list("clock_offset", flat=True).get()


def start(target: datetime) -> Job:
    """Have the sandbox's clock moved to `target`; returns the job that says how far it is. Inside work().

    Raises NotASandbox, Advancing while it is being moved, Invalid for an instant that is over or further than MOST.
    """
    require_sandbox()
    lock_one(Organization.objects.filter(pk=current().organization_id))
    now = business_now()
    if under_way() is not None:
        raise Advancing("The clock is being moved already. Wait until it is there, or stop it.")
    if target <= now:
        raise Invalid("The clock only goes forward.", fields={"to": "Choose a time after the sandbox's now."})
    if target - now > MOST:
        raise Invalid("That is too far.", fields={"to": f"At most {MOST.days} days at once."})
    job = jobs.start(KIND, total=-((now - target) // DAY))
    try:
        with transaction.atomic():
            ClockAdvance.objects.create(job=job, began=now, target=target, reached=now)
    except IntegrityError as error:
        raise Advancing("The clock is being moved already.") from error
    on_commit(_wake)
    return job


def _wake() -> None:
    from core.tasks import wake  # tasks import this module

    wake("clock")


@registry.due_worker("clock")
def go_on(row_ids: list[int]) -> None:
    """Move the scope's clock for one turn; `row_ids` only says that it is to be moved."""
    with work():
        row = _take()
    if row is None:
        return
    end = clock.wall() + TURN
    try:
        while clock.wall() < end:
            if not _step(row, end):
                return
    except _Lost:
        return
    except Exception as error:
        log.exception("The clock of organization %s could not be moved.", row.organization_id)
        _failed(row, error)
        return
    with work():
        ClockAdvance.objects.filter(pk=row.pk, turn=row.turn).update(lease_until=None)
    _wake()


def _take() -> ClockAdvance | None:
    """The lease, unless somebody has it or work begun before the move is not done yet."""
    rows = lock(ClockAdvance.objects.filter(ended_at=None))
    now = clock.wall()
    if not rows or (rows[0].lease_until and rows[0].lease_until > now):
        return None
    (row,) = rows
    leased = Effect.objects.filter(done_at=None, lease_until__isnull=False)
    if row.turn == 0 and leased.filter(lease_until__gt=now).exists():
        return None
    if row.lease_until:  # it was let fall: what it had begun is nobody's
        leased.update(lease_until=None)
    row.turn += 1
    row.lease_until = now + LEASE
    row.save(update_fields=["turn", "lease_until"])
    Job.objects.filter(pk=row.job_id, state="queued").update(state="running")
    return row


def _keep(row: ClockAdvance) -> None:
    """Hold the lease for longer, well before it ends; raises _Lost when it is another's. Outside work()."""
    now = clock.wall()
    if row.lease_until and row.lease_until - now > LEASE - KEEP_EVERY:
        return
    with work():
        mine = ClockAdvance.objects.filter(pk=row.pk, turn=row.turn, ended_at=None)
        if not mine.update(lease_until=now + LEASE):
            raise _Lost
    row.lease_until = now + LEASE


def _step(row: ClockAdvance, end: datetime) -> bool:
    """Do what is due and move on to the next instant; False when it is over."""
    from core.tasks import system_scope  # tasks import this module

    with enter(system_scope(row.organization_id)):
        rest = _settle(row, end)
        if rest is _Rest.LATER:
            return True
        with work():
            return _move(row, stuck=rest is _Rest.STUCK)


def _settle(row: ClockAdvance, end: datetime) -> _Rest:
    """Work off what is due now, again as long as that changes something."""
    due = _due()
    for _pass in range(PASSES):
        if not due:
            return _Rest.QUIET
        for kind in due:
            registry.due_workers[kind]([])
            _keep(row)
            if clock.wall() >= end:
                return _Rest.LATER
        before, due = due, _due()
        if due == before:
            return _Rest.STUCK
    return _Rest.STUCK


def _due() -> dict[str, tuple[Any, ...]]:
    """What is due now, by kind, so that two looks can be compared."""
    with work():
        found = _look(
            "lte", clock.now(), lambda field: {"n": Count("pk"), "last": Max(field), "ids": Sum("pk")}
        )
    return {kind: (each["n"], each["last"], each["ids"]) for kind, each in found.items() if each["n"]}


def _look(side: str, now: datetime, figures: Callable[[str], dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Figures over the rows of each kind on one side of now: one query, for it is looked often. Inside work()."""
    looks = [
        each.rows()
        .filter(**{f"{each.field}__{side}": now})
        .order_by()
        .values(due_kind=Value(kind))
        .annotate(**figures(each.field))
        for kind, each in registry.clocked.items()
    ]
    found = {each["due_kind"]: each for each in looks[0].union(*looks[1:], all=True)}
    return {kind: found[kind] for kind in registry.clocked if kind in found}


def _move(row: ClockAdvance, *, stuck: bool) -> bool:
    """Put the clock to the next instant at which something is due, or to the target; False when it is there."""
    mine = lock(ClockAdvance.objects.select_related("job").filter(pk=row.pk, turn=row.turn, ended_at=None))
    if not mine:
        raise _Lost
    house = lock_one(Organization.objects.filter(pk=row.organization_id))
    now = clock.wall() + house.clock_offset
    if mine[0].job.cancel_requested:
        return _over(mine[0], "cancelled")
    if now >= row.target:
        return _over(mine[0], "done")
    following = [each["at"] for each in _look("gt", now, lambda field: {"at": Min(field)}).values()]
    chosen = min(at for at in (*following, row.target, now + AGAIN if stuck else None) if at is not None)
    house.clock_offset += chosen - now
    house.save(update_fields=["clock_offset"])
    ClockAdvance.objects.filter(pk=row.pk).update(
        reached=chosen, lease_until=clock.wall() + LEASE, failures=0
    )
    Job.objects.filter(pk=row.job_id).update(done=min((chosen - row.began) // DAY, mine[0].job.total))
    return True


def _over(row: ClockAdvance, state: str, message: str = "") -> bool:
    job = row.job
    job.state, job.message = state, message
    job.done = job.total if state == "done" else job.done
    job.touch("state", "message", "done")
    row.ended_at, row.lease_until = clock.wall(), None
    row.save(update_fields=["ended_at", "lease_until"])
    emit(ClockMoved(job.public_id, job.version, row.began, row.reached, state))
    return False


def _failed(row: ClockAdvance, error: Exception) -> None:
    """Try again in a while; at last end the job, the clock standing where it is."""
    from core.parked import without_secrets

    with work():
        mine = lock(
            ClockAdvance.objects.select_related("job").filter(pk=row.pk, turn=row.turn, ended_at=None)
        )
        if not mine:
            return
        failures = mine[0].failures + 1
        if failures >= GIVE_UP:
            _over(mine[0], "failed", without_secrets(f"{type(error).__name__}: {error}"))
            return
        ClockAdvance.objects.filter(pk=row.pk).update(
            failures=failures, lease_until=clock.wall() + backoff(failures)
        )

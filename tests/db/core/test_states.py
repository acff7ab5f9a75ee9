"""A move is allowed by the table, made once, and leaves its history."""

import threading
from enum import StrEnum

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from core import scope as scopes
from core.models import Job, StateChange
from core.scope import Scope, enter, work
from core.states import StateConflict, move


class State(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


MOVES = {
    State.QUEUED: frozenset({State.RUNNING, State.FAILED}),
    State.RUNNING: frozenset({State.DONE, State.FAILED}),
    State.FAILED: frozenset({State.QUEUED}),
}
ALLOWED = {(before, after) for before, afters in MOVES.items() for after in afters}


@pytest.mark.parametrize("before", State)
@pytest.mark.parametrize("after", State)
def test_every_move_is_made_or_changes_nothing(acorn: Scope, before: State, after: State) -> None:
    with work():
        job = Job.objects.create(kind="x", state=before)
        if (before, after) in ALLOWED:
            move(job, after, moves=MOVES, reason="why", message="also")
            assert (job.state, job.version, job.message) == (after, 2, "also")
            change = StateChange.objects.get()
            assert (change.from_state, change.to_state, change.reason, change.actor) == (
                before,
                after,
                "why",
                "Ana",
            )
            assert change.object_public_id == job.public_id
        else:
            with pytest.raises(StateConflict):
                move(job, after, moves=MOVES)
            job.refresh_from_db()
            assert (job.state, job.version) == (before, 1)
            assert not StateChange.objects.exists()


def test_a_stale_copy_cannot_move(acorn: Scope) -> None:
    with work():
        job = Job.objects.create(kind="x")
        stale = Job.objects.get()
        move(job, State.RUNNING, moves=MOVES)
        with pytest.raises(StateConflict):
            move(stale, State.FAILED, moves=MOVES)
        assert StateChange.objects.count() == 1


def test_another_organizations_record_cannot_be_moved(acorn: Scope, birch: Scope) -> None:
    with enter(birch), work():
        theirs = Job.objects.create(kind="x")
    with work(), pytest.raises(StateConflict):
        move(theirs, State.RUNNING, moves=MOVES)


def test_of_racing_moves_one_is_made(committed_acorn: Scope) -> None:
    with work():
        pk = Job.objects.create(kind="x").pk
    outcomes: list[str] = []
    barrier = threading.Barrier(8)

    def race() -> None:
        try:
            with scopes.enter(committed_acorn), work():
                job = Job.objects.get(pk=pk)
                barrier.wait()
                move(job, State.RUNNING, moves=MOVES)
            outcomes.append("moved")
        except StateConflict:
            outcomes.append("conflict")
        finally:
            connection.close()

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict"] * 7 + ["moved"]
    with work():
        assert StateChange.objects.count() == 1


@given(st.lists(st.sampled_from(State), max_size=12))
def test_a_walk_never_leaves_the_table(walk: list[State]) -> None:
    """The table itself: no move leads out of DONE, and QUEUED is reached from FAILED only."""
    here = State.QUEUED
    for step in walk:
        if step in MOVES.get(here, frozenset()):
            assert here is not State.DONE
            assert step is not State.QUEUED or here is State.FAILED
            here = step

"""The life of an import."""

from enum import StrEnum


class State(StrEnum):
    """Uploaded until its columns are named, then checked; what is ready runs when a person says so."""

    UPLOADED = "uploaded"
    CHECKING = "checking"
    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    UNDOING = "undoing"
    UNDONE = "undone"
    DISCARDED = "discarded"


MOVES: dict[State, frozenset[State]] = {
    State.UPLOADED: frozenset({State.CHECKING, State.DISCARDED}),
    State.CHECKING: frozenset({State.READY, State.CHECKING, State.UPLOADED, State.DISCARDED}),
    State.READY: frozenset({State.CHECKING, State.RUNNING, State.UPLOADED, State.DISCARDED}),
    State.RUNNING: frozenset({State.DONE, State.STOPPED}),
    State.DONE: frozenset({State.UNDOING}),
    State.STOPPED: frozenset({State.UNDOING}),
    State.UNDOING: frozenset({State.UNDONE, State.DONE, State.STOPPED}),
    State.UNDONE: frozenset(),
    State.DISCARDED: frozenset(),
}

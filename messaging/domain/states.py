"""The life of a message. `sending` means the outcome of a try is not known yet."""

from enum import StrEnum


class State(StrEnum):
    """A queued message may still be skipped; a sent one never changes."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    SKIPPED = "skipped"
    FAILED = "failed"


REPEATABLE = frozenset({State.FAILED, State.SKIPPED})
"""A person may have these sent again; of one being sent nobody knows yet whether it arrives."""

MOVES: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.SENDING, State.SKIPPED, State.FAILED}),
    State.SENDING: frozenset({State.QUEUED, State.SENT, State.SKIPPED, State.FAILED}),
    State.FAILED: frozenset({State.QUEUED}),
    State.SKIPPED: frozenset({State.QUEUED}),
    State.SENT: frozenset(),
}

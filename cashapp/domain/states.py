"""The life of a payment attempt, from intent to what the gateway finally said, and of a bank line."""

from enum import StrEnum


class State(StrEnum):
    """`unknown` is a state like any other: the gateway was asked and did not answer."""

    CREATED = "created"
    SENT = "sent"
    UNKNOWN = "unknown"
    ACTION_REQUIRED = "action_required"
    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    ABANDONED = "abandoned"


LIVE = frozenset({State.CREATED, State.SENT, State.UNKNOWN, State.ACTION_REQUIRED})

_RESULTS = frozenset({State.SUCCEEDED, State.DECLINED, State.ACTION_REQUIRED})
MOVES: dict[State, frozenset[State]] = {
    State.CREATED: _RESULTS | {State.SENT, State.ABANDONED},
    State.SENT: _RESULTS | {State.UNKNOWN, State.ABANDONED},
    State.UNKNOWN: _RESULTS | {State.ABANDONED},
    State.ACTION_REQUIRED: frozenset({State.SUCCEEDED, State.DECLINED}),
    # The gateway said it never took the key, or took nothing, and then money came all the same: it is ours to book.
    State.ABANDONED: frozenset({State.SUCCEEDED}),
    State.DECLINED: frozenset({State.SUCCEEDED}),
    State.SUCCEEDED: frozenset(),
}


class LineState(StrEnum):
    """A bank line is open until its money is booked, or set aside because no customer sent it.

    It is open again when its payment is taken back; one of an import that was undone is withdrawn.
    """

    OPEN = "open"
    BOOKED = "booked"
    ASIDE = "aside"
    WITHDRAWN = "withdrawn"


LINE_MOVES: dict[LineState, frozenset[LineState]] = {
    LineState.OPEN: frozenset({LineState.BOOKED, LineState.ASIDE, LineState.WITHDRAWN}),
    LineState.BOOKED: frozenset({LineState.OPEN}),
    LineState.ASIDE: frozenset({LineState.OPEN}),
    LineState.WITHDRAWN: frozenset(),
}

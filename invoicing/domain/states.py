"""The life of a document. What is paid or overdue is not a state: it is read from the open item and the date."""

from enum import StrEnum


class State(StrEnum):
    """A draft may change; an issued document never does; a void one keeps its number."""

    DRAFT = "draft"
    ISSUED = "issued"
    VOID = "void"


MOVES: dict[State, frozenset[State]] = {
    State.DRAFT: frozenset({State.ISSUED}),
    State.ISSUED: frozenset({State.VOID}),
    State.VOID: frozenset(),
}

"""One way to move a record from state to state.

An app keeps a StrEnum and a table of allowed moves in `domain/states.py`. The move itself is a single UPDATE that
names the state it expects, so of two racing moves one changes a row and the other raises StateConflict.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from django.db.models import F

from core import clock
from core.base import Record
from core.errors import Conflict
from core.models import StateChange
from core.scope import current

Moves = Mapping[Any, frozenset[Any]]
"""From each state of an app's StrEnum to those that may follow it."""


class StateConflict(Conflict):
    """The record is not in a state from which this move is allowed, or somebody moved it first."""

    code = "state_conflict"


def move(obj: Record, to: StrEnum, *, moves: Moves, reason: str = "", **also: Any) -> None:
    """Move `obj.state` to `to` and set the columns in `also`, inside work(); writes a StateChange.

    Raises StateConflict when the move is not allowed from the state in hand, or the row left it meanwhile.
    """
    before = obj.state  # type: ignore[attr-defined]
    if to not in moves.get(type(to)(before), frozenset()):
        raise StateConflict(f"This is {before}, so it cannot become {to}.", state=before, wanted=str(to))
    model: Any = type(obj)
    changed = model.objects.filter(pk=obj.pk, state=before).update(
        state=to, version=F("version") + 1, updated_at=clock.now(), **also
    )
    if changed != 1:
        raise StateConflict("Somebody changed this a moment ago. Look again.", wanted=str(to))
    obj.refresh_from_db()
    record_moves([(obj.public_id, before, to)], reason=reason)


def record_moves(moved: list[tuple[str, str, str]], *, reason: str | Mapping[str, str] = "") -> None:
    """Write the history of moves made in bulk: (public id, from, to) each; one reason for all, or by public id."""
    scope = current()
    at = clock.now()
    StateChange.objects.bulk_create(
        StateChange(
            object_public_id=public_id,
            from_state=before,
            to_state=after,
            reason=reason if isinstance(reason, str) else reason.get(public_id, ""),
            actor=scope.actor.label,
            at=at,
        )
        for public_id, before, after in moved
    )


def ever_left(public_ids: Iterable[str], state: StrEnum) -> set[str]:
    """Those of the records that were moved out of the state at least once, one query. Inside work()."""
    moves = StateChange.objects.filter(object_public_id__in=list(public_ids), from_state=state)
    return set(moves.values_list("object_public_id", flat=True))

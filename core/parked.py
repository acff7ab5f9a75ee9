"""Events and effects that kept failing: what is parked, and putting it back to be tried again."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.db.models import Count, F, QuerySet, Window
from django.db.models.functions import RowNumber

from core import clock, registry
from core.events import Event, emit_all
from core.locks import lock
from core.models import Effect, OutboxEvent, StateChange
from core.scope import on_commit
from core.states import record_moves

EVENT, EFFECT = "event", "effect"
SHOWN = 20
"""Rows of a kind on the page, the oldest first."""
AT_ONCE = 1000
_LONGEST = 300
_HIDDEN = "…"
_SECRETS = (
    re.compile(r"(?<=://)[^/@\s]+:[^/@\s]*(?=@)"),  # user and password of an address
    re.compile(
        r"(?i)\b(?:authorization|bearer|basic|password|passwd|pwd|secret|token|api[_-]?key)"
        r"[\"']?\s*[:=]?\s+(?:bearer\s+|basic\s+)?[\"']?[^\s\"'&,;)]+"
    ),
    re.compile(
        r"(?i)(?<![a-z])(?:password|passwd|pwd|secret|token|api[_-]?key|signature|key)[\"']?[:=][\"']?[^\s\"'&,;)]+"
    ),
    re.compile(r"\b(?:sk|pk|rk|whsec)_[A-Za-z0-9_]{8,}"),
    re.compile(r"(?<=/pay/)[^\s/?\"']+"),
    re.compile(r"[A-Za-z0-9+/_-]{40,}={0,2}"),  # no id of ours is that long
    re.compile(r"[^\s<>(),;:\"'/…]+@[^\s<>(),;:\"'/]+"),  # a person's address
)


@dataclass(frozen=True, slots=True)
class WorkParked(Event):
    """An event or effect (`what`) of a kind kept failing and waits for a person."""

    name: ClassVar[str] = "work.parked"

    what: str
    kind: str


def tell_parked(what: str, rows: Iterable[tuple[int, str]]) -> None:
    """Let it be known that rows (id, kind) are parked, in the transaction that parks them.

    Where what failed is this very news, nothing is told, for it would fail without end.
    """
    emit_all(
        WorkParked(_trail(what, row_id), 1, what, kind) for row_id, kind in rows if kind != WorkParked.name
    )


@dataclass(frozen=True, slots=True)
class Parked:
    """One event or effect that is not tried any more by itself. `about` is the public id it is about, if any."""

    what: str
    row_id: int
    kind: str
    about: str
    since: datetime
    tries: int
    error: str
    retried: "tuple[StateChange, ...]" = ()

    @property
    def name(self) -> str:
        """How the page's buttons name it."""
        return f"{self.what}:{self.row_id}"


@dataclass(frozen=True, slots=True)
class Kind:
    """All that is parked of one kind: the oldest rows, and how many there are."""

    what: str
    kind: str
    total: int
    rows: tuple[Parked, ...]

    @property
    def name(self) -> str:
        return f"{self.what}:{self.kind}"

    @property
    def label(self) -> str:
        return str(registry.effect_labels.get(self.kind, ""))

    @property
    def more(self) -> int:
        return self.total - len(self.rows)


def without_secrets(text: str) -> str:
    """An error as a page may show it: one line, without addresses, tokens, passwords, or the rows a database quotes."""
    line = re.split(r"\n|DETAIL:|CONTEXT:", text, maxsplit=1)[0].strip()
    for secret in _SECRETS:
        line = secret.sub(_HIDDEN, line)
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + _HIDDEN


def _events() -> "QuerySet[Any]":
    rows: QuerySet[Any] = OutboxEvent.objects.filter(parked_at__isnull=False, relayed_at=None)
    return rows


def _effects() -> "QuerySet[Any]":
    rows: QuerySet[Any] = Effect.objects.filter(parked_at__isnull=False, done_at=None)
    return rows


def count() -> int:
    """How much is parked; one query. Inside work()."""
    return _events().values("pk").union(_effects().values("pk"), all=True).count()


def parked() -> list[Kind]:
    """What is parked by kind, three queries. Inside work()."""
    rows = [
        *_oldest(_events().annotate(kind=F("name"), about=F("object_public_id")), EVENT),
        *_oldest(_effects(), EFFECT),
    ]
    history = _history(_trail(what, row.pk) for what, row in rows)
    kinds: dict[tuple[str, str], Kind] = {}
    for what, row in rows:
        before = kinds.get((what, row.kind), Kind(what, row.kind, row.total, ()))
        shown = _shown(what, row, history.get(_trail(what, row.pk), ()))
        kinds[what, row.kind] = Kind(what, row.kind, row.total, (*before.rows, shown))
    return list(kinds.values())


def _oldest(rows: "QuerySet[Any]", what: str) -> list[tuple[str, Any]]:
    counted = rows.annotate(
        nth=Window(RowNumber(), partition_by=F("kind"), order_by="id"),
        total=Window(Count("*"), partition_by=F("kind")),
    )
    return [(what, row) for row in counted.filter(nth__lte=SHOWN).order_by("kind", "id")]


def _shown(what: str, row: Any, retried: "tuple[StateChange, ...]") -> Parked:
    about = row.about if what == EVENT else _about(row.payload)
    error = without_secrets(row.last_error)
    return Parked(what, row.pk, row.kind, about, row.parked_at, row.attempts, error, retried)


def _about(payload: Any) -> str:
    """The first public id in an effect's payload."""
    values = payload.values() if isinstance(payload, dict) else ()
    return next((v for v in values if isinstance(v, str) and re.fullmatch(r"[a-z]+_[0-9A-Z]{26}", v)), "")


def _trail(what: str, row_id: int) -> str:
    """Under which name it stands in the history of moves."""
    return f"{what}_{row_id}"


def _history(trails: Iterable[str]) -> dict[str, "tuple[StateChange, ...]"]:
    found: dict[str, tuple[StateChange, ...]] = {}
    for move in StateChange.objects.filter(object_public_id__in=list(trails)).order_by("id"):
        found[move.object_public_id] = (*found.get(move.object_public_id, ()), move)
    return found


def retry(what: str, *, row_id: int | None = None, kind: str = "") -> int:
    """Put a parked row, or the oldest AT_ONCE of a kind, back to be tried from the beginning; how many. Inside work().

    What is parked no longer is left alone, so asked twice it does the same once. Handlers and effects bear being
    run again: see core.relay and core.effects. Each row put back has its move in the history, with who did it.
    """
    rows = _events() if what == EVENT else _effects()
    rows = rows.filter(**({"pk": row_id} if row_id is not None else _of_kind(what, kind)))
    found = lock(rows.filter(pk__in=list(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])))
    if not found:
        return 0
    now = clock.now()
    due = {"next_attempt_at": now} if what == EVENT else {"due_at": now, "lease_until": None}
    type(found[0]).objects.filter(pk__in=[row.pk for row in found]).update(parked_at=None, attempts=0, **due)
    record_moves([(_trail(what, row.pk), "parked", "queued") for row in found], reason="tried again")
    on_commit(lambda: _wake(f"{what}s"))
    return len(found)


def _of_kind(what: str, kind: str) -> dict[str, str]:
    return {"name": kind} if what == EVENT else {"kind": kind}


def _wake(kind: str) -> None:
    from core.tasks import wake  # tasks import the relay, which stands beside this module

    wake(kind)

"""Who changed a record, and what: the audit as pages show it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model

from core.models import AuditEntry

LIMIT = 50


@dataclass(frozen=True, slots=True)
class Change:
    """One change: `action` is created, changed or removed; `fields` has old and new of each changed column."""

    object_id: int | None
    action: str
    who: str
    at: datetime
    fields: dict[str, tuple[Any, Any]]


_ACTIONS = {0: "created", 1: "changed", 2: "removed"}


def changes(model: type[Model], object_ids: Iterable[int], *, limit: int = LIMIT) -> list[Change]:
    """The newest changes of rows of one table, newest first; one query. Inside work()."""
    kind = ContentType.objects.get_for_model(model)
    rows = AuditEntry.objects.filter(content_type=kind, object_id__in=list(object_ids)).order_by("-id")
    return [_change(row) for row in rows[:limit]]


def last_change(row: Model) -> Change | None:
    """The newest change of a record; one query. Inside work()."""
    return next(iter(changes(type(row), [row.pk], limit=1)), None)


def _change(row: AuditEntry) -> Change:
    action = _ACTIONS.get(row.action, "changed")
    stored = row.changes or {}
    return Change(
        object_id=row.object_id,
        action=action,
        who=row.actor_email or "",
        at=row.timestamp,
        fields={name: (old, new) for name, (old, new) in stored.items()} if action == "changed" else {},
    )

"""What happened to a document, newest first: its moves, its mail, when it was settled."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet, TextField, Value
from django.db.models.functions import Cast

from core.models import OutboxEvent, StateChange
from core.privacy import personal
from invoicing.models import Document
from messaging.selectors import MessageFilter, messages

MAILS_SHOWN = 50
_MOVE, _EVENT, _MAIL = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the timeline; `what` is the state reached or the event's name, `note` the reason given.

    `message` is the public id of the mail it is about.
    """

    what: str
    at: datetime
    who: str = ""
    note: str = ""
    message: str = ""


def history(document: Document, item_public_id: str = "") -> list[Happening]:
    """The timeline of a document and its open item, newest first, one query. Inside work()."""
    moves = StateChange.objects.filter(object_public_id=document.public_id)
    settled = OutboxEvent.objects.filter(object_public_id=item_public_id, name__startswith="item.")
    mails = messages(MessageFilter(about=document.public_id)).order_by("-id")[:MAILS_SHOWN]
    rows = list(
        _part(_MOVE, "to_state", "at", "actor", "reason", moves.order_by())
        .union(
            _part(_EVENT, "name", "occurred_at", "", "", settled.order_by()),
            _part(_MAIL, "state", "created_at", "to_address", "why", mails, public_id="public_id"),
            all=True,
        )
        .order_by("part", "nth")
    )
    opening = document.kind == "opening"
    found = [_happening(row) for row in rows if row["part"] == _MOVE]
    found.append(Happening("imported" if opening else "created", document.created_at))
    found += [_happening(row) for row in rows if row["part"] == _EVENT]
    found += [_happening(row) for row in reversed(rows) if row["part"] == _MAIL]
    return sorted(found, key=lambda each: each.at, reverse=True)


def _part(
    part: int, what: str, moment: str, who: str, note: str, rows: "QuerySet[Any]", *, public_id: str = ""
) -> "QuerySet[Any, dict[str, Any]]":
    """One table's share of the timeline, its columns under the names they have in common."""

    def text(column: str) -> Any:
        return Cast(column, TextField()) if column else Value("", output_field=TextField())

    return rows.values(
        part=Value(part), nth=F("id"), what=text(what), moment=F(moment), who=text(who), note=text(note),
        mail=text(public_id),
    )  # fmt: skip


def _happening(row: dict[str, Any]) -> Happening:
    if not row["mail"]:
        return Happening(row["what"], row["moment"], row["who"], row["note"])
    return Happening(f"mail.{row['what']}", row["moment"], personal(row["who"]), row["note"], row["mail"])

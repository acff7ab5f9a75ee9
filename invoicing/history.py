"""What happened to a document, newest first: its moves, its mail, when it was settled."""

from dataclasses import dataclass
from datetime import datetime

from core.models import OutboxEvent, StateChange
from invoicing.models import Document
from messaging.selectors import messages_about


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
    """The timeline of a document and its open item, newest first, three queries. Inside work()."""
    moves = StateChange.objects.filter(object_public_id=document.public_id).order_by("id")
    found = [Happening(move.to_state, move.at, move.actor, move.reason) for move in moves]
    opening = document.kind == "opening"
    found.append(Happening("imported" if opening else "created", document.created_at))
    if item_public_id:
        events = OutboxEvent.objects.filter(object_public_id=item_public_id, name__startswith="item.")
        found += [Happening(event.name, event.occurred_at) for event in events.order_by("id")]
    for message in messages_about(document.public_id):
        what, at = f"mail.{message.state}", message.created_at
        found.append(Happening(what, at, message.to_address, message.why, message.public_id))
    return sorted(found, key=lambda each: each.at, reverse=True)


def credit_notes_of(document: Document) -> list[Document]:
    """Credit notes over this invoice, in order, one query. Inside work()."""
    return list(Document.objects.filter(credits=document).order_by("id"))

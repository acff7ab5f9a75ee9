"""Reading messages for timelines and pages."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from core.errors import NotFound
from core.models import StateChange, StoredFile
from core.paging import Order
from core.privacy import PERSONAL, personal
from core.scope import current
from core.search import starts
from messaging.domain.shown import without_tokens
from messaging.models import Message

NEWEST = Order("pk", int, descending=True)


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """What is wanted; "" leaves a condition out. `recipient` is searched from its start."""

    state: str = ""
    kind: str = ""
    recipient: str = ""
    customer: str = ""
    about: str = ""


def messages(wanted: MessageFilter) -> "QuerySet[Message]":
    """The messages that are wanted, in no order. Inside work()."""
    exact = {
        "state": wanted.state,
        "kind": wanted.kind,
        "customer_public_id": wanted.customer,
        "about": wanted.about,
    }
    found: QuerySet[Message] = Message.objects.filter(
        **{name: value for name, value in exact.items() if value}
    )
    if wanted.recipient and current().may(PERSONAL):  # who may not see an address does not find by it
        found = found.filter(starts("to_address", wanted.recipient, wanted.recipient.lower()))
    return found


def message(public_id: str) -> Message:
    """The message with this public id; raises NotFound. Inside work()."""
    found: Message | None = Message.objects.filter(public_id=public_id).first()
    if found is None:
        raise NotFound("That message is not here.")
    return found


def letter_of(row: Message, body: str) -> str:
    """A body of a message as people of the house may read it: no secrets, nothing of what is its reader's alone."""
    return "" if row.is_private else without_tokens(body)


def moves_of(row: Message) -> list[StateChange]:
    """What became of a message, in order; one query. Inside work()."""
    return list(StateChange.objects.filter(object_public_id=row.public_id).order_by("id"))


def attached_to(row: Message) -> list[str]:
    """Names of the files a message carried; one query, none without files. Inside work()."""
    if not row.attachments:
        return []
    files = StoredFile.objects.filter(public_id__in=row.attachments).order_by("id")
    return list(files.values_list("name", flat=True))


def messages_about(*public_ids: str, limit: int = 50) -> list[Message]:
    """Messages about any of these things, newest first."""
    return list(Message.objects.filter(about__in=public_ids).order_by("-id")[:limit])


def messages_of_customer(public_id: str, limit: int = 50) -> list[Message]:
    """Messages to a customer, newest first."""
    return list(Message.objects.filter(customer_public_id=public_id).order_by("-id")[:limit])


def message_of(public_id: str) -> Message | None:
    """One message."""
    found: Message | None = Message.objects.filter(public_id=public_id).first()
    return found


def recipients(public_ids: Iterable[str]) -> dict[str, str]:
    """To whom messages go, by public id, one query. Inside work()."""
    found = Message.objects.filter(public_id__in=list(public_ids))
    return {public_id: personal(to) for public_id, to in found.values_list("public_id", "to_address")}

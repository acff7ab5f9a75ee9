"""Reading messages for timelines and pages."""

from collections.abc import Iterable

from messaging.models import Message


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
    return dict(found.values_list("public_id", "to_address"))

"""What other apps may know about messages. The address and the text stay in the message."""

from dataclasses import dataclass
from typing import ClassVar

from core.events import Event


@dataclass(frozen=True, slots=True)
class MessageSent(Event):
    """The mail server took it. `about` is what it is about, `object_id` the message."""

    name: ClassVar[str] = "message.sent"

    kind: str
    about: str
    dedupe: str
    customer: str


@dataclass(frozen=True, slots=True)
class MessageSkipped(Event):
    """When its time came, it was no longer right to send it."""

    name: ClassVar[str] = "message.skipped"

    kind: str
    about: str
    dedupe: str
    customer: str
    reason: str


@dataclass(frozen=True, slots=True)
class MessageFailed(Event):
    """It was refused for good, or nobody took it for long; a person may send it again."""

    name: ClassVar[str] = "message.failed"

    kind: str
    about: str
    dedupe: str
    customer: str
    reason: str

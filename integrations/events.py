"""What other apps may know about webhooks."""

from dataclasses import dataclass
from typing import ClassVar

from core.events import Event


@dataclass(frozen=True, slots=True)
class WebhookPing(Event):
    """A person wants to see whether an address answers."""

    name: ClassVar[str] = "webhook.ping"

    said: str = "This is a test. Nothing happened."


@dataclass(frozen=True, slots=True)
class WebhookDisabled(Event):
    """An address was switched off because it took nothing any more; `why` says since when, or that it is gone."""

    name: ClassVar[str] = "webhook.disabled"

    url: str
    why: str

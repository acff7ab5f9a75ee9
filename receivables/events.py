"""What other apps may know about open items."""

from dataclasses import dataclass
from typing import ClassVar

from core.events import Event


@dataclass(frozen=True, slots=True)
class ItemSettled(Event):
    """Nothing is open of the item any more; `object_id` is the item, `source` its document or payment."""

    name: ClassVar[str] = "item.settled"

    source: str
    kind: str
    settled_on: str


@dataclass(frozen=True, slots=True)
class ItemReopened(Event):
    """Something is open again of an item that was settled."""

    name: ClassVar[str] = "item.reopened"

    source: str
    kind: str

"""What other apps may know about files that were brought in."""

from dataclasses import dataclass
from typing import ClassVar

from core.events import Event


@dataclass(frozen=True, slots=True)
class ImportEnded(Event):
    """A run or its undoing ended: `state` is done, stopped or undone; `created` and `failed` count rows."""

    name: ClassVar[str] = "import.ended"

    kind: str
    state: str
    created: int
    failed: int

"""What other apps may know about billing."""

from dataclasses import dataclass
from typing import ClassVar

from core.events import Event


@dataclass(frozen=True, slots=True)
class BillingRunFinished(Event):
    """A run has billed everything that was due by its date."""

    name: ClassVar[str] = "billing_run.finished"

    as_of: str
    documents: int
    held: int


@dataclass(frozen=True, slots=True)
class BillingRunStopped(Event):
    """A run ended before everything was billed; `why` is a sentence for people."""

    name: ClassVar[str] = "billing_run.stopped"

    as_of: str
    why: str

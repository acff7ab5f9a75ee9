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


@dataclass(frozen=True, slots=True)
class UsageThresholdReached(Event):
    """A meter has reached the figure of an alert in a period of a subscription; told once in each.

    `threshold` and `value` are exact decimals in the meter's own unit, `meter` its code.
    """

    name: ClassVar[str] = "usage.threshold_reached"

    subscription: str
    customer: str
    meter: str
    threshold: str
    value: str
    period_start: str
    period_end: str

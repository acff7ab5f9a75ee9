"""What other apps may know about money that came or did not. Amounts are minor units, dates ISO."""

from dataclasses import dataclass
from typing import ClassVar

from core.events import Event


@dataclass(frozen=True, slots=True)
class PaymentReceived(Event):
    """Money is in the books; `applied_minor` of it was put against items at once."""

    name: ClassVar[str] = "payment.received"

    customer: str
    currency: str
    minor: int
    applied_minor: int
    received_on: str
    method: str


@dataclass(frozen=True, slots=True)
class PaymentReversed(Event):
    """A payment was taken back; what it had settled is open again."""

    name: ClassVar[str] = "payment.reversed"

    reason: str


@dataclass(frozen=True, slots=True)
class ChargeFailed(Event):
    """A charge was declined, or the gateway never took it, however often it was tried: nothing was taken.

    `automatic`: of a kept card, with nobody there.
    """

    name: ClassVar[str] = "charge.failed"

    customer: str
    currency: str
    minor: int
    code: str
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class BankLinesLeft(Event):
    """Matching left bank lines to a person that were not there before; `lines` is how many wait. About the newest."""

    name: ClassVar[str] = "bank_lines.left"

    lines: int

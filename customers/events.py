"""What other apps may know about what customers keep with us. Dates ISO."""

from dataclasses import dataclass
from typing import ClassVar

from core.events import Event


@dataclass(frozen=True, slots=True)
class PaymentMethodKept(Event):
    """A customer keeps a card, to be charged by itself from now on; one kept before is replaced."""

    name: ClassVar[str] = "payment_method.kept"

    customer: str
    brand: str
    last4: str
    expires_on: str


@dataclass(frozen=True, slots=True)
class PaymentMethodRemoved(Event):
    """A kept card is charged no more: it was removed, or another took its place."""

    name: ClassVar[str] = "payment_method.removed"

    customer: str


@dataclass(frozen=True, slots=True)
class PaymentMethodExpiring(Event):
    """A kept card is good until `expires_on` only, which is near; told once."""

    name: ClassVar[str] = "payment_method.expiring"

    customer: str
    brand: str
    last4: str
    expires_on: str

"""What the product needs of a payment gateway. Each vendor's adapter lives beside this and is called outside work().

A request carries the attempt's key; a gateway that sees a key again answers what it answered before and never
charges twice. A call that ends without an answer raises NoAnswer: the money may or may not have moved, so the
attempt stays unknown until `find` or a webhook says.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from core.errors import AppError
from core.money import Money
from customers.domain.cards import Card


class Outcome(StrEnum):
    """What a gateway says of a charge."""

    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    ACTION_REQUIRED = "action_required"


class NoAnswer(Exception):
    """Timeout, broken connection or server error: the outcome is not known."""


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """`key` is the idempotency key, one per attempt; `method` the gateway's token for a card or account.

    With nobody there (`off_session`) a card that wants its holder to confirm is declined, not left waiting.
    """

    key: str
    amount: Money
    method: str
    description: str
    off_session: bool = False


@dataclass(frozen=True, slots=True)
class ChargeResult:
    """`reference` is the gateway's id of the charge; `code` and `message` explain a decline."""

    outcome: Outcome
    reference: str
    code: str = ""
    message: str = ""


class CardRefused(AppError):
    """The gateway does not keep this card."""

    status = 422
    code = "card_refused"


class Gateway(Protocol):
    """A payment gateway of one organization."""

    name: str

    def charge(self, request: ChargeRequest) -> ChargeResult:
        """Charge once per key; raises NoAnswer when the outcome is not known."""

    def keep(self, method: str) -> Card:
        """Keep a card for later charges, the same one as the same; raises CardRefused and NoAnswer."""

    def find(self, key: str) -> ChargeResult | None:
        """What became of a key, or None when the gateway never took it; raises NoAnswer."""

    def cancel(self, reference: str) -> ChargeResult:
        """Give up a charge that waits for the customer; answers what it is now; raises NoAnswer."""

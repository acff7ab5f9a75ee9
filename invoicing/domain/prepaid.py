"""Prepaid balances: what of which top-up pays for what. Pure; amounts are positive minor units."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Gone(StrEnum):
    """Why a part of a top-up is there no more."""

    DRAWN = "drawn"
    CREDITED = "credited"
    VOIDED = "voided"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Fund:
    """A top-up as it can be drawn of: `left_minor` is there, `owed_minor` of its invoice was not paid yet.

    From `expires_on` on, a local date, nothing can be drawn.
    """

    top_up_id: int
    customer_id: int
    entity_id: int
    currency: str
    left_minor: int
    owed_minor: int
    expires_on: date | None = None

    @property
    def available_minor(self) -> int:
        """What is left and was paid."""
        return max(0, self.left_minor - self.owed_minor)


@dataclass(frozen=True, slots=True)
class Want:
    """What an invoice would have of its customer's prepaid balance."""

    document_id: int
    customer_id: int
    entity_id: int
    currency: str
    minor: int


@dataclass(frozen=True, slots=True)
class Draw:
    """A part of a top-up that pays for an invoice."""

    top_up_id: int
    document_id: int
    minor: int


def draws(funds: Iterable[Fund], wants: Sequence[Want], on: date) -> list[Draw]:
    """What each invoice of a local date gets, one after the other: of what expires first, then of what is oldest.

    Only a customer's own funds in the invoice's currency and legal entity count, as far as they were paid.
    """
    first = sorted(
        (each for each in funds if each.expires_on is None or each.expires_on > on),
        key=lambda each: (each.expires_on or date.max, each.top_up_id),
    )
    left = {each.top_up_id: each.available_minor for each in first}
    found = []
    for want in wants:
        wanted = want.minor
        for fund in first:
            part = min(wanted, left[fund.top_up_id])
            if part > 0 and _same(fund, want):
                found.append(Draw(fund.top_up_id, want.document_id, part))
                left[fund.top_up_id] -= part
                wanted -= part
    return found


def _same(fund: Fund, want: Want) -> bool:
    return (fund.customer_id, fund.entity_id, fund.currency) == (
        want.customer_id,
        want.entity_id,
        want.currency,
    )

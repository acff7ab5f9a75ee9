"""Open items and what may be put against what. Amounts are positive minor units."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from ledger.domain.entries import Purpose


class Side(StrEnum):
    """Debits are owed to us, credits are owed back or were paid."""

    DEBIT = "debit"
    CREDIT = "credit"


class Kind(StrEnum):
    """What an open item came from. The kind decides its side and its control account.

    A reversal takes a payment back that was booked by mistake or returned; a recovery takes a write-off back. What was
    drawn of a prepaid balance pays as a credit of its own.
    """

    INVOICE = "invoice"
    OPENING = "opening"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    WRITE_OFF = "write_off"
    VOID = "void"
    REVERSAL = "reversal"
    RECOVERY = "recovery"
    PREPAID = "prepaid"


SIDES = {
    Kind.INVOICE: Side.DEBIT,
    Kind.OPENING: Side.DEBIT,
    Kind.CREDIT_NOTE: Side.CREDIT,
    Kind.PAYMENT: Side.CREDIT,
    Kind.WRITE_OFF: Side.CREDIT,
    Kind.VOID: Side.CREDIT,
    Kind.PREPAID: Side.CREDIT,
    Kind.REVERSAL: Side.DEBIT,
    Kind.RECOVERY: Side.DEBIT,
}


def control_account(kind: Kind) -> Purpose:
    """Where the item stands in the ledger: money not yet put against anything is a liability of its own."""
    return Purpose.UNAPPLIED if kind in {Kind.PAYMENT, Kind.REVERSAL} else Purpose.RECEIVABLE


def why_final(*kinds: str) -> str:
    """Why an allocation between items of these kinds cannot be undone, in a sentence, or nothing."""
    if Kind.VOID in kinds:
        return "A void is for good: the invoice keeps its number and owes nothing."
    if {Kind.REVERSAL, Kind.RECOVERY} & set(kinds):
        return "What was taken back is for good."
    if Kind.PREPAID in kinds:
        return "What was drawn of a prepaid balance is for good; credit the invoice instead."
    return ""


@dataclass(frozen=True, slots=True)
class Target:
    """A debit item as the splitter sees it, or what of it is due on one day."""

    item_id: int
    open_minor: int
    due_on: date


def oldest_first(amount: int, targets: Sequence[Target]) -> list[tuple[int, int]]:
    """Split `amount` over the targets by due date, then id: [(item id, minor)], nothing beyond an open amount.

    An item with several targets is in the result once. What is left over is not in it; it stays unapplied.
    """
    parts: dict[int, int] = {}
    for target in sorted(targets, key=lambda t: (t.due_on, t.item_id)):
        part = min(amount, target.open_minor)
        if part > 0:
            parts[target.item_id] = parts.get(target.item_id, 0) + part
            amount -= part
    return list(parts.items())

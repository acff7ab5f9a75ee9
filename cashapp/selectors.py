"""Reads of payments and attempts."""

from dataclasses import dataclass
from datetime import datetime

from cashapp.models import Attempt, AttemptItem
from core.money import Money


@dataclass(frozen=True, slots=True)
class AttemptView:
    """An attempt as pages show it."""

    public_id: str
    state: str
    amount: Money
    method: str
    reference: str
    code: str
    message: str
    at: datetime


def attempts_on(item_id: int) -> list[AttemptView]:
    """Attempts to pay an open item, newest first. Inside work()."""
    ids = AttemptItem.objects.filter(item_id=item_id).values("attempt_id")
    return [
        AttemptView(
            row.public_id,
            row.state,
            Money(row.minor, row.currency),
            row.method,
            row.reference,
            row.code,
            row.message,
            row.created_at,
        )
        for row in Attempt.objects.filter(pk__in=ids).order_by("-id")[:20]
    ]

"""Reads of payments and attempts."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import QuerySet

from cashapp.models import Attempt, AttemptItem, Payment
from core.money import Money
from core.paging import Order
from receivables.domain.items import Kind
from receivables.selectors import allocations_of


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


NEWEST = Order("pk", int, descending=True)


def payments() -> "QuerySet[Payment]":
    """All payments with their customers. Inside work()."""
    found: QuerySet[Payment] = Payment.objects.select_related("customer")
    return found


@dataclass(frozen=True, slots=True)
class Applied:
    """A part of a payment put against an item; `may_undo` while it stands."""

    allocation_id: int
    label: str
    source: str
    is_document: bool
    amount: Money
    on: date
    reason: str
    may_undo: bool


def applied_to(item_id: int) -> list[Applied]:
    """What a payment's item was put against, in order, two queries. Inside work()."""
    rows = list(allocations_of(item_id))
    undone = {row.reverses_id for row in rows if row.reverses_id}
    return [
        Applied(
            row.pk,
            row.debit_item.label,
            row.debit_item.source,
            row.debit_item.kind == Kind.INVOICE,
            Money(row.minor, row.debit_item.currency),
            row.effective_on,
            row.reason,
            row.reverses_id is None and row.pk not in undone and row.debit_item.kind != Kind.REVERSAL,
        )
        for row in rows
    ]

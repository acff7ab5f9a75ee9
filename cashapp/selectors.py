"""Reads of payments and attempts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, QuerySet, Sum

from cashapp.domain.states import LineState
from cashapp.models import Attempt, AttemptItem, BankLine, Payment
from core.money import Money
from core.paging import Order
from core.templatetags.fmt import money_code
from receivables.domain.items import Kind, why_final
from receivables.selectors import ItemState, allocations_of, debits_of_credits


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


@dataclass(frozen=True, slots=True)
class PaymentFilter:
    """What is wanted; "" and None leave a condition out. `customer` is a public id; days are inclusive."""

    customer: str = ""
    currency: str = ""
    method: str = ""
    received_from: date | None = None
    received_to: date | None = None


def received(rows: "QuerySet[Payment]") -> list[tuple[Money, int]]:
    """What payments come to by currency, and how many they are, without those taken back; one query. Inside work()."""
    kept = rows.exclude(state="reversed").order_by()
    sums = kept.values("currency").annotate(n=Count("pk"), minor=Sum("minor")).order_by("currency")
    return [(Money(each["minor"], each["currency"]), each["n"]) for each in sums]


def payments(wanted: PaymentFilter | None = None) -> "QuerySet[Payment]":
    """The payments that are wanted, with their customers. Inside work()."""
    wanted = wanted or PaymentFilter()
    conditions = {
        "customer__public_id": wanted.customer,
        "currency": wanted.currency,
        "method": wanted.method,
        "received_on__gte": wanted.received_from,
        "received_on__lte": wanted.received_to,
    }
    found: QuerySet[Payment] = Payment.objects.select_related("customer")
    return found.filter(**{name: value for name, value in conditions.items() if value})


def standing(payment: Payment, item: ItemState) -> str:
    """Where a payment stands: reversed, applied, partly_applied or unapplied; `item` is its own."""
    if payment.state == "reversed":
        return "reversed"
    if item.open_minor == 0:
        return "applied"
    return "partly_applied" if item.open_minor < item.total_minor else "unapplied"


def names(public_ids: Iterable[str]) -> dict[str, str]:
    """What payments are called by public id: their amounts. One query, inside work()."""
    found = Payment.objects.filter(public_id__in=list(public_ids))
    return {row.public_id: money_code(Money(row.minor, row.currency)) for row in found}


@dataclass(frozen=True, slots=True)
class Applied:
    """A part of a payment put against an item; it may be undone while it `stands`, unless it is `final`, and why."""

    allocation_id: int
    label: str
    source: str
    is_document: bool
    amount: Money
    on: date
    reason: str
    stands: bool
    final: str
    item: str
    reverses_id: int | None


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
            row.reverses_id is None and row.pk not in undone,
            why_final(row.debit_item.kind, row.credit_item.kind),
            row.debit_item.public_id,
            row.reverses_id,
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Decided:
    """A bank line with the debit items its payment pays, and those that the best proposal would."""

    line_id: int
    items: frozenset[int]
    proposed: frozenset[int]


def decided_links() -> dict[str, Decided]:
    """Bank lines by the id they have in the other system, three queries. Inside work()."""
    rows = BankLine.objects.exclude(external_id="").exclude(state=LineState.WITHDRAWN)
    paid = debits_of_credits(rows.filter(payment__isnull=False).values("payment__public_id"))
    return {
        external_id: Decided(
            pk,
            frozenset(paid.get(payment or "", ())),
            frozenset(item_id for item_id, _minor in proposals[0]["parts"]) if proposals else frozenset(),
        )
        for pk, external_id, payment, proposals in rows.values_list(
            "id", "external_id", "payment__public_id", "proposals"
        )
    }

"""Open items as lists of documents need them: as a subquery, and summed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet, Sum

from core import tallies
from receivables.domain.items import SIDES, Kind, Side
from receivables.models import OpenItem


def open_sources(*, due_before: date | None = None) -> "QuerySet[Any, Any]":
    """Public ids of what still has something open, optionally due before a day; a subquery for `__in`."""
    late = Q() if due_before is None else Q(due_on__lt=due_before, side=Side.DEBIT)
    return OpenItem.objects.filter(late, open_minor__gt=0).values("source")


def open_of(source: Any) -> "QuerySet[Any, Any]":
    """What is still open of one source, an expression of the query around it; for `Exists`."""
    return OpenItem.objects.filter(source=source, open_minor__gt=0)


def first_due(customer: Any, sources: "QuerySet[Any, Any]") -> "QuerySet[Any, Any]":
    """The day on which the first of a customer's open debits from some sources was due; for `Subquery`.

    The customer's id and the sources are of the query around it. Open items of a customer are few, so it is quick.
    """
    rows = OpenItem.objects.filter(customer_id=customer, source__in=sources, side=Side.DEBIT)
    return rows.filter(open_minor__gt=0).order_by("due_on").values("due_on")[:1]


def open_by_currency(sources: "QuerySet[Any, Any]") -> dict[str, int]:
    """What is open of the named sources: debits less credits, minor units by currency. One query, inside work()."""
    rows = OpenItem.objects.filter(source__in=sources, open_minor__gt=0)
    sums: dict[str, int] = {}
    for currency, side, minor in rows.values_list("currency", "side").annotate(Sum("open_minor")):
        sums[currency] = sums.get(currency, 0) + (minor if side == Side.DEBIT else -minor)
    return sums


@dataclass(frozen=True, slots=True)
class OpenSum:
    """Everything open of one kind in one currency: how many, what they were in full, and what is open; minor units.

    `open_minor` is negative for credits, `total_minor` never.
    """

    kind: str
    currency: str
    count: int
    total_minor: int
    open_minor: int


def open_sums(kinds: Iterable[str], *, due_before: date | None = None) -> list[OpenSum]:
    """What is open of these kinds, optionally of debits due before a day; one query, inside work()."""
    wanted = [kind for kind in kinds if due_before is None or SIDES[Kind(kind)] is Side.DEBIT]
    where = Q(kind__in=wanted) if due_before is None else Q(kind__in=wanted, day__lt=due_before)
    return [
        OpenSum(
            row["kind"],
            row["currency"],
            int(row["n"]),
            int(row["whole"]),
            int(row["sum"]) if SIDES[Kind(row["kind"])] is Side.DEBIT else -int(row["sum"]),
        )
        for row in tallies.sums("open", "kind", "currency", where=where)
        if row["n"]
    ]

"""Bulk changes for pages and programs: how each stands, what it comes to, and what becomes of which subscription."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet, Sum

from billing.models import DONE, FITS, REFUSED, UNFIT, BulkChange, BulkChangeItem
from core.errors import NotFound
from core.jobs import OPEN
from core.models import Job
from core.money import Money
from core.paging import Order

IN_ORDER = Order("pk", int)
OUTCOMES = (FITS, UNFIT, DONE, REFUSED)
STATES = ("checking", "ready", "running", "done", "stopped", "failed")
REASONS = 20
"""Reasons that a page names, those of most subscriptions first."""


def bulk_changes() -> "QuerySet[BulkChange]":
    """All bulk changes with their jobs, in no order. Inside work()."""
    found: QuerySet[BulkChange] = BulkChange.objects.select_related("look", "run", "price__plan")
    return found


def bulk_change(public_id: str) -> BulkChange:
    """The bulk change with this public id; raises NotFound. Inside work()."""
    found = bulk_changes().filter(public_id=public_id).first()
    if found is None:
        raise NotFound("That bulk change is not here.")
    return found


def bulk_items(row: BulkChange, *, outcome: str = "") -> "QuerySet[BulkChangeItem]":
    """What becomes of each of its subscriptions, or of those with an outcome, in no order. Inside work()."""
    found: QuerySet[BulkChangeItem] = BulkChangeItem.objects.filter(bulk=row).select_related(
        "subscription__customer", "price__plan", "price__overrides"
    )
    return found.filter(outcome=outcome) if outcome else found


def job_of(row: BulkChange) -> Job:
    """The job that goes on, or went on last."""
    found: Job = row.run or row.look
    return found


def state_of(row: BulkChange) -> str:
    """How it stands, in one of `STATES`: seen and not done yet it is ready."""
    job = job_of(row)
    if job.state in OPEN:
        return "checking" if row.run is None else "running"
    if job.state == "cancelled":
        return "stopped"
    return "ready" if row.run is None and job.state == "done" else str(job.state)


@dataclass(frozen=True, slots=True)
class BulkSum:
    """What the next run bills and credits in a currency of what can be done or was done, net."""

    count: int
    charge: Money
    credit: Money

    @property
    def balance(self) -> Money:
        return Money(self.charge.minor - self.credit.minor, self.charge.currency)


@dataclass(frozen=True, slots=True)
class BulkFigures:
    """Subscriptions by outcome, sums by currency, and why others were left out, most first."""

    counts: dict[str, int]
    sums: Sequence[BulkSum]
    reasons: Sequence[tuple[str, int]]


def figures(row: BulkChange) -> BulkFigures:
    """What a bulk change comes to; two statements. Inside work()."""
    counts = dict.fromkeys(OUTCOMES, 0)
    sums: dict[str, list[int]] = {}
    for each in _by_currency(row):
        counts[each["outcome"]] += each["n"]
        if each["outcome"] in {FITS, DONE}:
            sums[each["currency"]] = [
                a + int(b)
                for a, b in zip(
                    sums.get(each["currency"], [0, 0, 0]),
                    (each["n"], each["charge"], each["credit"]),
                    strict=True,
                )
            ]
    reasons = (
        BulkChangeItem.objects.filter(bulk=row, outcome__in=(UNFIT, REFUSED))
        .values("reason")
        .annotate(n=Count("id"))
        .order_by("-n", "reason")[:REASONS]
    )
    return BulkFigures(
        counts,
        [
            BulkSum(n, Money(charge, code), Money(credit, code))
            for code, (n, charge, credit) in sorted(sums.items())
        ],
        [(each["reason"], each["n"]) for each in reasons],
    )


def _by_currency(row: BulkChange) -> "QuerySet[Any]":
    return (
        BulkChangeItem.objects.filter(bulk=row)
        .values("outcome", "currency")
        .annotate(n=Count("id"), charge=Sum("charge_minor"), credit=Sum("credit_minor"))
        .order_by("currency", "outcome")
    )

"""Billed periods of a meter as pages and the API show them: billed, counted since, to be billed. Inside work()."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Exists, OuterRef, Sum

from billing.domain.charges import ACTIVE, Charge
from billing.domain.dues import Odd
from billing.domain.facts import ItemFacts, SubscriptionFacts
from billing.domain.late import corrections
from billing.late import with_recounts
from billing.models import BilledPeriod, BillingRun, CorrectedPeriod, Meter, Subscription
from billing.selectors import subscription_facts, with_usage

MOST, SHOWN = 100, 200
"""Billed periods of a meter at once, and corrections of a run."""


@dataclass(frozen=True, slots=True)
class CountedPeriod:
    """A billed period of what a meter counts: what it was billed as, with all corrections up to now, and what a later
    run bills more, or less, of it; None where that cannot be said.
    """

    row: BilledPeriod
    corrections: tuple[CorrectedPeriod, ...]
    counted: Decimal | None
    billed_minor: int
    counted_now: Decimal | None
    to_bill_minor: int | None

    @property
    def waits(self) -> bool:
        """Whether something was counted or voided since, be it worth nothing."""
        return self.to_bill_minor is None or (self.counted, self.billed_minor) != (
            self.counted_now,
            self.billed_minor + self.to_bill_minor,
        )


def corrections_of(rows: Sequence[BilledPeriod]) -> dict[int, tuple[CorrectedPeriod, ...]]:
    """What was corrected of billed periods, by the period, in order; one query."""
    found: dict[int, list[CorrectedPeriod]] = defaultdict(list)
    for each in (
        CorrectedPeriod.objects.filter(period__in=rows).select_related("document", "run").order_by("nth")
    ):
        found[each.period_id].append(each)
    return {pk: tuple(each) for pk, each in found.items()}


def comes_on(row: Subscription, charge: Charge | None) -> date:
    """The day of a subscription's next invoice: its next bill's, or the day on which no more of its late usage can
    come, where nothing else is billed before.
    """
    late = charge.facts.late_on if charge else None
    return row.next_bill_on if late is None or bills_first(row, late) else late


def bills_first(row: Subscription, late: date) -> bool:
    """Whether a bill of the subscription comes before its late usage is billed alone, or on the same day."""
    return bool(row.state == ACTIVE and row.next_bill_on <= late)


def corrected_by(run: BillingRun) -> list[CorrectedPeriod]:
    """What a run billed or gave back of periods billed before, the newest first, the first 200; one query."""
    found = CorrectedPeriod.objects.filter(run=run).order_by("-id")
    return list(
        found.select_related("document", "period", "subscription__customer", "item__price__plan")[:SHOWN]
    )


def corrected_sums(row: BillingRun) -> Any:
    """What the run billed more of periods billed before, by currency, and the invoices that bill nothing else."""
    other = BilledPeriod.objects.filter(run=row, document=OuterRef("document_id"))
    own = Count("document_id", filter=~Exists(other), distinct=True)
    rows = CorrectedPeriod.objects.filter(run=row, difference_minor__gt=0).values("document__currency")
    return rows.annotate(n=own, minor=Sum("amount_minor")).order_by("document__currency")


def counted_periods(
    subscription: Subscription, meter: Meter, *, since: date | None = None, until: date | None = None
) -> list[CountedPeriod]:
    """The billed periods of a meter, the newest first, of those that have a day from `since` to before `until`.

    The number of queries does not depend on how many there are.
    """
    rows = BilledPeriod.objects.filter(subscription=subscription, item__price__meter=meter)
    rows = rows.filter(period_end__gt=since) if since else rows
    rows = rows.filter(period_start__lt=until) if until else rows
    found = list(
        rows.select_related("document", "run", "item__price__plan").order_by("-period_start", "-id")[:MOST]
    )
    if not found:
        return []
    changed, now = corrections_of(found), _now(subscription)
    return [_counted(row, changed.get(row.pk, ()), now) for row in found]


def _now(subscription: Subscription) -> dict[int, tuple[Decimal | None, int | None]]:
    """What billed periods that are looked at again are counted as, and come to more; by the period."""
    facts = with_recounts(subscription_facts([subscription.pk]))
    found: dict[int, tuple[Decimal | None, int | None]] = {}
    for each in with_usage(facts, date.min):
        for item in each.items:
            for again in item.recounts:
                used = item.used.get(again.span.start)
                one = replace(item, recounts=(again,))
                found[again.period_id] = (used.quantity if used else None, _minor(each, one))
    return found


def _minor(facts: SubscriptionFacts, item: ItemFacts) -> int | None:
    try:
        return sum(each.minor for each in corrections(facts, item))
    except Odd:
        return None


def _counted(
    row: BilledPeriod,
    changed: tuple[CorrectedPeriod, ...],
    now: dict[int, tuple[Decimal | None, int | None]],
) -> CountedPeriod:
    counted = changed[-1].quantity_now if changed else row.quantity
    counted = None if counted is None else counted.normalize()
    billed = changed[-1].after_minor if changed else row.amount_minor
    again, minor = now.get(row.pk, (counted, 0))
    return CountedPeriod(row, changed, counted, billed, again, minor)

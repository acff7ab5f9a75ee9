"""Reading which billed periods are looked at again, because something of them was counted or voided since.

Inside work().
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, OuterRef, TextField, When
from django.db.models.functions import Cast, JSONObject

from billing.domain.facts import ItemFacts, Late, Recount, Stands, SubscriptionFacts
from billing.domain.late import standing
from billing.domain.lines import source_of
from billing.granted import shares, shares_of
from billing.models import BilledPeriod, CorrectedPeriod, LateUsage
from core.periods import Period, local_midnight

_SAID = JSONObject(
    id="id", since=Cast("since", TextField()), until=Cast("until", TextField()), due_on="due_on"
)


def late_of(subscription: Any, meter: Any) -> Case:
    """What came late of an item's meter, as JSON; nothing where it has none."""
    marks = LateUsage.objects.filter(subscription=subscription, meter=meter).order_by("id")
    return Case(When(price__meter__isnull=False, then=ArraySubquery(marks.values(said=_SAID))))


def late(said: Sequence[Mapping[str, Any]] | None) -> Late | None:
    """What `late_of` read."""
    if not said:
        return None
    return Late(
        tuple(each["id"] for each in said),
        min(datetime.fromisoformat(each["since"]) for each in said),
        max(datetime.fromisoformat(each["until"]) for each in said),
        min(date.fromisoformat(each["due_on"]) for each in said),
    )


def with_recounts(facts: Sequence[SubscriptionFacts]) -> list[SubscriptionFacts]:
    """The facts with the billed periods that are looked at again; one query where something came late."""
    sought = {item.item_id: (each, item) for each in facts for item in each.items if item.late is not None}
    if not sought:
        return list(facts)
    found: dict[int, list[Recount]] = defaultdict(list)
    for row in _billed(list(sought), min(item.late.since for _, item in sought.values() if item.late)):
        each, item = sought[row.item_id]
        if _touched(row, each, item):
            found[item.item_id].append(_recount(row, item, each.currency))
    return [
        replace(each, items=tuple(replace(item, recounts=tuple(found[item.item_id])) for item in each.items))
        for each in facts
    ]


def _billed(item_ids: Sequence[int], since: datetime) -> Any:
    changed = CorrectedPeriod.objects.filter(period=OuterRef("pk")).order_by("nth")
    said = JSONObject(
        nth="nth",
        document="document_id",
        minor="difference_minor",
        quantity=Cast("quantity_now", TextField()),
    )
    rows = BilledPeriod.objects.filter(item__in=item_ids, period_end__gte=since.date() - timedelta(days=1))
    return rows.annotate(
        changed=ArraySubquery(changed.values(said=said)), shared=shares_of(OuterRef("pk"))
    ).order_by("item_id", "period_start")


def _touched(row: BilledPeriod, facts: SubscriptionFacts, item: ItemFacts) -> bool:
    start, end = (local_midnight(day, facts.zone) for day in (row.period_start, row.period_end))
    return item.late is not None and start <= item.late.until and item.late.since < end


def _recount(row: Any, item: ItemFacts, currency: str) -> Recount:
    first = Stands(row.document_id, source_of(item, row.period_start), row.amount_minor)
    changed = [(each["nth"], each["document"], each["minor"]) for each in row.changed]
    counted = Decimal(row.changed[-1]["quantity"]) if row.changed else row.quantity
    return Recount(
        period_id=row.pk,
        span=Period(row.period_start, row.period_end),
        quantity=None if counted is None else counted.normalize(),
        minor=row.amount_minor + sum(minor for _, _, minor in changed),
        corrections=len(changed),
        lines=standing(first, changed),
        shares=shares(row.shared, currency),
    )

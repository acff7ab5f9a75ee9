"""Usage that came after its period was billed: how it is noted, and how a run knows that it missed nothing.

A run reads figures while events come in. Neither waits for the other. Whoever takes or voids events shares the items
that bill them, to the end of the transaction, and a run has the items of usage alone; each passes over what the other
has. An event is then either in the figures that the run reads, or its sender sees the period billed and leaves a mark,
or one of the two passed over the item of the other and leaves one. What is marked is counted again by a later run. See
docs/adr/0035.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from django.db.models import OuterRef, Subquery

from billing.domain.charges import Charge
from billing.domain.facts import ItemFacts, SubscriptionFacts
from billing.domain.usage import Aggregation
from billing.models import BilledPeriod, LateUsage, Meter, SubscriptionItem
from core import bulk, clock
from core.locks import claim, keep_free
from core.periods import local_midnight

Pair = tuple[int, int]
"""A subscription and a meter."""
_EVER = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Touched:
    """Usage of a subscription by a meter that was counted or voided at an instant; `late` is how late it may come."""

    subscription_id: int
    meter_id: int
    aggregation: Aggregation
    late: timedelta
    at: datetime


def note(touched: Iterable[Touched]) -> None:
    """Leave a mark for what of this may be billed already, or is being billed now. In the transaction that counted it.

    Two statements for any number, and two more where something is late. A level that went up or down changes all that
    comes after it.
    """
    spans = _spans(touched)
    if not spans:
        return
    items = SubscriptionItem.objects.filter(
        subscription__in={pair[0] for pair in spans}, price__meter__in={pair[1] for pair in spans}
    )
    free = {pk for (pk,) in keep_free(items.values_list("pk"))}
    last = BilledPeriod.objects.filter(item=OuterRef("pk")).order_by("-period_start").values("period_end")[:1]
    found: dict[Pair, date] = {}
    rows = items.values_list("pk", "subscription_id", "price__meter_id", "subscription__zone", Subquery(last))
    for pk, subscription_id, meter_id, zone, billed in rows:
        pair = (subscription_id, meter_id)
        if pair not in spans:
            continue
        if pk in free and (billed is None or spans[pair].since >= local_midnight(billed, zone)):
            continue
        found[pair] = max(found.get(pair, date.min), billed or clock.today(zone))
        spans[pair].zone = zone
    bulk.insert(LateUsage, [_mark(pair, spans[pair], billed) for pair, billed in sorted(found.items())])


@dataclass(slots=True)
class _Span:
    since: datetime
    until: datetime
    late: timedelta
    zone: str = "UTC"


def _spans(touched: Iterable[Touched]) -> dict[Pair, _Span]:
    spans: dict[Pair, _Span] = {}
    for each in touched:
        until = _EVER if each.aggregation is Aggregation.WEIGHTED_SUM else each.at
        own = spans.setdefault((each.subscription_id, each.meter_id), _Span(each.at, until, each.late))
        own.since, own.until = min(own.since, each.at), max(own.until, until)
    return spans


def _mark(pair: Pair, span: _Span, billed: date) -> dict[str, object]:
    """When nothing is billed of it before, it is when no more of the last billed period can come."""
    due_on = billed + timedelta(days=span.late.days + 1)
    return {
        "subscription_id": pair[0],
        "meter_id": pair[1],
        "since": span.since,
        "until": span.until,
        "due_on": due_on,
        "due_at": local_midnight(due_on, span.zone),
    }


def have_alone(facts: Sequence[SubscriptionFacts]) -> set[Pair]:
    """Have what bills usage alone, and say of which meters somebody is taking or voiding events just now.

    One statement where something is metered. The subscriptions are locked.
    """
    wanted = {
        item.item_id: (each.subscription_id, item.meter_id)
        for each in facts
        for item in each.items
        if item.meter_id is not None
    }
    if not wanted:
        return set()
    rows = SubscriptionItem.objects.filter(pk__in=wanted).order_by("pk").only("pk", "organization_id")
    had = {row.pk for row in claim(rows, len(wanted))}
    return {pair for pk, pair in wanted.items() if pk not in had}


def leave(facts: Sequence[SubscriptionFacts], taken: Collection[Pair]) -> list[SubscriptionFacts]:
    """The facts without what came late by meters that take events just now: that is left for a later run."""
    if not taken:
        return list(facts)
    return [replace(each, items=tuple(_left(each, item, taken) for item in each.items)) for each in facts]


def _left(facts: SubscriptionFacts, item: ItemFacts, taken: Collection[Pair]) -> ItemFacts:
    return replace(item, late=None) if (facts.subscription_id, item.meter_id) in taken else item


def settle(charges: Sequence[Charge], taken: Collection[Pair], as_of: date) -> None:
    """Take away the marks of what was looked at, and leave one for what was billed while somebody took events.

    What could not be looked at is due the next day, so that a run does not come for it again and again. No statement
    where nothing is late or taken.
    """
    seen = {
        mark
        for each in charges
        for item in each.facts.items
        if item.late is not None
        for mark in item.late.marks
    }
    if seen:
        LateUsage.objects.filter(pk__in=seen).delete()
    mine = {each.facts.subscription_id: each.facts for each in charges}
    busy = [pair for pair in taken if pair[0] in mine]
    if not busy:
        return
    _put_off([mine[pk] for pk in {pair[0] for pair in busy}], as_of)
    late_days = dict(Meter.objects.filter(pk__in={pair[1] for pair in busy}).values_list("pk", "late_days"))
    rows = []
    for each in charges:
        for due in each.dues:
            pair = (each.facts.subscription_id, due.item.meter_id or 0)
            if pair in taken:
                zone = each.facts.zone
                since, until = (local_midnight(day, zone) for day in (due.span.start, due.span.end))
                span = _Span(since, until, timedelta(days=late_days[pair[1]]), zone)
                rows.append(_mark(pair, span, due.span.end))
    bulk.insert(LateUsage, rows)


def _put_off(facts: Iterable[SubscriptionFacts], as_of: date) -> None:
    """Have what is late of these due on the day after, when that begins in their zone; a statement for each zone."""
    day, zones = as_of + timedelta(days=1), defaultdict(list)
    for each in facts:
        zones[each.zone].append(each.subscription_id)
    for zone, ids in sorted(zones.items()):
        later = LateUsage.objects.filter(subscription__in=ids, due_on__lte=as_of)
        later.update(due_on=day, due_at=local_midnight(day, zone))

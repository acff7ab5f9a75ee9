"""A subscription's timeline: what was agreed and what came of it, by days, past and to come.

It is read from the rows alone: items, billed and credited periods, discounts, overrides, movements of recurring revenue
and what runs put aside. What was agreed and taken back before its day left no such row; the audit has it.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, Min, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _

from billing.domain.charges import ACTIVE
from billing.domain.timeline import ORDER, Agreed, Kind, Lived, steps
from billing.listing import subscription
from billing.models import (
    PLAN,
    AcceptedFinding,
    BilledPeriod,
    BillingRun,
    CorrectedPeriod,
    CreditedPeriod,
    FeatureOverride,
    HeldSubscription,
    MrrMovement,
    RenewalNotice,
    Subscription,
    SubscriptionDiscount,
    SubscriptionItem,
)
from core import clock

MOST = 2000
"""Billed periods at once; more than one run can bill of a subscription."""
_OUTCOMES = {
    Kind.HELD, Kind.RELEASED, Kind.BILLED, Kind.CREDITED, Kind.COUNTED_ANEW, Kind.RENEWAL_TOLD, Kind.NEXT_BILL,
}  # fmt: skip
"""What came of what was agreed; it moves no recurring revenue."""


@dataclass(frozen=True, slots=True)
class Part:
    """A period of an item that an invoice bills or a credit note takes back; net minor units, a credit's below zero."""

    item: SubscriptionItem
    period_start: date
    period_end: date
    amount_minor: int

    @property
    def what(self) -> str:
        """The name of its plan."""
        return str(self.item.price.plan.name)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing of one day. `item` is what is billed from then on, `before` what was; `until` is where it is known.

    What a customer was told of is a renewal, or the end of a `trial`. `movement` is what it changed of what the
    subscription is worth a month, `mrr_minor` what that is after the day.
    """

    day: date
    kind: Kind
    to_come: bool = False
    item: SubscriptionItem | None = None
    before: SubscriptionItem | None = None
    until: date | None = None
    discount: SubscriptionDiscount | None = None
    override: FeatureOverride | None = None
    document: Any = None
    run: BillingRun | None = None
    parts: tuple[Part, ...] = ()
    reason: str = ""
    movement: MrrMovement | None = None
    mrr_minor: int = 0
    trial: bool = False

    @property
    def amount_minor(self) -> int | None:
        """What it bills or credits, net; None of what does neither."""
        return sum(each.amount_minor for each in self.parts) if self.parts else None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The entries of a subscription in order of days; with `earlier` those before that day are left out."""

    subscription: Subscription
    today: date
    entries: tuple[Entry, ...]
    earlier: date | None = None


def timeline(public_id: str, *, before: date | None = None) -> Timeline:
    """The timeline of a subscription, or what of it lies before a day; raises NotFound. Inside work().

    The number of queries does not depend on how long it is.
    """
    row = subscription(public_id, notices=_notices())
    today = clock.today(row.zone)
    items = {
        item.pk: item
        for item in SubscriptionItem.objects.filter(subscription=row).select_related("price__plan")
    }
    billed, earlier = _newest(BilledPeriod.objects.filter(subscription=row), before)
    credited = (
        CreditedPeriod.objects.filter(subscription=row).select_related("document", "run").order_by("id")
    )
    found = [
        *_agreed(row, items, today),
        *_discounts(row, today),
        *_overrides(row, today),
        *_held(row),
        *_told(row),
        *_grouped(Kind.BILLED, billed, items, sign=1),
        *_grouped(Kind.CREDITED, list(credited), items, sign=-1),
        *_grouped(Kind.COUNTED_ANEW, _corrected(row, items), items, sign=1),
    ]
    if row.state == ACTIVE and row.held_at is None:
        found.append(Entry(row.next_bill_on, Kind.NEXT_BILL, to_come=True))
    told = _valued(found, MrrMovement.objects.filter(subscription=row).order_by("day"), today)
    shown = (each for each in told if before is None or each.day < before)
    return Timeline(
        row, today, tuple(each for each in shown if earlier is None or each.day >= earlier), earlier
    )


def _corrected(row: Subscription, items: Mapping[int, SubscriptionItem]) -> list[CorrectedPeriod]:
    """What was counted anew of its billed periods; only what is counted can be."""
    if not any(each.price.meter_id for each in items.values()):
        return []
    found = CorrectedPeriod.objects.filter(subscription=row).order_by("id")
    return list(found.select_related("document", "run", "period"))


def _newest(rows: "QuerySet[BilledPeriod]", before: date | None) -> tuple[list[BilledPeriod], date | None]:
    """The last periods that were billed before a day, in order, and the day before which they are left out."""
    if before is not None:
        rows = rows.filter(run__as_of__lt=before)
    found = list(rows.select_related("document", "run").order_by("-run__as_of", "-id")[: MOST + 1])
    earlier = found[-1].run.as_of + timedelta(days=1) if len(found) > MOST else None
    return [each for each in reversed(found) if earlier is None or each.run.as_of >= earlier], earlier


def _agreed(row: Subscription, items: Mapping[int, SubscriptionItem], today: date) -> Iterator[Entry]:
    lived = [
        Lived(
            each.pk,
            each.role == PLAN,
            each.price_id,
            each.quantity,
            each.starts_on,
            each.ends_on,
            each.paused,
        )
        for each in items.values()
        if each.ends_on
        != each.starts_on  # what never was in force, though it may have been billed and credited
    ]
    for step in steps(Agreed(row.starts_on, row.trial_ends_on, row.ends_on), lived):
        yield Entry(
            step.day,
            step.kind,
            to_come=step.day > today,
            item=items.get(step.item or 0),
            before=items.get(step.before or 0),
            until=step.until,
        )


def _discounts(row: Subscription, today: date) -> Iterator[Entry]:
    rows = SubscriptionDiscount.objects.filter(subscription=row).exclude(ends_on=F("starts_on"))
    for each in rows.select_related("coupon").order_by("id"):
        yield from _spanned(
            (Kind.DISCOUNT_GIVEN, Kind.DISCOUNT_ENDED),
            each.starts_on,
            each.ends_on,
            row,
            today,
            discount=each,
        )


def _overrides(row: Subscription, today: date) -> Iterator[Entry]:
    for each in FeatureOverride.objects.filter(subscription=row).select_related("feature").order_by("id"):
        given = _local(each.created_at, row.zone)
        yield from _spanned(
            (Kind.OVERRIDE_GIVEN, Kind.OVERRIDE_ENDED), given, each.ends_on, row, today, override=each
        )


def _spanned(
    kinds: tuple[Kind, Kind],
    starts_on: date,
    ends_on: date | None,
    row: Subscription,
    today: date,
    **said: Any,
) -> Iterator[Entry]:
    """The beginning and the end of what holds for some days, but what the subscription's own end comes before."""
    over = row.ends_on or date.max
    if starts_on >= over:
        return
    yield Entry(starts_on, kinds[0], to_come=starts_on > today, until=ends_on, **said)
    if ends_on is not None and ends_on < over:
        yield Entry(ends_on, kinds[1], to_come=ends_on > today, **said)


def _held(row: Subscription) -> Iterator[Entry]:
    """When runs put it aside, and when somebody said that what was found is right."""
    accepted = AcceptedFinding.objects.filter(subscription=row, at__gte=OuterRef("at")).order_by()
    first = accepted.values("subscription").annotate(first=Min("at")).values("first")
    rows = HeldSubscription.objects.filter(subscription=row).annotate(released_at=Subquery(first))
    for each in rows.select_related("run").order_by("id"):
        yield Entry(_local(each.at, row.zone), Kind.HELD, run=each.run, reason=each.reason)
        if each.released_at is not None:
            yield Entry(_local(each.released_at, row.zone), Kind.RELEASED, run=each.run)


def _notices() -> ArraySubquery:
    """What the customer of a subscription was told of renewals, as JSON, to be read with it."""
    rows = RenewalNotice.objects.filter(subscription=OuterRef("pk")).order_by("id")
    said = {name: name for name in ("at", "renews_on", "trial", "mailed")}
    return ArraySubquery(rows.values(said=JSONObject(**said)))


def _told(row: Any) -> Iterator[Entry]:
    """When the customer was told of renewals, from what was read with the subscription."""
    for each in row.notices:
        day, until = datetime.fromisoformat(each["at"]), date.fromisoformat(each["renews_on"])
        why = "" if each["mailed"] else _("No mail was sent: the customer has no address for invoices.")
        yield Entry(_local(day, row.zone), Kind.RENEWAL_TOLD, until=until, trial=each["trial"], reason=why)


def _local(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date()


def _grouped(
    kind: Kind, rows: Sequence[Any], items: Mapping[int, SubscriptionItem], *, sign: int
) -> Iterator[Entry]:
    """One entry for each invoice or credit note of a run, with its periods."""
    groups: dict[tuple[int, int | None], list[Any]] = {}
    for each in rows:
        groups.setdefault((each.run_id, each.document_id), []).append(each)
    for group in groups.values():
        spans = [each.period if kind is Kind.COUNTED_ANEW else each for each in group]
        parts = tuple(
            Part(items[each.item_id], span.period_start, span.period_end, sign * each.amount_minor)
            for each, span in zip(group, spans, strict=True)
        )
        yield Entry(group[0].run.as_of, kind, document=group[0].document, run=group[0].run, parts=parts)


def _valued(found: Sequence[Entry], movements: "QuerySet[MrrMovement]", today: date) -> list[Entry]:
    """The entries in order, each with what the subscription is worth a month after its day, and what moved that."""
    moved = {each.day: each for each in movements}
    days, left = sorted(moved), dict(moved)
    told = []
    for each in sorted(found, key=lambda each: (each.day, ORDER[each.kind])):
        own = left.pop(each.day, None) if each.kind not in _OUTCOMES else None
        told.append(replace(each, movement=own))
    told += [Entry(day, Kind.REVENUE, to_come=day > today, movement=own) for day, own in left.items()]
    told.sort(key=lambda each: (each.day, ORDER[each.kind]))
    return [
        replace(
            each, mrr_minor=moved[days[at - 1]].after_minor if (at := bisect_right(days, each.day)) else 0
        )
        for each in told
    ]

"""Billing again what was billed, by the function that billed it: the proof that every past amount can be explained."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import zip_longest
from typing import Any

from django.db.models import BigIntegerField, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from billing.domain.dues import Due, Odd, due_of, dues
from billing.domain.facts import ItemFacts, SubscriptionFacts
from billing.domain.lines import line_of, unused_minor
from billing.domain.proration import MIDNIGHT
from billing.granted import shares, shares_of
from billing.models import BilledPeriod, CorrectedPeriod, CreditedPeriod, Subscription
from billing.selectors import subscription_facts, with_usage
from billing.services.mrr import MrrDifference, differing
from core.periods import Period
from core.scope import work

BATCH = 500


@dataclass(frozen=True, slots=True)
class Difference:
    """A billed period that would be billed otherwise today; minor units with all corrections, `would` None where
    nothing would be.
    """

    subscription: str
    item: str
    start: date
    end: date
    billed_minor: int
    would: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Replay:
    """How many periods were billed again, where that came to something else, and where movements of MRR would."""

    periods: int
    differences: list[Difference]
    mrr: list[MrrDifference]


def replay_billing(*, batch: int = BATCH) -> Replay:
    """Bill every billed period of the organization again, work its movements of monthly recurring revenue out again,
    and compare. Opens its own transactions, writes nothing.
    """
    found: list[Difference] = []
    mrr: list[MrrDifference] = []
    count = last = 0
    while True:
        with work():
            rows = Subscription.objects.filter(pk__gt=last).order_by("pk")
            ids = list(rows.values_list("pk", flat=True)[:batch])
            if not ids:
                return Replay(count, found, mrr)
            facts = subscription_facts(ids)
            periods, differences = _replay(facts)
            mrr += differing(facts)
        count, last = count + periods, ids[-1]
        found += differences


def _replay(subscriptions: Sequence[SubscriptionFacts]) -> tuple[int, list[Difference]]:
    billed: dict[int, list[BilledPeriod]] = defaultdict(list)
    ids = [each.subscription_id for each in subscriptions]
    changed = CorrectedPeriod.objects.filter(period=OuterRef("pk")).order_by().values("period")
    more = Subquery(changed.values(sum=Sum("difference_minor")))
    rows = BilledPeriod.objects.filter(subscription__in=ids).order_by("period_start")
    for row in rows.annotate(
        more=Coalesce(more, 0, output_field=BigIntegerField()), shared=shares_of(OuterRef("pk"))
    ):
        row.amount_minor += row.more
        billed[row.item_id].append(row)
    credited: dict[int, list[CreditedPeriod]] = defaultdict(list)
    for back in CreditedPeriod.objects.filter(subscription__in=ids).order_by("-period_start"):
        credited[back.period_id].append(back)
    last = max((row.period_end for rows in billed.values() for row in rows), default=date.min)
    again = [_from_the_start(facts, billed) for facts in subscriptions]
    found = [
        each
        for facts in with_usage(again, last, most=None)
        for item in facts.items
        for each in (
            *_differences(facts, item, billed[item.item_id]),
            *_credits(facts, item, billed[item.item_id], credited),
        )
    ]
    return sum(len(rows) for rows in billed.values()), found


def _from_the_start(
    facts: SubscriptionFacts, billed: Mapping[int, Sequence[BilledPeriod]]
) -> SubscriptionFacts:
    """The facts as if nothing had been billed. What was billed beyond its end was, before that was known, its end."""
    items = []
    for item in facts.items:
        rows = billed.get(item.item_id)
        end = facts.end_of(item)
        until = MIDNIGHT if end is None else facts.goes_on_to(item, end)
        if end is not None and rows and end <= rows[-1].period_end:
            end, until = rows[-1].period_end, rows[-1].until
        items.append(
            replace(item, billed_through=item.starts_on, credited=False, ends_on=end, ends_time=until)
        )
    return replace(facts, items=tuple(items), ends_on=None)


def _credits(
    facts: SubscriptionFacts,
    item: ItemFacts,
    billed: Sequence[Any],
    credited: Mapping[int, Sequence[CreditedPeriod]],
) -> Iterator[Difference]:
    """Where the unused days of a billed period come to something else today."""
    for row in billed:
        taken = 0
        span = Period(row.period_start, row.period_end)
        due = due_of(facts, item, span, until=row.until, shares=shares(row.shared, facts.currency))
        for back in credited.get(row.pk, ()):
            part = Period(back.period_start, back.period_end)
            unused = unused_minor(facts.currency, due, Period(part.start, row.period_end), back.since)
            would = max(0, min(unused, row.amount_minor) - taken)
            taken += would
            if would != back.unused_minor:
                yield Difference(
                    facts.public_id, item.public_id, part.start, part.end, -back.unused_minor, -would,
                    "The unused days would be credited otherwise.",
                )  # fmt: skip


def _differences(
    facts: SubscriptionFacts, item: ItemFacts, rows: Sequence[BilledPeriod]
) -> Iterator[Difference]:
    again = dues(facts, item)
    for row, due in zip_longest(rows, (each for each, _row in zip(again, rows, strict=False))):
        would, why = _again(facts, due, row)
        if would != row.amount_minor or why:
            yield Difference(
                facts.public_id,
                item.public_id,
                row.period_start,
                row.period_end,
                row.amount_minor,
                would,
                why,
            )


def _again(facts: SubscriptionFacts, due: Due | None, row: Any) -> tuple[int | None, str]:
    """What a billed period comes to today, and what else is different about it."""
    if due is None:
        return None, "Nothing would be billed."
    if (due.span.start, due.span.end) != (row.period_start, row.period_end):
        return None, f"{due.span.start} to {due.span.end} would be billed."
    try:
        had = shares(row.shared, facts.currency)
        again = due_of(facts, due.item, due.span, due.whole, until=due.until, shares=had)
        return line_of(facts.currency, again).amount_minor, ""
    except Odd as odd:
        return None, str(odd)

"""Billing again what was billed, by the function that billed it: the proof that every past amount can be explained."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import zip_longest

from billing.domain.charges import Due, ItemFacts, Odd, SubscriptionFacts, dues, line_of
from billing.models import BilledPeriod, Subscription
from billing.selectors import subscription_facts, with_usage
from core.scope import work

BATCH = 500


@dataclass(frozen=True, slots=True)
class Difference:
    """A billed period that would be billed otherwise today; minor units, `would` None where nothing would be."""

    subscription: str
    item: str
    start: date
    end: date
    billed_minor: int
    would: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Replay:
    """How many periods were billed again, and where that came to something else."""

    periods: int
    differences: list[Difference]


def replay_billing(*, batch: int = BATCH) -> Replay:
    """Bill every billed period of the organization again and compare. Opens its own transactions, writes nothing."""
    found: list[Difference] = []
    count = last = 0
    while True:
        with work():
            rows = Subscription.objects.filter(pk__gt=last).order_by("pk")
            ids = list(rows.values_list("pk", flat=True)[:batch])
            if not ids:
                return Replay(count, found)
            periods, differences = _replay(ids)
        count, last = count + periods, ids[-1]
        found += differences


def _replay(subscription_ids: Sequence[int]) -> tuple[int, list[Difference]]:
    billed: dict[int, list[BilledPeriod]] = defaultdict(list)
    for row in BilledPeriod.objects.filter(subscription__in=subscription_ids).order_by("period_start"):
        billed[row.item_id].append(row)
    last = max((row.period_end for rows in billed.values() for row in rows), default=date.min)
    again = [_from_the_start(facts) for facts in subscription_facts(subscription_ids)]
    found = [
        each
        for facts in with_usage(again, last, most=None)
        for item in facts.items
        for each in _differences(facts, item, billed[item.item_id])
    ]
    return sum(len(rows) for rows in billed.values()), found


def _from_the_start(facts: SubscriptionFacts) -> SubscriptionFacts:
    """The facts as if nothing had been billed."""
    return replace(facts, items=tuple(replace(item, billed_through=item.starts_on) for item in facts.items))


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


def _again(facts: SubscriptionFacts, due: Due | None, row: BilledPeriod) -> tuple[int | None, str]:
    """What a billed period comes to today, and what else is different about it."""
    if due is None:
        return None, "Nothing would be billed."
    if (due.span.start, due.span.end) != (row.period_start, row.period_end):
        return None, f"{due.span.start} to {due.span.end} would be billed."
    try:
        return line_of(facts.currency, due).amount_minor, ""
    except Odd as odd:
        return None, str(odd)

"""Movements of monthly recurring revenue, kept equal to what the contracts of subscriptions say."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from billing.domain.facts import SubscriptionFacts
from billing.domain.mrr import Move, Movement, movements
from billing.models import MrrMovement, Subscription
from billing.selectors import subscription_facts
from core import bulk
from core.locks import lock
from core.scope import work

FILL = "billing.mrr"
"""The effect that writes the movements of all subscriptions; its payload is empty."""
BATCH = 500


@dataclass(frozen=True, slots=True)
class MrrDifference:
    """A day on which a stored movement is another than the contract's; None where one of the two has none."""

    subscription: str
    day: date
    stored: Movement | None
    would: Movement | None


def keep_movements(facts: Sequence[SubscriptionFacts]) -> int:
    """Make the stored movements of subscriptions, locked by the caller, those of their contracts. Inside work().

    At most four statements for any number; says how many movements were other. Natural key: subscription and day. What
    was stored and is not any more leaves the table, because nothing came of it; the audit has it.
    """
    stored = _stored(facts)
    gone, other, fresh = [], [], []
    for each, day, row, would in _pairs(facts, stored):
        if row is not None and would is None:
            gone.append(row.pk)
        elif row is not None and would is not None and _of(row) != would:
            other.append({"id": row.pk, **_columns(would)})
        elif row is None and would is not None:
            fresh.append(MrrMovement(
                subscription_id=each.subscription_id, currency=each.currency, day=day, **_columns(would)
            ))  # fmt: skip
    if gone:
        MrrMovement.objects.filter(pk__in=gone).delete()
    bulk.update(MrrMovement, other)
    MrrMovement.objects.bulk_create(fresh)
    return len(gone) + len(other) + len(fresh)


def differing(facts: Sequence[SubscriptionFacts]) -> list[MrrDifference]:
    """Where stored movements are others than the contracts'; one statement. Inside work()."""
    return [
        MrrDifference(each.public_id, day, None if row is None else _of(row), would)
        for each, day, row, would in _pairs(facts, _stored(facts))
        if row is None or would is None or _of(row) != would
    ]


def fill_movements(*, batch: int = BATCH) -> int:
    """Write the movements of all subscriptions where they are missing or others; says how many. Opens its own
    transactions; what is right already stays, so it may come again.
    """
    written = last = 0
    while True:
        with work():
            rows = lock(Subscription.objects.filter(pk__in=_after(last, batch)))
            if not rows:
                return written
            written += keep_movements(subscription_facts([row.pk for row in rows]))
        last = rows[-1].pk


def _after(last: int, batch: int) -> list[int]:
    return list(Subscription.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:batch])


def _stored(facts: Sequence[SubscriptionFacts]) -> dict[int, dict[date, MrrMovement]]:
    found: dict[int, dict[date, MrrMovement]] = defaultdict(dict)
    for row in MrrMovement.objects.filter(subscription__in=[each.subscription_id for each in facts]):
        found[row.subscription_id][row.day] = row
    return found


def _pairs(
    facts: Sequence[SubscriptionFacts], stored: dict[int, dict[date, MrrMovement]]
) -> Iterator[tuple[SubscriptionFacts, date, MrrMovement | None, Movement | None]]:
    """What is stored and what the contract says, day by day."""
    for each in facts:
        rows = stored[each.subscription_id]
        wanted = {movement.day: movement for movement in movements(each)}
        for day in sorted({*rows, *wanted}):
            yield each, day, rows.get(day), wanted.get(day)


def _of(row: MrrMovement) -> Movement:
    return Movement(row.day, Move(row.kind), row.delta_minor, row.after_minor)


def _columns(movement: Movement) -> dict[str, object]:
    return {
        "kind": str(movement.kind),
        "delta_minor": movement.delta_minor,
        "after_minor": movement.after_minor,
    }

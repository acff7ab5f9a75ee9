"""Reads of billing: the facts a run prices, and what pages show."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from django.db.models import F, QuerySet

from billing.domain.charges import Charge, Model, Odd, SubscriptionFacts, charge
from billing.models import BilledPeriod, Subscription
from core.periods import Unit
from ledger.selectors import closed_entities
from tenants.selectors import entity_facts

NAMED = 5
"""Subscriptions named in a sentence."""

_FACTS = (
    "id", "public_id", "customer_id", "quantity", "anchor", "next_index", "zone", "ends_on", "autopay",
    "customer__entity_id", "customer__terms_days", "customer__archived_at",
    "price__plan__name", "price__model", "price__currency",
    "price__unit_price", "price__tax_percent", "price__unit", "price__every",
)  # fmt: skip


def subscription_facts(subscription_ids: Sequence[int]) -> list[SubscriptionFacts]:
    """What pricing needs, in order of id, two queries. Inside work()."""
    billed = defaultdict(set)
    unbilled = BilledPeriod.objects.filter(
        subscription_id__in=subscription_ids, period_start__gte=F("subscription__next_bill_on")
    )
    for subscription_id, start in unbilled.values_list("subscription_id", "period_start"):
        billed[subscription_id].add(start)
    rows = Subscription.objects.filter(pk__in=subscription_ids).order_by("pk").values(*_FACTS)
    return [
        SubscriptionFacts(
            subscription_id=row["id"],
            public_id=row["public_id"],
            customer_id=row["customer_id"],
            entity_id=row["customer__entity_id"],
            plan=row["price__plan__name"],
            model=Model(row["price__model"]),
            currency=row["price__currency"],
            unit_price=row["price__unit_price"].normalize(),
            quantity=row["quantity"].normalize(),
            tax_percent=row["price__tax_percent"],
            unit=Unit(row["price__unit"]),
            every=row["price__every"],
            anchor=row["anchor"],
            next_index=row["next_index"],
            zone=row["zone"],
            ends_on=row["ends_on"],
            terms_days=row["customer__terms_days"],
            autopay=row["autopay"],
            customer_archived=row["customer__archived_at"] is not None,
            billed_starts=billed[row["id"]],
        )
        for row in rows
    ]


def due(as_of: date) -> "QuerySet[Subscription]":
    """Subscriptions with something to bill by a local date, in order of id. Inside work()."""
    found: QuerySet[Subscription] = Subscription.objects.filter(
        state="active", held_at=None, next_bill_on__lte=as_of
    )
    return found.order_by("id")


def still_billed(customer_id: int) -> str:
    """Why a customer cannot be archived: the subscriptions that are still billed, or nothing. Inside work()."""
    live = Subscription.objects.filter(customer_id=customer_id, state="active")
    rows = live.order_by("id").values_list("price__plan__name", "anchor", "public_id")[:NAMED]
    named = ", ".join(f"{plan} since {anchor} ({public_id})" for plan, anchor, public_id in rows)
    return f"It is still billed for {named}. End that first." if named else ""


def billable(as_of: date) -> "QuerySet[Subscription]":
    """What is due of legal entities whose books of the day are open, in order of id. Inside work()."""
    closed = closed_entities(as_of)
    return due(as_of).exclude(customer__entity_id__in=closed) if closed else due(as_of)


def closed_books(as_of: date) -> str:
    """Why something that is due cannot be billed as of a day: whose books are closed; or nothing. Inside work()."""
    closed = closed_entities(as_of)
    waiting = due(as_of).filter(customer__entity_id__in=closed) if closed else due(as_of).none()
    names = entity_facts() if closed else {}
    return " ".join(
        f"The books of {names[pk].snapshot['name']} are closed through {closed[pk]}."
        for pk in sorted(set(waiting.values_list("customer__entity_id", flat=True)))
    )


def priced(
    facts: Sequence[SubscriptionFacts], as_of: date
) -> tuple[list[Charge], list[tuple[SubscriptionFacts, str]]]:
    """Each subscription's charge, and those that cannot be billed with the reason. Pure."""
    charges, odd = [], []
    for each in facts:
        try:
            charges.append(charge(each, as_of))
        except Odd as reason:
            odd.append((each, str(reason)))
    return charges, odd


def preview(as_of: date, *, limit: int = 1000) -> tuple[list[Charge], list[tuple[SubscriptionFacts, str]]]:
    """What a run for `as_of` would bill now, by the run's own function, writing nothing. Inside work()."""
    return priced(subscription_facts(list(billable(as_of).values_list("id", flat=True)[:limit])), as_of)

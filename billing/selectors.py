"""Reads of billing: the facts a run prices, and what pages show."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import groupby, islice, takewhile
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from billing.domain.charges import (
    MAX_PERIODS,
    Charge,
    Due,
    ItemFacts,
    Odd,
    SubscriptionFacts,
    Timing,
    Used,
    charge,
    dues,
)
from billing.domain.pricing import Terms
from billing.domain.terms import kept_terms
from billing.models import ONCE, PLAN, BilledPeriod, Subscription, SubscriptionItem
from billing.usage import Asked, usage_of, values_of
from core.periods import Unit, local_midnight
from ledger.selectors import closed_entities
from tenants.selectors import entity_facts

NAMED = 5
"""Subscriptions named in a sentence."""

_OF = "subscription__"
_FACTS = (
    "id", "public_id", "quantity", "starts_on", "ends_on", "billed_through", "role", "price_id",
    "price__plan__name", "price__model", "price__unit_price", "price__terms", "price__tax_percent",
    "price__unit", "price__every", "price__timing", "price__currency", "price__meter_id",
    *(f"{_OF}{name}" for name in (
        "id", "public_id", "customer_id", "anchor", "zone", "ends_on", "autopay",
        "customer__entity_id", "customer__terms_days", "customer__archived_at",
    )),
)  # fmt: skip


def subscription_facts(subscription_ids: Sequence[int]) -> list[SubscriptionFacts]:
    """What pricing needs, in order of id, one query. Inside work()."""
    last = BilledPeriod.objects.filter(item=OuterRef("pk")).order_by("-period_start").values("period_end")[:1]
    rows = (
        SubscriptionItem.objects.filter(subscription_id__in=subscription_ids)
        .annotate(billed_through=Coalesce(Subquery(last), "starts_on"))
        .order_by("subscription_id", "pk")
        .values(*_FACTS)
    )
    terms: dict[int, Terms] = {}
    return [
        _subscription(sorted(items, key=lambda row: row["role"] != PLAN), terms)
        for _, items in groupby(rows, key=lambda row: row["subscription__id"])
    ]


def facts_to_bill(subscription_ids: Sequence[int], as_of: date) -> list[SubscriptionFacts]:
    """What pricing needs to bill all that is due by a local date, also what meters counted. Inside work().

    One query; where something is metered as many more as `usage_of` and `values_of` take, however much it is.
    """
    return with_usage(subscription_facts(subscription_ids), as_of)


def with_usage(
    facts: Sequence[SubscriptionFacts], as_of: date, *, most: int | None = MAX_PERIODS + 1
) -> list[SubscriptionFacts]:
    """The facts with what their meters counted in the periods that are due by a local date. Inside work().

    `most` periods of an item at the most; None for all that there are.
    """
    asked = {
        (item.item_id, due.span.start): (item, _asked(each, item, due))
        for each in facts
        for item in each.items
        if item.meter_id is not None
        for due in takewhile(lambda due: due.on <= as_of, islice(dues(each, item), most))
    }
    if not asked:
        return list(facts)
    # A zone may have left a day out, as islands beside the date line did: nothing was used on it.
    figures = usage_of([one for _, one in asked.values() if one.start < one.end])
    values = values_of([one for item, one in asked.values() if item.terms.by_event])
    used: dict[int, dict[date, Used]] = defaultdict(dict)
    for (item_id, start), (_, one) in asked.items():
        used[item_id][start] = Used(figures.get(one, Decimal(0)), values.get(one))
    return [
        replace(each, items=tuple(replace(item, used=used.get(item.item_id, {})) for item in each.items))
        for each in facts
    ]


def _asked(facts: SubscriptionFacts, item: ItemFacts, due: Due) -> Asked:
    start, end = (local_midnight(day, facts.zone) for day in (due.span.start, due.span.end))
    return Asked(facts.subscription_id, item.meter_id or 0, start, end)


def _subscription(rows: Sequence[Mapping[str, Any]], terms: dict[int, Terms]) -> SubscriptionFacts:
    """The facts of the subscription that these items are of. `terms` keeps what was read of a price."""
    row = {name.removeprefix(_OF): value for name, value in rows[0].items() if name.startswith(_OF)}
    return SubscriptionFacts(
        subscription_id=row["id"],
        public_id=row["public_id"],
        customer_id=row["customer_id"],
        entity_id=row["customer__entity_id"],
        currency=rows[0]["price__currency"],
        anchor=row["anchor"],
        zone=row["zone"],
        ends_on=row["ends_on"],
        terms_days=row["customer__terms_days"],
        autopay=row["autopay"],
        items=tuple(_item(each, terms) for each in rows),
        customer_archived=row["customer__archived_at"] is not None,
    )


def _item(row: Mapping[str, Any], terms: dict[int, Terms]) -> ItemFacts:
    price = row["price_id"]
    if price not in terms:
        terms[price] = kept_terms(row["price__model"], row["price__unit_price"], row["price__terms"])
    return ItemFacts(
        item_id=row["id"],
        public_id=row["public_id"],
        name=row["price__plan__name"],
        terms=terms[price],
        quantity=row["quantity"].normalize(),
        tax_percent=row["price__tax_percent"],
        unit=None if row["price__unit"] == ONCE else Unit(row["price__unit"]),
        every=row["price__every"],
        timing=Timing(row["price__timing"]),
        starts_on=row["starts_on"],
        ends_on=row["ends_on"],
        billed_through=row["billed_through"],
        price_id=price,
        is_plan=row["role"] == PLAN,
        meter_id=row["price__meter_id"],
    )


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
    return priced(facts_to_bill(list(billable(as_of).values_list("id", flat=True)[:limit]), as_of), as_of)

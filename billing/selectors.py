"""Reads of billing: the facts a run prices, and what pages show."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import chain, groupby, islice, takewhile
from typing import Any

from django.db.models import (
    BigIntegerField,
    OuterRef,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import Coalesce

from billing.domain.charges import MAX_PERIODS, Charge, charge
from billing.domain.dues import Due, Odd, due_of, dues, unused_from
from billing.domain.facts import Billed, ItemFacts, SubscriptionFacts, Timing, Used
from billing.domain.pricing import Terms
from billing.domain.proration import Proration
from billing.domain.terms import kept_terms
from billing.domain.usage import Aggregation
from billing.granted import belongs, discount, discounts_of, shares, shares_of
from billing.late import late, late_of, with_recounts
from billing.models import (
    ONCE,
    PLAN,
    BilledPeriod,
    CreditedPeriod,
    LateUsage,
    Subscription,
    SubscriptionItem,
)
from billing.usage import Asked, usage_of, values_of
from core import clock
from core.periods import Period, local_midnight, unit_of
from core.scope import current
from ledger.selectors import closed_entities
from tenants.selectors import entity, entity_facts

NAMED = 5
"""Subscriptions named in a sentence."""

_OF = "subscription__"
_FACTS = (
    "id", "public_id", "quantity", "starts_on", "starts_time", "ends_on", "ends_time", "back", "through", "discounts",
    "late", "role", "price_id",
    "price__plan__name", "price__plan__code", "price__plan__product__code", "price__plan__products_before",
    "price__plan__deposit_percent", "price__model", "price__unit_price", "price__terms", "price__tax_percent",
    "price__unit", "price__dates", "price__every", "price__timing", "price__currency", "price__meter_id",
    "price__meter__aggregation",
    *(f"{_OF}{name}" for name in (
        "id", "public_id", "customer_id", "anchor", "proration", "zone", "ends_on", "ends_time", "paused_on",
        "resumes_on", "refund", "autopay",
        "customer__entity_id", "customer__entity__zone",
        "customer__terms_days", "customer__archived_at", "customer__one_invoice",
        "customer__deposit_percent",
    )),
)  # fmt: skip


def subscription_facts(subscription_ids: Sequence[int]) -> list[SubscriptionFacts]:
    """What pricing needs, in order of id, one query. Inside work()."""
    rows = _facts_of(current().organization_id).filter(subscription_id__in=subscription_ids)
    terms: dict[int, Terms] = {}
    return [
        _subscription(sorted(items, key=_in_order), terms)
        for _, items in groupby(rows, key=lambda row: row["subscription__id"])
    ]


@lru_cache(maxsize=256)
def _facts_of(_organization_id: int) -> "QuerySet[SubscriptionItem, dict[str, Any]]":
    """Items as pricing needs them: built once for each organization, which takes as long as to read by it."""
    last = BilledPeriod.objects.filter(item=OuterRef("pk")).order_by("-period_start").values("period_end")[:1]
    back = CreditedPeriod.objects.filter(item=OuterRef("pk")).order_by("period_start").values("period_start")
    return (
        SubscriptionItem.objects.annotate(
            back=Subquery(back[:1]),
            through=Coalesce("back", Subquery(last), "starts_on"),
            discounts=discounts_of(OuterRef("subscription_id")),
            late=late_of(OuterRef("subscription_id"), OuterRef("price__meter_id")),
        )
        .order_by("subscription_id", "pk")
        .values(*_FACTS)
    )


def _in_order(row: Mapping[str, Any]) -> tuple[bool, date]:
    """The order of lines: the plan by day, then what is beside it as it was added."""
    is_plan = row["role"] == PLAN
    return not is_plan, row["starts_on"] if is_plan else date.min


def facts_to_bill(subscription_ids: Sequence[int], as_of: date) -> list[SubscriptionFacts]:
    """What pricing needs to bill or credit all that is due by a local date, also what meters counted. Inside work().

    One query; where something is metered as many more as `usage_of` and `values_of` take, however much it is, one where
    something ended that is billed beyond its end, and one where usage came after its period was billed.
    """
    return to_bill(subscription_facts(subscription_ids), as_of)


def to_bill(facts: Sequence[SubscriptionFacts], as_of: date) -> list[SubscriptionFacts]:
    """The facts with what else is needed to bill or credit all that is due by a local date. Inside work()."""
    return with_usage(with_recounts(with_billed(facts)), as_of)


def with_billed(facts: Sequence[SubscriptionFacts]) -> list[SubscriptionFacts]:
    """The facts with what was billed of items beyond their end and is not all taken back yet. Inside work()."""
    ended = {
        item.item_id: day
        for each in facts
        for item in each.items
        if (day := unused_from(each, item)) is not None
    }
    if not ended:
        return list(facts)
    currencies = {item.item_id: each.currency for each in facts for item in each.items}
    taken = CreditedPeriod.objects.filter(period=OuterRef("pk")).order_by("period_start")
    rows = (
        BilledPeriod.objects.filter(item__in=ended)
        .annotate(
            to=Coalesce(Subquery(taken.values("period_start")[:1]), "period_end"),
            back=Coalesce(Subquery(_sum_of(taken, "unused_minor")), 0, output_field=BigIntegerField()),
            shared=shares_of(OuterRef("pk")),
        )
        .order_by("item_id", "period_start")
    )
    found: dict[int, list[Billed]] = defaultdict(list)
    for row in rows:
        if row.to > max(ended[row.item_id], row.period_start):
            span = Period(row.period_start, row.period_end)
            had = shares(row.shared, currencies[row.item_id])
            found[row.item_id].append(
                Billed(row.pk, row.document_id, span, row.amount_minor, row.to, row.back, row.until, had)
            )
    return [
        replace(
            each, items=tuple(replace(item, billed=tuple(found.get(item.item_id, ()))) for item in each.items)
        )
        for each in facts
    ]


def _sum_of(rows: "QuerySet[Any]", column: str) -> "QuerySet[Any]":
    return rows.order_by().values("period").annotate(sum=Sum(column)).values("sum")


def with_usage(
    facts: Sequence[SubscriptionFacts], as_of: date, *, most: int | None = MAX_PERIODS + 1
) -> list[SubscriptionFacts]:
    """The facts with what their meters counted in the periods that are due by a local date, and in those that are
    looked at again. Inside work().

    `most` periods of an item at the most; None for all that there are.
    """
    asked = {
        (item.item_id, due.span.start): (item, _asked(each, item, due))
        for each in facts
        for item in each.items
        if item.meter_id is not None
        for due in chain(
            takewhile(lambda due: due.on <= as_of, islice(dues(each, item), most)),
            (due_of(each, item, again.span) for again in item.recounts),
        )
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
        proration=Proration(row["proration"]),
        paused=row["paused_on"] is not None and row["resumes_on"] is None,
        refund=row["refund"],
        ends_time=row["ends_time"],
        discounts=tuple(discount(each) for each in rows[0]["discounts"]),
        one_invoice=row["customer__one_invoice"],
        deposit_percent=row["customer__deposit_percent"],
        seller_zone=row["customer__entity__zone"],
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
        unit=None if row["price__unit"] == ONCE else unit_of(row["price__unit"], row["price__dates"]),
        every=row["price__every"],
        timing=Timing(row["price__timing"]),
        starts_on=row["starts_on"],
        ends_on=row["ends_on"],
        starts_time=row["starts_time"],
        ends_time=row["ends_time"],
        billed_through=row["through"],
        credited=row["back"] is not None,
        price_id=price,
        is_plan=row["role"] == PLAN,
        plan=row["price__plan__code"],
        belongs=belongs(row["price__plan__product__code"], row["price__plan__products_before"]),
        meter_id=row["price__meter_id"],
        level=row["price__meter__aggregation"] == Aggregation.WEIGHTED_SUM,
        late=late(row["late"]),
        deposit_percent=row["price__plan__deposit_percent"],
    )


def due(as_of: date) -> "QuerySet[Subscription]":
    """Subscriptions with something to bill by a local date, in order of id. Inside work().

    Of a day that has begun for the legal entity only those for which it has begun, too: a day is not billed, nor what
    was used on the one before, while it goes on in the subscription's zone. Of a day to come all.
    """
    found: QuerySet[Subscription] = Subscription.objects.filter(
        state="active", held_at=None, next_bill_on__lte=as_of
    )
    if as_of <= clock.today(entity().zone):
        found = found.filter(next_bill_at__lte=clock.now())
    return found.order_by("id")


def due_again(as_of: date) -> "QuerySet[Subscription]":
    """Subscriptions whose late usage is billed by a local date though no bill of theirs came first, in order of id.

    Inside work().
    """
    found: QuerySet[Subscription] = Subscription.objects.filter(
        held_at=None, pk__in=LateUsage.objects.filter(due_on__lte=as_of).values("subscription_id")
    )
    return found.order_by("id")


def still_billed(customer_id: int) -> str:
    """Why a customer cannot be archived: the subscriptions that are still billed, or nothing. Inside work()."""
    ours = Subscription.objects.filter(customer_id=customer_id)
    if named := _named(ours.filter(state="active")):
        return f"It is still billed for {named}. End that first."
    named = _named(ours.filter(pk__in=LateUsage.objects.values("subscription_id")))
    return f"Usage that came late is still to be billed for {named}. A run comes for it." if named else ""


def _named(rows: "QuerySet[Subscription]") -> str:
    said = rows.order_by("id").values_list("price__plan__name", "starts_on", "public_id")[:NAMED]
    return ", ".join(f"{plan} since {since} ({public_id})" for plan, since, public_id in said)


def billable(as_of: date) -> "QuerySet[Subscription]":
    """What is due of legal entities whose books of the day are open, in order of id. Inside work()."""
    return _open(due(as_of), as_of)


def billable_again(as_of: date) -> "QuerySet[Subscription]":
    """What is due again of legal entities whose books of the day are open, in order of id. Inside work()."""
    return _open(due_again(as_of), as_of)


def _open(rows: "QuerySet[Subscription]", as_of: date) -> "QuerySet[Subscription]":
    closed = closed_entities(as_of)
    return rows.exclude(customer__entity_id__in=closed) if closed else rows


def closed_books(as_of: date) -> str:
    """Why something that is due cannot be billed as of a day: whose books are closed; or nothing. Inside work()."""
    closed = closed_entities(as_of)
    if not closed:
        return ""
    names, waiting = entity_facts(), set()
    for rows in (due(as_of), due_again(as_of)):
        found = rows.filter(customer__entity_id__in=closed)
        waiting |= set(found.values_list("customer__entity_id", flat=True))
    return " ".join(
        f"The books of {names[pk].snapshot['name']} are closed through {closed[pk]}."
        for pk in sorted(waiting)
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
    ids = list(billable(as_of).values_list("id", flat=True)[:limit])
    if len(ids) < limit:
        known = set(ids)
        again = billable_again(as_of).values_list("id", flat=True)[:limit]
        ids += [pk for pk in again if pk not in known][: limit - len(ids)]
    return priced(facts_to_bill(ids, as_of), as_of)

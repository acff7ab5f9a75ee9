"""Billing's lists and figures for pages."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Least

from billing.counted import corrected_sums
from billing.domain.dues import dues
from billing.domain.facts import SubscriptionFacts
from billing.models import (
    BilledPeriod,
    BillingRun,
    CorrectedPeriod,
    HeldSubscription,
    Plan,
    Price,
    Subscription,
    SubscriptionItem,
    SubscriptionStep,
    in_order,
)
from billing.selectors import (
    due,
    due_again,
    subscription_facts,
)
from billing.standing import standing
from core.errors import NotFound
from core.money import Money
from core.paging import Order
from receivables.listing import first_due

NEWEST = Order("pk", int, descending=True)


def plans(*, product: str = "") -> list[tuple[Plan, list[Price]]]:
    """Plans with their prices, each plan's by currency; two queries. Inside work().

    By product and name, those of no product last; with `product`, a code, those of that one.
    """
    prices: dict[int, list[Price]] = defaultdict(list)
    its_own = Price.objects.filter(overrides=None)
    if product:
        its_own = its_own.filter(plan__product__code=product)
    for price in its_own.order_by("currency", "id"):
        prices[price.plan_id].append(price)
    in_order = plan_rows(product=product).order_by(
        F("product__name").asc(nulls_last=True), "product_id", "name", "id"
    )
    return [(plan, prices[plan.pk]) for plan in in_order]


def subscribed() -> dict[int, int]:
    """Number of live subscriptions that bill something at a price, by its id. Inside work()."""
    rows = live_items().values_list("price_id").annotate(n=Count("subscription_id", distinct=True))
    return dict(rows.order_by())


def plan_names(public_ids: Iterable[str]) -> dict[str, str]:
    """What subscriptions are called by public id: the names of their plans. One query, inside work()."""
    found = Subscription.objects.filter(public_id__in=list(public_ids))
    return dict(found.values_list("public_id", "price__plan__name"))


def live_items() -> "QuerySet[SubscriptionItem]":
    """Items that live subscriptions bill. Inside work()."""
    in_force = Q(ends_on=None) | Q(ends_on__gte=F("subscription__next_bill_on"), ends_on__gt=F("starts_on"))
    found: QuerySet[SubscriptionItem] = SubscriptionItem.objects.filter(
        in_force, subscription__state="active"
    )
    return found


def price(public_id: str) -> Price:
    """The price with this public id; raises NotFound. Inside work()."""
    found = (
        Price.objects.select_related("plan__product", "replaced_by", "meter", "overrides")
        .filter(public_id=public_id)
        .first()
    )
    if found is None:
        raise NotFound("That price is not here.")
    return found


def price_rows(*, plan: str = "", product: str = "", currency: str = "") -> "QuerySet[Price]":
    """Prices with their plans, those of a plan or product (codes) and of a currency when they are given. Inside work().

    What was agreed for single subscriptions is not among them.
    """
    exact = {"plan__code": plan, "plan__product__code": product, "currency": currency}
    found: QuerySet[Price] = Price.objects.filter(overrides=None).select_related(
        "plan__product", "replaced_by", "meter"
    )
    return found.filter(**{name: value for name, value in exact.items() if value})


def plan_rows(*, product: str = "") -> "QuerySet[Plan]":
    """All plans with their products, or those of a product (code). Inside work()."""
    found: QuerySet[Plan] = Plan.objects.select_related("product")
    return found.filter(product__code=product) if product else found


def prices(*, currency: str = "") -> list[Price]:
    """Prices that are offered, with their plans, by plan; those of a currency when it is given. Inside work()."""
    found = Price.objects.select_related("plan__product").filter(
        retired_at=None, overrides=None, plan__product__archived_at=None
    )
    wanted = found.filter(currency=currency) if currency else found
    return list(wanted.order_by("plan__name", "currency", "id"))


def subscriptions(
    *, state: str = "", customer: str = "", plan: str = "", today: date | None = None
) -> "QuerySet[Subscription]":
    """Subscriptions that are wanted, with customer and plan, in no order. Inside work().

    A `state` is one as of `today`, a local date; active has also what is held, on trial, to come or past due. Each
    has `unpaid_since`, the day on which the first due of its open invoices was due, without a statement of its own.
    """
    unpaid = (
        Subquery(first_due(OuterRef("customer_id"), rows.values("document__public_id")))
        for rows in (
            BilledPeriod.objects.filter(subscription=OuterRef(OuterRef("pk"))),
            CorrectedPeriod.objects.filter(subscription=OuterRef(OuterRef("pk"))),
        )
    )
    found: QuerySet[Subscription] = Subscription.objects.select_related(
        "customer", "price__plan", "price__overrides__plan"
    )
    found = found.annotate(unpaid_since=Least(*unpaid))
    if state and today is not None:
        found = found.filter(standing(state, today))
    if customer:
        found = found.filter(customer__public_id=customer)
    if plan:
        items = SubscriptionItem.objects.filter(subscription=OuterRef("pk"), price__plan__code=plan)
        found = found.filter(Exists(items))
    return found


def subscription(public_id: str, **also: Any) -> Subscription:
    """The subscription with this public id, and whether steps were `said` of it; raises NotFound. Inside work().

    `also` are further expressions that it is asked with.
    """
    said = Exists(SubscriptionStep.objects.filter(subscription=OuterRef("pk")))
    found = subscriptions().annotate(said=said, **also).filter(public_id=public_id).first()
    if found is None:
        raise NotFound("That subscription is not here.")
    return found


def periods(row: Subscription) -> "QuerySet[BilledPeriod]":
    """What was billed of a subscription, with its documents. Inside work()."""
    found: QuerySet[BilledPeriod] = BilledPeriod.objects.filter(subscription=row).select_related(
        "document", "run", "item__price__plan"
    )
    return found


@dataclass(frozen=True, slots=True)
class BilledItem:
    """An item of a subscription with the first day that nothing was billed for yet, and whether more comes."""

    row: SubscriptionItem
    billed_through: date
    live: bool


def item_rows(row: Subscription) -> list[SubscriptionItem]:
    """All items of a subscription, also those that never bill, with their prices. Inside work()."""
    rows = SubscriptionItem.objects.filter(subscription=row)
    return list(rows.select_related("price__plan", "price__meter", "subscription"))


def items(
    row: Subscription,
    facts: SubscriptionFacts | None = None,
    rows: Sequence[SubscriptionItem] | None = None,
) -> list[BilledItem]:
    """What a subscription bills and billed, the plan's by day first, but changes taken back. Inside work().

    Two queries, less when its facts and rows are known.
    """
    if facts is None:
        (facts,) = subscription_facts([row.pk])
    known = {each.item_id: each for each in facts.items}
    found = [
        BilledItem(each, known[each.pk].billed_through, next(dues(facts, known[each.pk]), None) is not None)
        for each in (item_rows(row) if rows is None else rows)
        if each.ends_on != each.starts_on
    ]
    return sorted(found, key=lambda each: in_order(each.row))


def runs() -> "QuerySet[BillingRun]":
    """The organization's runs. Inside work()."""
    found: QuerySet[BillingRun] = BillingRun.objects.all()
    return found


def run(public_id: str) -> BillingRun:
    """The run with this public id; raises NotFound. Inside work()."""
    found = BillingRun.objects.filter(public_id=public_id).first()
    if found is None:
        raise NotFound("That run is not here.")
    return found


@dataclass(frozen=True, slots=True)
class RunFigures:
    """How far a run is. `sums` are (documents, net) by currency."""

    to_go: int
    sums: list[tuple[int, Money]]


def run_figures(row: BillingRun) -> RunFigures:
    """What the run billed by currency and what is left for it, few queries. Inside work()."""
    sums = (
        BilledPeriod.objects.filter(run=row)
        .values("document__currency")
        .annotate(n=Count("document_id", distinct=True), minor=Sum("amount_minor"))
        .order_by("document__currency")
    )
    left = due(row.as_of).count() + due_again(row.as_of).count() if row.state != "done" else 0
    figures = {each["document__currency"]: (each["n"], int(each["minor"])) for each in sums}
    for each in corrected_sums(row):
        n, minor = figures.get(each["document__currency"], (0, 0))
        figures[each["document__currency"]] = n + each["n"], minor + int(each["minor"])
    return RunFigures(left, [(n, Money(minor, code)) for code, (n, minor) in sorted(figures.items())])


def held_by(row: BillingRun) -> list[HeldSubscription]:
    """What the run put aside and nobody has released yet, the first 200. Inside work()."""
    return list(
        HeldSubscription.objects.filter(run=row, subscription__held_at__isnull=False)
        .select_related("subscription__customer", "subscription__price__plan")
        .order_by("id")[:200]
    )


def billed_by(row: BillingRun) -> "QuerySet[BilledPeriod]":
    """What the run billed, with documents and customers. Inside work()."""
    found: QuerySet[BilledPeriod] = BilledPeriod.objects.filter(run=row).select_related(
        "document", "subscription__customer", "subscription__price__plan"
    )
    return found


def plan_codes() -> list[dict[str, Any]]:
    """Code and name of each plan, by name. Inside work()."""
    return list(Plan.objects.order_by("name").values("code", "name"))

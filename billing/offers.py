"""Reads of what customers may change to by themselves."""

from collections import defaultdict
from decimal import Decimal

from django.db.models import Exists, OuterRef, Q

from billing.domain.facts import ItemFacts
from billing.models import ONCE, Plan, PlanOffer, Price
from core.periods import unit_of


def offers(of: Plan) -> list[PlanOffer]:
    """What customers on a plan may change to, in the order those plans were made. Inside work()."""
    return list(PlanOffer.objects.filter(plan=of).select_related("to").order_by("to_id"))


def all_offers() -> dict[int, list[PlanOffer]]:
    """What customers may change to, by the id of the plan they are on; one query. Inside work()."""
    found: dict[int, list[PlanOffer]] = defaultdict(list)
    for row in PlanOffer.objects.select_related("to").order_by("to_id"):
        found[row.plan_id].append(row)
    return found


def may_be_offered(of: Plan) -> list[Plan]:
    """Other plans that have a price to change to, or are offered on it as it is, by name. Inside work()."""
    sold = Price.objects.filter(plan=OuterRef("pk"), retired_at=None, overrides=None).exclude(unit=ONCE)
    there = PlanOffer.objects.filter(plan=of, to=OuterRef("pk"))
    rows = Plan.objects.filter(Q(Exists(sold), product__archived_at=None) | Q(Exists(there)))
    return list(rows.exclude(pk=of.pk).order_by("name", "id"))


def prices_offered(on: ItemFacts, currency: str) -> list[tuple[str, Price]]:
    """When it takes effect, and the price, of all that a plan in force may be changed to; two queries. Inside work().

    Of each plan those in the currency and of the same interval, all others of the currency where there is none. What
    a meter counts is not for another quantity than one.
    """
    rows = PlanOffer.objects.filter(plan__code=on.plan).order_by("to_id")
    effects = dict(rows.values_list("to_id", "takes_effect"))
    if not effects:
        return []
    sold = Price.objects.filter(
        plan__in=effects, currency=currency, retired_at=None, overrides=None, plan__product__archived_at=None
    ).exclude(unit=ONCE)
    by_plan: dict[int, list[Price]] = defaultdict(list)
    for price in sold.select_related("plan__product", "meter").order_by("plan_id", "id"):
        if price.meter_id is None or on.quantity == Decimal(1):
            by_plan[price.plan_id].append(price)
    found = []
    for plan_id, prices in by_plan.items():
        same = [price for price in prices if is_alike(price, on)]
        found += [(effects[plan_id], price) for price in same or prices]
    return found


def is_alike(price: Price, item: ItemFacts) -> bool:
    """Whether a price bills the same periods as an item."""
    return (unit_of(price.unit, price.dates), price.every) == (item.unit, item.every)

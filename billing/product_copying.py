"""Products for the sandbox, which plans belong to them, and did, and what customers may change plans to."""

from collections.abc import Sequence
from typing import Any

from billing.models import Plan, PlanOffer, Product, SubscriptionItem
from billing.offers import offers
from billing.services.offers import Offered, set_plan_offers
from billing.services.products import archive_product, create_product, move_plan
from core.copying import Copier, register


def _products(rows: Sequence[Product]) -> list[dict[str, Any]]:
    return [
        {
            "terms": {"name": row.name, "code": row.code, "description": row.description},
            "archived": row.archived_at is not None,
        }
        for row in rows
    ]


def _write_products(facts: list[dict[str, Any]]) -> int:
    codes = [each["terms"]["code"] for each in facts]
    there = set(Product.objects.filter(code__in=codes).values_list("code", flat=True))
    fresh = [each for each in facts if each["terms"]["code"] not in there]
    for each in fresh:
        made = create_product(**each["terms"])
        if each["archived"]:
            archive_product(made.public_id)
    return len(fresh)


def _plans(rows: Sequence[Plan]) -> list[dict[str, Any]]:
    return [
        {"code": row.code, "product": row.product.code if row.product else "", "before": row.products_before}
        for row in rows
    ]


def _write_plans(facts: list[dict[str, Any]]) -> int:
    """Plans that belong to a product here, or did, keep that. What is subscribed to here is moved, as from today on:
    what was billed of it here was billed without a product."""
    products = {row.code: row for row in Product.objects.all()}
    free = {row.code: row for row in Plan.objects.filter(product=None, products_before=[])}
    sold = set(SubscriptionItem.objects.values_list("price__plan__code", flat=True).distinct())
    made = 0
    for each in facts:
        plan, product = free.get(each["code"]), products.get(each["product"])
        if plan is None:
            continue
        if plan.code not in sold:
            plan.product, plan.products_before = product, each["before"]
            plan.touch("product", "products_before")
        elif product is not None and product.archived_at is None:
            move_plan(plan.public_id, product=product.code)
        else:
            continue
        made += 1
    return made


def _belonging() -> Any:
    return Plan.objects.exclude(product=None, products_before=[]).select_related("product")


def _offers(rows: Sequence[Plan]) -> list[dict[str, Any]]:
    return [
        {"code": row.code, "offers": [Offered(each.to.code, each.takes_effect) for each in offers(row)]}
        for row in rows
    ]


def _write_offers(facts: list[dict[str, Any]]) -> int:
    """Plans that are offered changes of here already keep those."""
    offering = set(PlanOffer.objects.values_list("plan_id", flat=True))
    plans = {row.code: row for row in Plan.objects.filter(code__in=[each["code"] for each in facts])}
    made = 0
    for each in facts:
        plan = plans.get(each["code"])
        if plan is not None and plan.pk not in offering:
            set_plan_offers(plan.public_id, each["offers"], moved_in=True)
            made += 1
    return made


def _offering() -> Any:
    return Plan.objects.filter(pk__in=PlanOffer.objects.values("plan_id"))


register(Copier("products", 5, Product.objects.all, _products, _write_products))
register(Copier("plan_products", 7, _belonging, _plans, _write_plans))
register(Copier("plan_offers", 8, _offering, _offers, _write_offers))

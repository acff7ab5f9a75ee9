"""Products for the sandbox, and which plans belong to them, and did."""

from collections.abc import Sequence
from typing import Any

from billing.models import Plan, Product, SubscriptionItem
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


register(Copier("products", 5, Product.objects.all, _products, _write_products))
register(Copier("plan_products", 7, _belonging, _plans, _write_plans))

"""Reads of products: what belongs to them, who subscribes to it, and what that is worth a month."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q, QuerySet

from billing.listing import live_items, plans
from billing.models import Plan, Price, Product
from billing.revenue import worth_by_plan
from core.errors import NotFound
from core.money import Money


def products() -> "QuerySet[Product]":
    """The organization's products. Inside work()."""
    found: QuerySet[Product] = Product.objects.all()
    return found


def product(name: str) -> Product:
    """The product with this code or id; raises NotFound. Inside work()."""
    found = products().filter(Q(code=name) | Q(public_id=name)).first()
    if found is None:
        raise NotFound("That product is not here.")
    return found


def named(public_ids: Iterable[str]) -> dict[str, str]:
    """The names of products by public id; one query. Inside work()."""
    return dict(products().filter(public_id__in=list(public_ids)).values_list("public_id", "name"))


def product_codes() -> list[dict[str, str]]:
    """Code and name of each product, by name. Inside work()."""
    rows = products().order_by("name", "id").values_list("code", "name")
    return [{"code": code, "name": name} for code, name in rows]


def choices() -> list[Product]:
    """Products that plans may be put into, by name. Inside work()."""
    return list(products().filter(archived_at=None).order_by("name", "id"))


def plan_counts() -> dict[int, int]:
    """How many plans belong to each product, by its id; one query. Inside work()."""
    rows = Plan.objects.exclude(product=None).values_list("product_id")
    return dict(rows.annotate(n=Count("id")).order_by())


def subscribed_to(product: str) -> dict[tuple[int, str], int]:
    """Number of live subscriptions that bill a plan of a product (code), by the plan's id and what it is to them: the
    plan itself, or beside it. Inside work()."""
    rows = live_items().filter(price__plan__product__code=product).values_list("price__plan_id", "role")
    counted = rows.annotate(n=Count("subscription_id", distinct=True)).order_by()
    return {(plan_id, role): n for plan_id, role, n in counted}


@dataclass(frozen=True, slots=True)
class Sold:
    """A plan of a product with its prices, and the recurring revenue of the subscriptions that are on it now."""

    plan: Plan
    prices: list[Price]
    mrr: list[Money]


def sold_as(row: Product, today: date) -> list[Sold]:
    """What belongs to a product, by name; three queries. Inside work().

    Recurring revenue is that of a local date, by currency; an add-on's is with the plan that it is beside.
    """
    worth: dict[int, list[Money]] = defaultdict(list)
    for plan_id, amount in worth_by_plan(today, product=row.code):
        worth[plan_id].append(amount)
    return [Sold(plan, its_prices, worth[plan.pk]) for plan, its_prices in plans(product=row.code)]

"""Products for programs, and which plans belong to them."""

from typing import Any

from billing import features, listing, products
from billing.api.prices import TAG as PLANS
from billing.api.product_outputs import PlanOut, ProductOut
from billing.models import MOST_DESCRIPTION, Plan, Product
from billing.permissions import SUBSCRIPTIONS_CREATE, SUBSCRIPTIONS_EDIT, SUBSCRIPTIONS_VIEW
from billing.services.deposits import set_plan_deposit
from billing.services.products import (
    NAME,
    archive_product,
    change_product,
    create_product,
    move_plan,
    restore_product,
)
from core.api.fields import Flag, In, Text, Whole
from core.api.operations import Api, Call, Listing, operation

TAG = "Products"


class ProductsQuery(In):
    archived = Flag(required=False, help_text="Only those that are, or are not.")


class ProductChangeIn(In):
    name = Text(max_length=NAME)
    description = Text(max_length=MOST_DESCRIPTION, required=False, allow_blank=True)


class ProductIn(ProductChangeIn):
    code = Text(max_length=40, help_text="Letters, digits, dots and dashes. It never changes.")


class PlansQuery(In):
    product = Text(max_length=40, required=False, help_text="Its code.")


class PlanChangeIn(In):
    product = Text(
        max_length=40,
        required=False,
        allow_null=True,
        help_text="Code of the product that it is to belong to; null for none.",
    )
    deposit_percent = Whole(
        min_value=0,
        max_value=100,
        required=False,
        help_text="Of each invoice with it, due on the day of issue; a customer's own goes before it.",
    )


class Products(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, query=ProductsQuery, gives=ProductOut, many=True)
    def get(self, call: Call) -> Listing:
        """List products, the newest first."""
        rows = products.products()
        if "archived" in call.query:
            rows = rows.filter(archived_at__isnull=not call.query["archived"])
        return Listing(rows)

    @operation(SUBSCRIPTIONS_CREATE, takes=ProductIn, gives=ProductOut, status=201)
    def post(self, call: Call) -> Product:
        """Create a product that plans can belong to."""
        return create_product(**call.data)


class OneProduct(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, gives=ProductOut)
    def get(self, call: Call, product: str) -> Product:
        """Get a product, by its code or id."""
        return products.product(product)

    @operation(SUBSCRIPTIONS_EDIT, takes=ProductChangeIn, gives=ProductOut)
    def patch(self, call: Call, product: str) -> Product:
        """Change what a product is called and how it is described."""
        row = products.product(product)
        call.hold(row)
        return change_product(row.public_id, **call.data)


class ProductArchive(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_EDIT, gives=ProductOut)
    def post(self, call: Call, product: str) -> Product:
        """Offer none of a product's plans any more. Who subscribes to one keeps it; again changes nothing."""
        row = products.product(product)
        call.hold(row)
        return archive_product(row.public_id)


class ProductRestore(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_EDIT, gives=ProductOut)
    def post(self, call: Call, product: str) -> Product:
        """Offer the plans of an archived product again. Again changes nothing."""
        row = products.product(product)
        call.hold(row)
        return restore_product(row.public_id)


class Plans(Api):
    tag = PLANS

    @operation(SUBSCRIPTIONS_VIEW, query=PlansQuery, gives=PlanOut, many=True)
    def get(self, call: Call) -> Listing:
        """List plans, the newest first."""
        wanted: dict[str, Any] = {name: call.query[name] for name in ("product",) if name in call.query}
        return Listing(listing.plan_rows(**wanted))


class OnePlan(Api):
    tag = PLANS

    @operation(SUBSCRIPTIONS_VIEW, gives=PlanOut)
    def get(self, call: Call, plan: str) -> Plan:
        """Get a plan, by its code or id."""
        return features.plan(plan)

    @operation(SUBSCRIPTIONS_EDIT, takes=PlanChangeIn, gives=PlanOut)
    def patch(self, call: Call, plan: str) -> Plan:
        """Let a plan belong to another product or to none, or have another deposit asked for with it.

        Where discounts of the old or the new product were given, they go by it from the first day that has begun
        nowhere yet: what is billed stays explained.
        """
        row = features.plan(plan)
        call.hold(row)
        if "product" in call.data:
            row = move_plan(row.public_id, product=call.data["product"] or "")
        if "deposit_percent" in call.data:
            row = set_plan_deposit(row.public_id, call.data["deposit_percent"])
        return row

"""A sandbox asks for the deposits that the live one asks for."""

from decimal import Decimal

from billing.models import Plan
from billing.services.deposits import set_plan_deposit
from billing.services.prices import create_price
from core.scope import Scope, enter, work
from customers.models import Customer
from tests import factories
from tests.db.sandbox.test_copied_products import copy


def test_deposits_of_plans_and_customers_come_along(sandbox: Scope) -> None:
    with work():
        create_price(name="a", code="a", model="flat", currency="EUR", unit_price=Decimal(9))
        set_plan_deposit(Plan.objects.get().public_id, 30)
        for percent in (None, 0, 20):
            factories.subscription(factories.customer(deposit_percent=percent), factories.DAY)
    copy(sandbox)
    with enter(sandbox), work():
        assert Plan.objects.get(code="a").deposit_percent == 30
        assert list(Customer.objects.order_by("id").values_list("deposit_percent", flat=True)) == [
            None,
            0,
            20,
        ]

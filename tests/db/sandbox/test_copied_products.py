"""A plan that the copy puts into a product is moved there, where it is billed already: what is billed stays right."""

from datetime import timedelta
from decimal import Decimal

from billing.models import Plan, Price, SubscriptionDiscount
from billing.services.discounts import discount
from billing.services.mrr import FILL, fill_movements
from billing.services.products import create_product, move_plan
from billing.services.replay import replay_billing
from billing.services.run import run_billing
from billing.services.subscriptions import subscribe
from core import clock
from core.books import verify
from core.effects import waiting
from core.scope import Scope, enter, work
from tests import factories
from tests.db.sandbox.test_copying import copy

TODAY = clock.today("Europe/Berlin")


def test_what_was_billed_before_its_plan_got_a_product_would_be_billed_the_same(sandbox: Scope) -> None:
    with work():
        sold = factories.subscription(factories.customer(), TODAY, unit_price=Decimal(30))
        code = sold.price.plan.code
    copy(sandbox)
    with enter(sandbox), work():
        price = Price.objects.get(plan__code=code)
        create_product(name="Track", code="track")
        sub = subscribe(
            customer=factories.customer().public_id, price=price, starts_on=TODAY - timedelta(days=40)
        )
        discount(
            sub.public_id,
            name="Half off",
            percent=Decimal(50),
            products=["track"],
            on=sub.starts_on,
            today=TODAY,
        )
    with enter(sandbox):
        run_billing(TODAY)
    with work():
        create_product(name="Track", code="track")
        move_plan(Plan.objects.get(code=code).public_id, product="track")
    copy(sandbox)
    with enter(sandbox):
        with work():
            plan = Plan.objects.get(code=code)
            assert plan.product is not None
            assert SubscriptionDiscount.objects.get().products == ["track"]
            assert verify() == []
            assert waiting().filter(kind=FILL).count() == 1
        fill_movements()
        again = replay_billing()
        assert (again.differences, again.mrr) == ([], [])

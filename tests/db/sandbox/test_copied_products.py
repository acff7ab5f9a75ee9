"""A plan that the copy puts into a product is moved there, where it is billed already: what is billed stays right."""

from datetime import timedelta
from decimal import Decimal

from billing.models import Plan, PlanOffer, Price, Product, SubscriptionDiscount
from billing.services.discounts import discount
from billing.services.mrr import FILL, fill_movements
from billing.services.offers import Offered, set_plan_offers
from billing.services.prices import create_price
from billing.services.products import archive_product, create_product, move_plan
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


def test_what_customers_may_change_to_comes_once_and_what_is_said_there_stays(sandbox: Scope) -> None:
    def offered() -> list[tuple[str, str, str]]:
        with work():
            rows = PlanOffer.objects.order_by("plan__code", "to__code")
            return list(rows.values_list("plan__code", "to__code", "takes_effect"))

    with work():
        for code in ("a", "b", "c"):
            create_price(name=code, code=code, model="flat", currency="EUR", unit_price=Decimal(9))
        plans = {row.code: row.public_id for row in Plan.objects.all()}
        create_product(name="Track", code="track")
        move_plan(plans["c"], product="track")
        set_plan_offers(plans["a"], [Offered("b", "now"), Offered("c", "period_end")])
        archive_product(Product.objects.get().public_id)
    copy(sandbox)
    with enter(sandbox):
        assert offered() == [("a", "b", "now"), ("a", "c", "period_end")]
        with work():
            set_plan_offers(Plan.objects.get(code="a").public_id, [Offered("b", "period_end")])
    assert copy(sandbox).payload["made"] == 0
    with enter(sandbox):
        assert offered() == [("a", "b", "period_end")]

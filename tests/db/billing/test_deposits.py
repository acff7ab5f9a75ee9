"""Runs ask for the deposit that the customer was told, else for the most that a plan on the invoice says."""

from datetime import date
from decimal import Decimal

import pytest

from billing.models import Plan, Subscription
from billing.previews import next_bill
from billing.services.deposits import set_plan_deposit
from billing.services.run import run_billing
from core.errors import Invalid
from core.models import OutboxEvent
from core.scope import Scope, work
from invoicing.models import Document
from tests import factories
from tests.billed import proven

DAY = date(2026, 11, 1)


def plan_of(row: Subscription) -> Plan:
    return row.price.plan


@pytest.mark.parametrize(
    ("customers", "plans", "percent"),
    [(None, 0, 0), (None, 30, 30), (20, 30, 20), (0, 30, 0), (100, 30, 100)],
)
def test_a_customers_own_deposit_goes_before_its_plans(
    acorn: Scope, customers: int | None, plans: int, percent: int
) -> None:
    with work():
        owner = factories.customer(deposit_percent=customers)
        made = factories.subscription(owner, DAY, tax_percent=Decimal(0))
        set_plan_deposit(plan_of(made).public_id, plans)
        made.refresh_from_db()
        coming = next_bill(made, today=DAY)
    run_billing(DAY)
    with work():
        document = Document.objects.get()
        assert (document.deposit_percent, document.deposit_minor) == (percent, coming.deposit_minor)
        assert document.deposit_minor == (1450 * percent // 100 if percent < 100 else 0)
    proven()


def test_one_invoice_asks_for_the_most_of_its_plans(acorn: Scope) -> None:
    with work():
        owner = factories.customer(one_invoice=True)
        for percent in (10, 40, 0):
            set_plan_deposit(plan_of(factories.subscription(owner, DAY)).public_id, percent)
    run_billing(DAY)
    with work():
        assert Document.objects.get().deposit_percent == 40
    proven()


def test_a_deposit_holds_from_the_next_invoice_on(acorn: Scope) -> None:
    with work():
        made = factories.subscription(factories.customer(), DAY)
    run_billing(DAY)
    with work():
        for _ in range(2):
            set_plan_deposit(plan_of(made).public_id, 50)
        told = OutboxEvent.objects.filter(name="plan.deposit_changed")
        assert [row.payload["deposit_percent"] for row in told] == [50]
    run_billing(date(2026, 12, 1))
    with work():
        assert list(Document.objects.order_by("id").values_list("deposit_percent", flat=True)) == [0, 50]
    proven()


@pytest.mark.parametrize("percent", [-1, 101])
def test_a_plans_deposit_is_between_0_and_100(acorn: Scope, percent: int) -> None:
    with work():
        plan = plan_of(factories.subscription(factories.customer(), DAY))
        with pytest.raises(Invalid) as refused:
            set_plan_deposit(plan.public_id, percent)
        assert refused.value.fields == {"deposit_percent": "From 0 to 100."}

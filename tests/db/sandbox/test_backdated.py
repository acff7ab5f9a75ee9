"""What is entered for a day that is over, while runs go on every day, is billed and not held."""

from datetime import timedelta
from decimal import Decimal

from billing.models import HeldSubscription
from billing.services.change import change
from billing.services.lifecycle import pause
from billing.services.prices import create_price
from billing.services.subscriptions import end, subscribe
from core import clock
from core.scope import Scope, enter, work
from core.tasks import system_scope
from tests import factories
from tests.billed import billed
from tests.conftest import judge
from tests.db.sandbox.conftest import move


def test_arrears_cut_on_a_day_that_is_over_are_billed(sandbox: Scope) -> None:
    with enter(sandbox), work():
        today = clock.now().date()
        price = create_price(
            name="Seats", code="seats", model="per_unit", currency="EUR", unit_price=Decimal(30),
            unit="week", every=4, timing="arrears",
        )  # fmt: skip
        changed, paused, ended = [
            subscribe(customer=factories.customer().public_id, price=price, starts_on=today).public_id
            for _ in range(3)
        ]
        factories.subscription(factories.customer(), today, unit="week")
    move(sandbox, timedelta(days=10))
    with enter(system_scope(sandbox.organization_id)), work():
        now, over = today + timedelta(days=10), today + timedelta(days=4)
        change(changed, quantity=Decimal(2), on=over, today=now)
        pause(paused, on=over, today=now)
        end(ended, on=over, today=now)
    move(sandbox, timedelta(hours=1))
    with enter(sandbox):
        with work():
            assert [row.findings for row in HeldSubscription.objects.all()] == []
        assert billed().count((str(today), str(over), 429)) == 3
    judge(sandbox)

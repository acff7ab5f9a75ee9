"""Changes of a contract beside each other, beside a run and beside the filling of movements, in whatever order: what is
stored is what the contract came to."""

import threading
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection

from billing.models import MrrMovement, Subscription
from billing.services import mrr
from billing.services.change import change, revoke_change
from billing.services.mrr import fill_movements
from billing.services.prices import create_price
from billing.services.run import run_billing
from billing.services.subscriptions import add_item, end
from core.errors import AppError
from core.scope import Scope, enter, work
from tests import factories
from tests.billed import proven
from tests.db.attack.test_races import in_work, together

DAY, TODAY = date(2026, 2, 1), date(2026, 2, 10)


@pytest.mark.parametrize("n", range(3))
def test_acts_on_one_subscription_at_once(committed_acorn: Scope, n: int) -> None:
    with work():
        sub = factories.subscription(factories.customer(), DAY).public_id
        add = create_price(
            name="Add", code="add", model="flat", currency="EUR", unit_price=Decimal(5), timing="arrears"
        )
        change(sub, quantity=Decimal(3), on=date(2026, 4, 1), today=TODAY)
    acts = [
        in_work(lambda: revoke_change(sub, today=TODAY)),
        in_work(lambda: change(sub, quantity=Decimal(7), on=date(2026, 5, 1), today=TODAY)),
        in_work(lambda: end(sub, on=date(2026, 9, 1), today=TODAY)),
        in_work(lambda: add_item(sub, price=add, starts_on=date(2026, 3, 5))),
        in_work(lambda: add_item(sub, price=add, starts_on=date(2026, 3, 5))),
        lambda: run_billing(TODAY),
        fill_movements,
    ]
    ends = together(committed_acorn, *acts[n:], *acts[:n])
    assert all(each is None or isinstance(each, AppError) for each in ends), ends
    with work():
        assert MrrMovement.objects.filter(kind="churn").count() == 1
        assert MrrMovement.objects.get(day=date(2026, 3, 5)).delta_minor == 1_000
    proven()


def test_filling_waits_for_a_change_under_way(
    committed_acorn: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The contract is read once it is held: what a change wrote meanwhile is not put back."""
    with work():
        sub = factories.subscription(factories.customer(), DAY)
    begun, failed = threading.Event(), []

    def fill() -> None:
        try:
            with enter(committed_acorn):
                fill_movements()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            failed.append(error)
        finally:
            connection.close()

    read = mrr.subscription_facts

    def told(ids: list[int]) -> object:
        found = read(ids)
        begun.set()
        return found

    monkeypatch.setattr(mrr, "subscription_facts", told)
    filling = threading.Thread(target=fill)
    with work():
        end(sub.public_id, on=date(2026, 9, 1), today=TODAY)
        filling.start()
        assert not begun.wait(1)
    filling.join()
    assert failed == []
    with work():
        assert Subscription.objects.get().ends_on == date(2026, 9, 1)
        assert MrrMovement.objects.filter(kind="churn").count() == 1
    proven()

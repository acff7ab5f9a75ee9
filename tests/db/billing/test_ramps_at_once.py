"""Steps said while a run bills, and by two at once: whoever comes first, each day is billed once by what holds."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest
from django.db import OperationalError

from billing.expectation import Expectation
from billing.models import MOST_STEPS, BilledPeriod, Subscription, SubscriptionItem, SubscriptionStep
from billing.selectors import billable
from billing.services import run as runs
from billing.services.change import add_step, change, revoke_change
from billing.services.lifecycle import pause
from billing.services.run import open_run, run_billing
from billing.services.steps import Step
from core.errors import AppError
from core.locks import claim
from core.scope import Scope, work
from tests import factories
from tests.billed import billed, proven
from tests.db.billing.ramped import as_said
from tests.db.billing.test_usage_at_once import at_once, open_elsewhere

JAN, FEB, MID, MAR = date(2026, 1, 1), date(2026, 2, 1), date(2026, 2, 15), date(2026, 3, 1)
TODAY = date(2026, 1, 20)


@pytest.fixture
def sub(committed_acorn: Scope) -> Subscription:
    """Ten at 1.00 a month, January billed, 20 from February on."""
    with work():
        made = factories.subscription(
            factories.customer(), JAN, quantity=Decimal(10), unit_price=Decimal(1), tax_percent=Decimal(0)
        )
        add_step(made.public_id, Step(quantity=Decimal(20), on=FEB), today=JAN)
    run_billing(JAN)
    return made


def said(sub: Subscription, on: date, quantity: int) -> Callable[[], object]:
    return lambda: add_step(sub.public_id, Step(quantity=Decimal(quantity), on=on), today=TODAY)


def batch() -> None:
    """One batch of February's run, as it bills it."""
    run = open_run(FEB)
    runs._bill(run, [row.pk for row in claim(billable(FEB), 500)], Expectation(FEB), again=False)


def whole(sub: Subscription) -> None:
    with work():
        as_said(Subscription.objects.get(pk=sub.pk))
    proven()


def test_a_step_said_before_the_run_bills_is_in_its_bill(committed_acorn: Scope, sub: Subscription) -> None:
    with open_elsewhere(committed_acorn, said(sub, MID, 30)), work():
        assert claim(billable(FEB), 500) == [], "it is being changed: the run comes back for it"
    run_billing(FEB)
    run_billing(MAR)
    assert [minor for *_, minor in billed()] == [1000, 1000, 1500, 3000]
    whole(sub)


def test_a_step_said_while_a_run_bills_waits_for_it_and_is_credited(
    committed_acorn: Scope, sub: Subscription
) -> None:
    with open_elsewhere(committed_acorn, batch), pytest.raises(OperationalError), work():
        said(sub, MID, 30)()
    assert [minor for *_, minor in billed()] == [1000, 2000]
    with work():
        said(sub, MID, 30)()
    run_billing(MID)
    run_billing(MAR)
    assert [minor for *_, minor in billed()] == [1000, 2000, 1500, 3000]
    whole(sub)


def test_two_say_steps_at_once_and_both_stay(committed_acorn: Scope, sub: Subscription) -> None:
    at_once(committed_acorn, said(sub, MAR, 30), said(sub, MID, 25), said(sub, date(2026, 4, 1), 40))
    with work():
        assert SubscriptionStep.objects.count() == 4
    run_billing(MAR)
    assert [minor for *_, minor in billed()] == [1000, 1000, 1250, 3000]
    whole(sub)


def test_the_same_step_said_twice_at_once_is_one(committed_acorn: Scope, sub: Subscription) -> None:
    at_once(committed_acorn, said(sub, MAR, 30), said(sub, MAR, 30))
    with work():
        assert SubscriptionStep.objects.filter(on=MAR).count() == 1
        assert SubscriptionItem.objects.filter(starts_on=MAR).count() == 1
    whole(sub)


def test_of_two_who_say_the_last_that_fits_one_is_refused(committed_acorn: Scope, sub: Subscription) -> None:
    with work():
        for n in range(MOST_STEPS - 2):
            said(sub, date(2027 + n // 12, n % 12 + 1, 1), 30 + n)()

    def tried(on: date) -> Callable[[], str]:
        def act() -> str:
            try:
                said(sub, on, 99)()
            except AppError as error:
                return error.message
            return ""

        return act

    answers = at_once(committed_acorn, tried(MID), tried(MAR))
    assert sorted(bool(each) for each in answers) == [False, True]
    with work():
        assert SubscriptionStep.objects.count() == MOST_STEPS


def test_a_step_a_pause_a_change_and_a_return_at_once_leave_each_day_once(
    committed_acorn: Scope, sub: Subscription
) -> None:
    def quiet(act: Callable[[], object]) -> Callable[[], None]:
        def tried() -> None:
            with suppress(AppError):
                act()

        return tried

    for n in range(3):
        at_once(
            committed_acorn,
            quiet(said(sub, MAR, 30 + n)),
            quiet(lambda: pause(sub.public_id, on=MID, resumes_on=date(2026, 3, 10), today=TODAY)),
            quiet(lambda: revoke_change(sub.public_id, on=FEB, today=TODAY)),
            quiet(lambda: change(sub.public_id, quantity=Decimal(15), on=date(2026, 2, 5), today=TODAY)),
        )
        with work():
            as_said(Subscription.objects.get(pk=sub.pk))
    run_billing(MAR)
    with work():
        before = BilledPeriod.objects.count()
    run_billing(MAR)
    with work():
        assert BilledPeriod.objects.count() == before
    whole(sub)

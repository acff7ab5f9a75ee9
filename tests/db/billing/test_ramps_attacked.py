"""What once lost a step, billed a plan twice or fell over: acts in the order in which nobody means them."""

from datetime import date
from decimal import Decimal

import pytest

from billing.domain.anchors import Rhythm
from billing.domain.proration import Proration
from billing.models import CreditedPeriod, Subscription, SubscriptionItem, SubscriptionStep
from billing.services.bulk_change import Wish, act_on
from billing.services.change import add_step, change, revoke_change
from billing.services.lifecycle import pause, reactivate, resume
from billing.services.run import run_billing
from billing.services.steps import Step
from billing.services.subscriptions import end
from core.errors import Conflict, Invalid
from core.scope import Scope, work
from tests.billed import billed, proven
from tests.db.billing.ramped import APR, FEB, JAN, MAR, MAY, TODAY, coming, in_steps, plan, step, ten
from tests.db.billing.test_change import priced

MID = date(2026, 2, 15)
SOON = date(2026, 2, 20)


@pytest.fixture
def sub(acorn: Scope) -> Subscription:
    return ten()


@pytest.mark.parametrize("billed_first", [True, False])
def test_a_change_on_the_day_of_a_step_is_the_same_whether_that_is_billed_or_not(
    sub: Subscription, billed_first: bool
) -> None:
    """It takes the step's place, and stays what it is when another step is said."""
    with work():
        step(sub, FEB, price=priced(unit_price=Decimal(2)))
    if billed_first:
        run_billing(FEB)
    with work():
        change(sub.public_id, quantity=Decimal(30), on=FEB, today=FEB)
        assert change(sub.public_id, quantity=Decimal(30), on=FEB, today=FEB).price_id == sub.price_id
    assert plan(sub)[1:] == [("02-01", "", "30")]
    with work():
        add_step(sub.public_id, Step(quantity=Decimal(40), on=APR), today=FEB)
    assert plan(sub)[1:] == [("02-01", "04-01", "30"), ("04-01", "", "40")]
    run_billing(FEB)
    assert billed()[-1] == ("2026-02-01", "2026-03-01", 3000)
    proven()


def test_a_step_that_is_billed_is_taken_back_by_what_was_before_it(sub: Subscription) -> None:
    with work():
        step(sub, FEB, 20)
    run_billing(FEB)
    with work():
        change(sub.public_id, quantity=Decimal(10), on=FEB, today=FEB)
        assert SubscriptionStep.objects.count() == 0
    run_billing(FEB)
    run_billing(MAR)
    assert [minor for *_, minor in billed()] == [1000, 2000, 1000, 1000]
    with work():
        assert list(CreditedPeriod.objects.values_list("amount_minor", flat=True)) == [2000]
    proven()


def test_a_step_on_the_day_on_which_a_pause_ends_is_changed_when_it_is_billed(sub: Subscription) -> None:
    with work():
        step(sub, FEB, 20)
        step(sub, APR, price=priced(unit_price=Decimal(2)))
        pause(sub.public_id, on=date(2026, 1, 20), resumes_on=APR, today=TODAY)
    run_billing(APR)
    with work():
        change(sub.public_id, quantity=Decimal(30), on=APR, today=APR)
    assert plan(sub)[1:] == [("04-01", "", "30")]
    with work():
        add_step(sub.public_id, Step(quantity=Decimal(40), on=MAY), today=APR)
    assert plan(sub)[1:] == [("04-01", "05-01", "30"), ("05-01", "", "40")]
    run_billing(APR)
    run_billing(MAY)
    assert [minor for *_, minor in billed()] == [1000, 4000, 3000, 4000]
    proven()


@pytest.mark.parametrize("proration", list(Proration))
def test_what_a_change_takes_the_place_of_for_a_whole_period_is_not_billed_beside_it(
    acorn: Scope, proration: Proration
) -> None:
    """Also without proration: a period that never was begun is no part of one."""
    with work():
        sub = in_steps(rhythm=Rhythm(proration=proration))
    run_billing(JAN)
    run_billing(FEB)
    with work():
        change(sub.public_id, quantity=Decimal(20), on=FEB, today=date(2026, 2, 10))
    run_billing(date(2026, 2, 10))
    with work():
        assert list(CreditedPeriod.objects.values_list("amount_minor", flat=True)) == [1000]
    assert [minor for *_, minor in billed()] == [1000, 1000, 2000]
    proven()


@pytest.mark.parametrize(("_case", "on", "parts"), [
    ("from 31 January", date(2026, 2, 10), [1000, 4000]),
    ("from 28 February", date(2026, 3, 10), [1000, 4000]),
])  # fmt: skip
def test_thirtieths_of_a_period_between_ends_of_months_make_up_the_period(
    acorn: Scope, _case: str, on: date, parts: list[int]
) -> None:
    """30.00 up to the step and 60.00 from then on: ten days of thirty, and twenty, however long the months are."""
    with work():
        in_steps(
            Step(quantity=Decimal(60), on=on),
            quantity=Decimal(30),
            starts_on=date(2026, 1, 31),
            rhythm=Rhythm(anchor_day=31, proration=Proration.THIRTIETH),
        )
    run_billing(on)
    assert [minor for *_, minor in billed()][-2:] == parts
    proven()


@pytest.mark.parametrize("known", [True, False])
def test_what_ended_before_its_pause_begins_again_once_and_pauses_when_that_comes(
    sub: Subscription, known: bool
) -> None:
    with work():
        step(sub, date(2026, 2, 25), 20)
        pause(sub.public_id, on=MAR, resumes_on=APR if known else None, today=TODAY)
        end(sub.public_id, on=MID, today=TODAY)
    run_billing(MID)
    with work():
        reactivate(sub.public_id, on=SOON, today=SOON)
    expected = [("01-01", "02-15", "10"), ("02-20", "02-25", "10"), ("02-25", "03-01", "20")]
    assert plan(sub) == expected + ([("04-01", "", "20")] if known else [])
    with work():
        resume(sub.public_id, on=date(2026, 3, 15), today=SOON)
    assert plan(sub) == [*expected, ("03-15", "", "20")]
    run_billing(MAR)
    run_billing(APR)
    assert [minor for *_, minor in billed()] == [1000, 500, 179, 286, 1097, 2000]
    proven()


def test_a_step_before_what_is_billed_ahead_is_shown_as_it_was_said(acorn: Scope) -> None:
    """20 from February and from the 5th, 30 from the 10th, up to which February's run has billed."""
    with work():
        sub = in_steps(
            Step(quantity=Decimal(20), on=date(2026, 2, 5)), Step(quantity=Decimal(30), on=date(2026, 2, 10))
        )
        add_step(sub.public_id, Step(quantity=Decimal(20), on=FEB), today=TODAY)
    run_billing(FEB)
    assert billed()[-1] == ("2026-02-01", "2026-02-10", 643)
    assert coming(sub, date(2026, 2, 2)) == [("02-05", "20", "20"), ("02-10", "20", "30")]


@pytest.mark.parametrize("rhythm", [Rhythm(), Rhythm(trial_days=30)])
def test_the_day_on_which_the_plan_begins_is_no_step(acorn: Scope, rhythm: Rhythm) -> None:
    with work():
        sub = in_steps(starts_on=FEB, rhythm=rhythm)
        for wish in (Step(quantity=Decimal(5)), Step(quantity=Decimal(10), on=rhythm.first(FEB))):
            with pytest.raises(Invalid) as refused:
                add_step(sub.public_id, wish, today=TODAY)
            assert list(refused.value.fields) == ["on"]
        assert (SubscriptionStep.objects.count(), SubscriptionItem.objects.count()) == (0, 1)


@pytest.mark.parametrize("off", [date(2026, 1, 20), FEB, MAR])
def test_paused_until_somebody_resumes_it_steps_are_said_and_hold_when_it_goes_on(
    sub: Subscription, off: date
) -> None:
    with work():
        step(sub, MAR, 30)
        pause(sub.public_id, on=off, today=TODAY)
    run_billing(off)
    with work():
        step(sub, APR, 40)
        step(sub, MAY, 50)
        change(sub.public_id, price=priced(unit_price=Decimal(2)), on=APR, today=off)
        revoke_change(sub.public_id, on=MAY, today=off)
    assert coming(sub) == [("03-01", "10", "30"), ("04-01", "30", "30")]
    assert [first for first, _, _ in plan(sub)] == (["01-01"])
    run_billing(APR)
    with work():
        resume(sub.public_id, on=date(2026, 4, 16), today=APR)
    run_billing(date(2026, 4, 16))
    assert billed()[-1] == ("2026-04-16", "2026-05-01", 3000)
    proven()


def test_paused_from_its_first_day_on_it_may_begin_otherwise(acorn: Scope) -> None:
    with work():
        sub = in_steps(Step(quantity=Decimal(30), on=MAR))
        pause(sub.public_id, on=JAN, today=JAN)
        change(sub.public_id, quantity=Decimal(15), on=JAN, today=JAN)
        assert plan(sub) == []
        resume(sub.public_id, on=FEB, today=JAN)
    run_billing(MAR)
    assert [minor for *_, minor in billed()] == [1500, 3000]
    proven()


def test_many_at_once_leave_alone_what_is_paused_until_somebody_resumes_it(sub: Subscription) -> None:
    with work():
        pause(sub.public_id, on=FEB, today=TODAY)
        refused = act_on([sub.public_id], Wish("change", priced(unit_price=Decimal(2))), today=TODAY)
        assert isinstance(refused[sub.public_id], Conflict)

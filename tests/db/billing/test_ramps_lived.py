"""Steps of a plan through pauses, ends, trials and many at once: each holds for its day whatever happens around it."""

from datetime import date
from decimal import Decimal

import pytest

from billing.domain.anchors import Rhythm
from billing.domain.proration import Proration
from billing.models import (
    MrrMovement,
    Subscription,
    SubscriptionItem,
)
from billing.ramps import upcoming
from billing.recorded import before
from billing.services.bulk_change import Planned, Wish, act_on
from billing.services.change import change, revoke_change
from billing.services.lifecycle import pause, reactivate, resume
from billing.services.run import run_billing
from billing.services.steps import Step
from billing.services.subscriptions import end
from core.errors import Conflict, Invalid
from core.scope import Scope, work
from tests.billed import billed, proven
from tests.db.billing.ramped import (
    APR,
    FEB,
    JAN,
    JUNE,
    MAR,
    MAY,
    TODAY,
    coming,
    in_steps,
    plan,
    step,
    ten,
)
from tests.db.billing.test_change import priced


@pytest.fixture
def sub(acorn: Scope) -> Subscription:
    return ten()


def test_an_end_leaves_the_steps_behind_it_standing_and_taking_it_back_brings_them_back(
    sub: Subscription,
) -> None:
    with work():
        step(sub, FEB, 20)
        step(sub, APR, 40)
        end(sub.public_id, on=MAR, today=TODAY)
        found = upcoming(Subscription.objects.get(pk=sub.pk), today=TODAY)
        assert [each.reached for each in found] == [True, False]
        moves = list(MrrMovement.objects.order_by("day").values_list("day", "after_minor"))
        assert moves == [(JAN, 1000), (FEB, 2000), (MAR, 0)]
        with pytest.raises(Invalid, match="ends on 2026-03-01"):
            step(sub, MAR, 30)
        reactivate(sub.public_id, today=TODAY)
    run_billing(APR)
    assert [minor for *_, minor in billed()] == [1000, 2000, 2000, 4000]
    proven()


def test_what_ended_begins_again_with_what_its_steps_say_by_then(sub: Subscription) -> None:
    with work():
        for day, quantity in ((FEB, 20), (APR, 40), (JUNE, 60)):
            step(sub, day, quantity)
        end(sub.public_id, on=MAR, today=TODAY)
    run_billing(MAR)
    with work():
        assert Subscription.objects.get(pk=sub.pk).state == "ended"
        reactivate(sub.public_id, on=MAY, today=MAY)
    run_billing(JUNE)
    assert [(start[5:], minor) for start, _, minor in billed()] == [
        ("01-01", 1000), ("02-01", 2000), ("05-01", 4000), ("06-01", 6000),
    ]  # fmt: skip
    proven()


@pytest.mark.parametrize("known", [True, False])
def test_a_pause_over_a_step_moves_none_and_goes_on_with_what_holds_by_then(
    sub: Subscription, known: bool
) -> None:
    with work():
        for day, quantity in ((FEB, 20), (MAR, 30), (MAY, 50)):
            step(sub, day, quantity)
        pause(sub.public_id, on=date(2026, 2, 15), resumes_on=APR if known else None, today=TODAY)
    assert [each[0] for each in coming(sub)] == ["02-01", "03-01", "05-01"]
    if not known:
        run_billing(MAR)
        with work():
            assert Subscription.objects.get(pk=sub.pk).state == "paused"
            resume(sub.public_id, on=APR, today=APR)
    assert plan(sub) == [("01-01", "02-01", "10"), ("02-01", "02-15", "20"), ("04-01", "05-01", "30"),
                         ("05-01", "", "50")]  # fmt: skip
    run_billing(MAY)
    assert [minor for *_, minor in billed()] == [1000, 1000, 3000, 5000]
    proven()


def test_a_pause_is_moved_and_taken_back_and_the_steps_stay(sub: Subscription) -> None:
    before = [("01-01", "02-01", "10"), ("02-01", "03-01", "20"), ("03-01", "", "30")]
    with work():
        step(sub, FEB, 20)
        step(sub, MAR, 30)
        pause(sub.public_id, on=date(2026, 1, 20), resumes_on=APR, today=TODAY)
        resume(sub.public_id, on=date(2026, 2, 20), today=TODAY)
    assert plan(sub) == [("01-01", "01-20", "10"), ("02-20", "03-01", "20"), ("03-01", "", "30")]
    with work():
        revoke_change(sub.public_id, on=FEB, today=TODAY)
    assert plan(sub)[1] == ("02-20", "03-01", "10")
    with work():
        step(sub, FEB, 20)  # a day in the pause: it holds when that is over
        resume(sub.public_id, on=TODAY, today=TODAY)
    assert plan(sub) == before
    run_billing(APR)
    assert [minor for *_, minor in billed()] == [1000, 2000, 3000, 3000]
    proven()


def test_in_a_pause_that_was_credited_what_was_before_it_stays(sub: Subscription) -> None:
    with work():
        step(sub, MAR, 30)
        pause(sub.public_id, on=date(2026, 1, 20), resumes_on=date(2026, 3, 15), today=TODAY)
    run_billing(date(2026, 1, 20))
    with work():
        with pytest.raises(Invalid, match="2026-01-20"):
            change(sub.public_id, quantity=Decimal(5), on=date(2026, 1, 15), today=date(2026, 1, 25))
        change(sub.public_id, quantity=Decimal(20), on=date(2026, 2, 1), today=date(2026, 1, 25))
        revoke_change(sub.public_id, on=MAR, today=date(2026, 1, 25))
    assert plan(sub) == [("01-01", "01-20", "10"), ("03-15", "", "20")]
    run_billing(APR)
    proven()


def test_on_trial_steps_lie_behind_the_first_billed_day(acorn: Scope) -> None:
    with work():
        sub = in_steps(Step(quantity=Decimal(20), on=MAR), rhythm=Rhythm(trial_days=31))
        with pytest.raises(Invalid):
            step(sub, date(2026, 1, 20), 5)
    with pytest.raises(Invalid) as refused, work():
        in_steps(Step(quantity=Decimal(5), on=FEB), rhythm=Rhythm(trial_days=31))
    assert list(refused.value.fields) == ["steps.0.on"]
    run_billing(MAR)
    assert [minor for *_, minor in billed()] == [1000, 2000]
    proven()


@pytest.mark.parametrize("proration", list(Proration))
def test_within_a_period_that_is_billed_the_rest_is_credited(acorn: Scope, proration: Proration) -> None:
    with work():
        sub = in_steps(Step(quantity=Decimal(30), on=MAR), rhythm=Rhythm(proration=proration))
    run_billing(JAN)
    with work():
        step(sub, date(2026, 1, 16), 20)
        assert Subscription.objects.get(pk=sub.pk).next_bill_on == date(2026, 1, 16)
    run_billing(date(2026, 1, 16))
    run_billing(MAR)
    assert [each[2] for each in billed()][-2:] == [2000, 3000]
    proven()


def test_movements_are_of_every_step_and_go_with_it(sub: Subscription) -> None:
    with work():
        step(sub, MAR, 30)
        step(sub, FEB, 20)
        moves = list(MrrMovement.objects.order_by("day").values_list("day", "kind", "after_minor"))
        assert moves == [(JAN, "new", 1000), (FEB, "expansion", 2000), (MAR, "expansion", 3000)]
        revoke_change(sub.public_id, on=FEB, today=TODAY)
        assert [*MrrMovement.objects.order_by("day").values_list("delta_minor", flat=True)] == [1000, 2000]


def test_many_at_once_leave_alone_what_has_steps_to_come(sub: Subscription) -> None:
    """Also one that would change nothing by now: a new price would not be what was said for its day."""
    with work():
        step(sub, MAR, 20)
        step(sub, FEB, 20)
    run_billing(FEB)
    with work():
        wish = Wish("change", priced(unit_price=Decimal(2)))
        refused = act_on([sub.public_id], wish, today=date(2026, 2, 10))
        assert isinstance(refused[sub.public_id], Planned)


def test_what_ended_in_a_pause_begins_again_with_what_its_steps_say_by_then(sub: Subscription) -> None:
    with work():
        for day, quantity in ((FEB, 20), (APR, 40), (JUNE, 60)):
            step(sub, day, quantity)
        pause(sub.public_id, on=date(2026, 1, 20), today=TODAY)
    run_billing(date(2026, 1, 20))
    with work():
        end(sub.public_id, on=MAR, today=date(2026, 1, 25))
        reactivate(sub.public_id, on=MAY, today=MAY)
    assert plan(sub)[1:] == [("05-01", "06-01", "40"), ("06-01", "", "60")]
    run_billing(JUNE)
    assert [minor for *_, minor in billed()] == [1000, 4000, 6000]
    proven()


def test_the_gate_knows_what_a_step_follows_also_where_it_was_put_before_it(sub: Subscription) -> None:
    with work():
        step(sub, MAR, 30)
        step(sub, FEB, 20)
        rows = SubscriptionItem.objects.order_by("starts_on").values(
            "id", "role", "price__plan_id", "starts_on", "ends_on"
        )
        one, two, three = rows
        assert (before(two, rows), before(three, rows)) == (one["id"], two["id"])


def test_of_what_has_ended_nothing_is_said(sub: Subscription) -> None:
    with work():
        step(sub, MAR, 20)
        end(sub.public_id, on=FEB, today=TODAY)
    run_billing(FEB)
    with work():
        for act in (lambda: step(sub, APR, 5), lambda: revoke_change(sub.public_id, on=MAR, today=TODAY)):
            with pytest.raises(Conflict, match="ended"):
                act()

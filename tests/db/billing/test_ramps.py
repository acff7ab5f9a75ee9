"""Steps of a plan over time: said at once or one by one, each for its day, billed by what holds, taken back alone."""

from datetime import date
from decimal import Decimal

import pytest

from billing.models import (
    MOST_STEPS,
    Subscription,
    SubscriptionItem,
    SubscriptionStep,
)
from billing.selectors import preview
from billing.services.change import add_step, change, revoke_change
from billing.services.prices import retire_price
from billing.services.run import run_billing
from billing.services.steps import Step
from billing.services.subscriptions import end
from core.errors import Conflict, Invalid, NotFound
from core.models import OutboxEvent
from core.scope import Scope, enter, work
from tests import factories
from tests.billed import billed, proven
from tests.db.billing.ramped import (
    APR,
    FEB,
    JAN,
    JULY,
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
from tests.metering import meter


@pytest.fixture
def sub(acorn: Scope) -> Subscription:
    return ten()


def test_each_step_bills_from_its_day_on(sub: Subscription) -> None:
    with work():
        step(sub, FEB, 20)
        step(sub, APR, 40)
    assert plan(sub) == [("01-01", "02-01", "10"), ("02-01", "04-01", "20"), ("04-01", "", "40")]
    with work():
        ((feb,), _) = preview(FEB)
        assert [line.amount_minor for line in feb.lines] == [2000]
    run_billing(MAY)
    assert [minor for *_, minor in billed()] == [1000, 2000, 2000, 4000, 4000]
    proven()


def test_a_step_is_put_between_two_and_the_next_stays_as_it_was_said(sub: Subscription) -> None:
    with work():
        step(sub, FEB, 20)
        step(sub, APR, 40)
        step(sub, MAR, 30)
        step(sub, date(2026, 2, 15), 25)
    assert coming(sub) == [
        ("02-01", "10", "20"),
        ("02-15", "20", "25"),
        ("03-01", "25", "30"),
        ("04-01", "30", "40"),
    ]
    assert [each[0] for each in plan(sub)] == ["01-01", "02-01", "02-15", "03-01", "04-01"]
    run_billing(APR)
    assert [minor for *_, minor in billed()] == [1000, 1000, 1250, 3000, 4000]
    proven()


def test_each_is_taken_back_by_itself(sub: Subscription) -> None:
    with work():
        for day, quantity in ((FEB, 20), (MAR, 30), (APR, 40)):
            step(sub, day, quantity)
        version = sub.version
        revoke_change(sub.public_id, on=MAR, today=TODAY)
        with pytest.raises(NotFound):
            revoke_change(sub.public_id, on=MAR, today=TODAY)
        sub.refresh_from_db()
        assert sub.version > version
    assert plan(sub) == [("01-01", "02-01", "10"), ("02-01", "04-01", "20"), ("04-01", "", "40")]
    with work():
        revoke_change(sub.public_id, on=FEB, today=TODAY)
        revoke_change(sub.public_id, today=TODAY)
        revoke_change(sub.public_id, today=TODAY)  # nothing is to come
    assert (plan(sub), coming(sub)) == ([("01-01", "", "10")], [])
    run_billing(APR)
    assert [minor for *_, minor in billed()] == [1000] * 4
    proven()


def test_of_several_it_must_be_said_which_one_is_taken_back(sub: Subscription) -> None:
    with work():
        step(sub, FEB, 20)
        step(sub, MAR, 30)
        with pytest.raises(Conflict, match="Several"):
            revoke_change(sub.public_id, today=TODAY)
        assert SubscriptionStep.objects.count() == 2


def test_what_a_step_does_not_say_follows_what_comes_before_it(sub: Subscription) -> None:
    """A change now of the price leaves the step with its quantity, and one of the quantity with its price."""
    with work():
        dear, dearer = priced(unit_price=Decimal(2)), priced(unit_price=Decimal(3))
        step(sub, FEB, 20)
        step(sub, MAR, price=dearer)
        change(sub.public_id, price=dear, on=date(2026, 1, 17), today=TODAY)
    run_billing(date(2026, 1, 17))
    run_billing(APR)
    assert [(start[5:], minor) for start, _, minor in billed()] == [
        ("01-01", 1000), ("01-17", 968), ("02-01", 4000), ("03-01", 6000), ("04-01", 6000),
    ]  # fmt: skip
    proven()


def test_a_step_that_changes_nothing_by_now_is_remembered(sub: Subscription) -> None:
    """20 from February, 20 from March: one stretch, until the first is taken back."""
    with work():
        step(sub, MAR, 20)
        step(sub, FEB, 20)
    assert plan(sub) == [("01-01", "02-01", "10"), ("02-01", "", "20")]
    assert coming(sub) == [("02-01", "10", "20"), ("03-01", "20", "20")]
    with work():
        revoke_change(sub.public_id, on=FEB, today=TODAY)
    assert plan(sub) == [("01-01", "03-01", "10"), ("03-01", "", "20")]
    proven()


def test_the_same_step_again_changes_nothing_and_another_of_its_day_replaces_it(sub: Subscription) -> None:
    with work():
        step(sub, FEB, 20)
        sub.refresh_from_db()
        version, told = sub.version, OutboxEvent.objects.filter(name="subscription.changed").count()
        step(sub, FEB, 20)
        sub.refresh_from_db()
        assert (sub.version, OutboxEvent.objects.filter(name="subscription.changed").count()) == (
            version,
            told,
        )
        step(sub, FEB, 25)
    assert coming(sub) == [("02-01", "10", "25")]
    assert plan(sub) == [("01-01", "02-01", "10"), ("02-01", "", "25")]


@pytest.mark.parametrize(("_case", "wish", "field"), [
    ("today", {"quantity": Decimal(20), "on": TODAY}, "on"),
    ("out of range", {"quantity": Decimal(20), "on": date(2999, 1, 1)}, "on"),
    ("at its end", {"quantity": Decimal(20), "on": date(2026, 12, 1)}, "on"),
    ("nothing", {"on": FEB}, "price"),
    ("what is so already", {"quantity": Decimal(10), "on": FEB}, "price"),
    ("less than nothing", {"quantity": Decimal(-1), "on": FEB}, "quantity"),
    ("no number", {"quantity": Decimal("NaN"), "on": FEB}, "quantity"),
    ("an own price below zero", {"unit_price": Decimal(-1), "on": FEB}, "unit_price"),
    ("two days", {"quantity": Decimal(20), "on": FEB, "after_periods": 3}, "after_periods"),
    ("no period", {"quantity": Decimal(20), "after_periods": 0}, "after_periods"),
])  # fmt: skip
def test_what_cannot_be_a_step_is_named_and_nothing_is_written(
    sub: Subscription, _case: str, wish: dict[str, object], field: str
) -> None:
    with work():
        end(sub.public_id, on=date(2026, 12, 1), today=TODAY)
        with pytest.raises(Invalid) as refused:
            add_step(sub.public_id, Step(**wish), today=TODAY)  # type: ignore[arg-type]
        assert list(refused.value.fields) == [field]
        assert (SubscriptionStep.objects.count(), SubscriptionItem.objects.count()) == (0, 1)


def test_there_are_so_many_steps_at_the_most(sub: Subscription) -> None:
    with work():
        for n in range(MOST_STEPS):
            step(sub, date(2026 + (n + 1) // 12, (n + 1) % 12 + 1, 1), 11 + n)
        with pytest.raises(Invalid, match="24 steps"):
            step(sub, date(2030, 1, 1), 99)
        step(sub, FEB, 12)  # another in the place of one
    assert len(coming(sub)) == MOST_STEPS


def test_a_day_up_to_which_is_billed_is_refused(sub: Subscription) -> None:
    """In February's bill the step of the 10th cut the period: up to there it stays as it is."""
    with work():
        step(sub, date(2026, 2, 10), 20)
        step(sub, APR, 30)
    run_billing(FEB)
    with work():
        with pytest.raises(Invalid, match="changed on 2026-02-10"):
            add_step(sub.public_id, Step(quantity=Decimal(5), on=date(2026, 2, 5)), today=FEB)
        with pytest.raises(Conflict, match="billed up to 2026-02-10"):
            revoke_change(sub.public_id, on=date(2026, 2, 10), today=FEB)
        revoke_change(sub.public_id, today=FEB)  # the one that can still be taken back
    run_billing(APR)
    assert [minor for *_, minor in billed()] == [1000, 321, 1357, 2000, 2000]
    proven()


def test_after_so_many_periods_is_a_day(acorn: Scope) -> None:
    with work():
        sub = factories.subscribe(
            customer=factories.customer().public_id, price=priced(unit="quarter"), starts_on=date(2026, 1, 31),
            quantity=Decimal(1),
        )  # fmt: skip
        add_step(sub.public_id, Step(quantity=Decimal(2), after_periods=2), today=date(2026, 5, 5))
        assert SubscriptionStep.objects.get().on == date(2026, 10, 31)


def test_a_subscription_begins_with_steps_in_any_order(acorn: Scope) -> None:
    with work():
        own = Step(unit_price=Decimal("0.5"), on=APR)
        sub = in_steps(own, Step(quantity=Decimal(20), after_periods=1), Step(quantity=Decimal(30), on=MAR))
        assert sub.quantity == 10
    assert coming(sub) == [("02-01", "10", "20"), ("03-01", "20", "30"), ("04-01", "30", "30")]
    run_billing(APR)
    assert [minor for *_, minor in billed()] == [1000, 2000, 3000, 1500]
    with work():
        sub.refresh_from_db()
        assert (sub.quantity, sub.price.unit_price) == (30, Decimal("0.5"))
    proven()


def test_steps_that_are_over_when_it_is_written_down_are_billed(acorn: Scope) -> None:
    with work():
        sub = in_steps(Step(quantity=Decimal(20), on=date(2025, 12, 1)), starts_on=date(2025, 11, 1))
        assert sub.quantity == 20
    run_billing(TODAY)
    assert [minor for *_, minor in billed()] == [1000, 2000, 2000]
    proven()


@pytest.mark.parametrize(("_case", "steps", "field"), [
    ("its first day", [Step(quantity=Decimal(5), on=JAN)], "steps.0.on"),
    ("before its first day", [Step(quantity=Decimal(5), on=date(2025, 12, 1))], "steps.0.on"),
    ("twice a day", [Step(quantity=Decimal(5), on=FEB), Step(quantity=Decimal(6), on=FEB)], "steps.1.on"),
    ("beyond its end", [Step(quantity=Decimal(5), on=FEB), Step(quantity=Decimal(6), on=JULY)], "steps.1.on"),
    ("nothing", [Step(quantity=Decimal(5), on=MAR), Step(quantity=Decimal(10), on=FEB)], "steps.1.price"),
    ("less than nothing", [Step(quantity=Decimal(-5), on=MAR)], "steps.0.quantity"),
])  # fmt: skip
def test_a_step_that_it_cannot_begin_with_is_named_at_its_place(
    acorn: Scope, _case: str, steps: list[Step], field: str
) -> None:
    with pytest.raises(Invalid) as refused, work():
        in_steps(*steps, ends_on=JUNE)
    assert list(refused.value.fields) == [field]


def test_what_a_step_cannot_be_sold_with_is_refused(sub: Subscription) -> None:
    """A quantity that comes later cannot be that of a meter, a price in another currency not the next one's."""
    with work():
        step(sub, MAR, 20)
        counted = priced(model="graduated", unit_price=None, timing="arrears", meter=meter("sum").code,
                         tiers=[{"unit_price": Decimal(1)}])  # fmt: skip
        with pytest.raises(Invalid, match="From 2026-03-01 on"):
            change(sub.public_id, price=counted, quantity=Decimal(1), on=FEB, today=TODAY)
        for price in (priced(currency="USD"), retire_price(priced().public_id), priced(unit="once")):
            with pytest.raises(Invalid) as refused:
                step(sub, APR, price=price)
            assert list(refused.value.fields) == ["price"]


def test_a_price_that_is_not_offered_any_more_is_kept_for_its_day(sub: Subscription) -> None:
    with work():
        dear = priced(unit_price=Decimal(2))
        step(sub, MAR, price=dear)
        retire_price(dear.public_id)
        step(sub, FEB, 20)
    run_billing(MAR)
    assert [minor for *_, minor in billed()] == [1000, 2000, 4000]


def test_anothers_steps_are_not_there(acorn: Scope, birch: Scope) -> None:
    with enter(birch), work():
        theirs = factories.subscription(factories.customer(), JAN)
    with work(), pytest.raises(NotFound):
        step(theirs, FEB, 20)
    with work(), pytest.raises(NotFound):
        revoke_change(theirs.public_id, on=FEB, today=TODAY)

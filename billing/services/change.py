"""Another price or quantity for a subscription's plan, from a day on: one step of many that may be to come."""

from collections.abc import Sequence
from datetime import date, time
from decimal import Decimal
from typing import Any

from billing.domain.dues import plan_on
from billing.domain.proration import MIDNIGHT
from billing.models import Price, Subscription
from billing.ramps import Ramp
from billing.selectors import subscription_facts
from billing.services.steps import Step, day_of, drop, lay, ramp_of, require_day, say, take_steps
from billing.services.subscriptions import changed, live_one, require_time, schedule, subscribe
from core.errors import Conflict, Invalid, NotFound


def change(
    public_id: str,
    *,
    price: Price | None = None,
    unit_price: Decimal | None = None,
    quantity: Decimal | None = None,
    on: date | None = None,
    after_periods: int | None = None,
    at: time = MIDNIGHT,
    today: date,
) -> Subscription:
    """Bill a subscription's plan at another price or quantity from a local date on. Inside work().

    `unit_price`, in major units, is instead of that of the price. By default from the end of the period under way, so
    that nothing is prorated; within a period each price bills its days, and what is billed of the old one beyond the
    day is credited by the next run, as the subscription's proration says: by the second both share the day at the time
    `at`, unless a period begins on it that is not billed, or a meter counts one of them. What is not said stays as it
    is before the day. What is set for other days stays as it was said; what is set for the same day is replaced, by
    what holds before the day already it is taken back; the same wish again changes nothing. Raises Invalid for a day
    before the plan's last change that is billed or at or after the end, a price in another currency or not offered,
    one that is owed once, a quantity below zero, too many steps to come, a time that cannot count, and when nothing
    would change; Conflict when it has ended. What is said for a day in a pause holds when that is over, also where
    nobody knows when.
    """
    subscription, ramp = _changeable(public_id)
    require_time(subscription, on, at)
    step = Step(price, unit_price, quantity, on, after_periods, at)
    day = day_of(ramp, step, today)
    require_day(ramp, day, today)
    if not say(subscription, ramp, step, day, today):
        return subscription
    gone = day > ramp.base.starts_on and day not in ramp.steps
    return _laid(subscription, ramp, today, None if gone else day)


def add_step(public_id: str, step: Step, *, today: date) -> date:
    """What `change` does, for a day to come only, which is given back. Inside work().

    Raises what `change` raises, and Invalid for a day that has come, for the one on which the plan itself begins, and
    for a step that would change nothing.
    """
    subscription, ramp = _changeable(public_id)
    require_time(subscription, step.on, step.at)
    day = day_of(ramp, step, today)
    if day <= today:
        raise Invalid("A step has a day to come.", fields={"on": "A day after today."})
    require_day(ramp, day, today)
    if day == ramp.base.starts_on and day not in ramp.steps:
        problem = f"It begins on {day}; a day after that, or change what it begins with."
        raise Invalid(problem, fields={"on": problem})
    said = say(subscription, ramp, step, day, today)
    if day not in ramp.steps:
        raise Invalid("Nothing would change.", fields={"price": "Another price, or another quantity."})
    if said:
        _laid(subscription, ramp, today, day)
    return day


def revoke_change(public_id: str, *, on: date | None = None, today: date) -> Subscription:
    """Take back what is set for a later day; what is set for others stays as it was said. Inside work().

    Without a day the only one there is; without any nothing happens. Raises NotFound for a day that nothing is set for,
    Conflict where no day is said and there are several, where it is in force or billed, and when the subscription has
    ended.
    """
    subscription, ramp = _changeable(public_id)
    if on is None:
        on = _only(ramp, today)
    if on is None:
        return subscription
    if on not in ramp.steps:
        raise NotFound("Nothing is set for that day.")
    if on <= today:
        raise Conflict("That change is in force already; change it again.")
    if not ramp.takes(on):
        raise Conflict(f"It is billed up to {on} already; change it again from then on.")
    drop(ramp, on)
    return _laid(subscription, ramp, today, None)


def _only(ramp: Ramp, today: date) -> date | None:
    """The day of the only step that is to come, else of the last one that is in force and not billed yet."""
    coming = [day for day in ramp.steps if day > today and ramp.takes(day)]
    if len(coming) > 1:
        raise Conflict("Several steps are to come; take back that of a day.")
    unbilled = [row.starts_on for row in ramp.ahead if row.starts_on in ramp.steps]
    return max([*coming, *unbilled], default=None)


def subscribe_in_steps(*, steps: Sequence[Step], today: date, **said: Any) -> Subscription:
    """Subscribe as `subscribe` does, with steps of the plan that are to come, in any order of days. Inside work().

    Steps may lie in the past where its first day does. Raises what `subscribe` raises, and Invalid at the place of a
    step, such as `steps.0.on`, for what `change` refuses and for two of one day.
    """
    made = subscribe(**said)
    if not steps:
        return made
    take_steps(made, steps, made.trial_ends_on or made.starts_on)
    return schedule(_shown(made, today), items=True)


def _laid(subscription: Subscription, ramp: Ramp, today: date, on: date | None) -> Subscription:
    laid = lay(subscription, ramp, ramp.pause)
    at = max((each.starts_time for each in laid if each.starts_on == on), default=MIDNIGHT)
    return changed(schedule(_shown(subscription, today), items=True), "plan", on, at)


def _changeable(public_id: str) -> tuple[Subscription, Ramp]:
    """The subscription, locked, paused or not, and its ramp."""
    subscription = live_one(public_id, paused=True)
    return subscription, ramp_of(subscription)


def _shown(subscription: Subscription, today: date) -> Subscription:
    """Let the subscription show the price and quantity of the plan that is in force today."""
    (facts,) = subscription_facts([subscription.pk])
    plan = plan_on(facts, today)
    if (plan.price_id, plan.quantity) != (subscription.price_id, subscription.quantity):
        subscription.price_id, subscription.quantity = plan.price_id, plan.quantity
        subscription.touch("price", "quantity")
    return subscription

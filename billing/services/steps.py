"""Saying what a subscription's plan becomes over time, and laying its items as that was said."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from decimal import Decimal

from billing.domain.days import day_problem
from billing.domain.dues import period_end
from billing.domain.facts import ItemFacts, SubscriptionFacts
from billing.domain.proration import MIDNIGHT
from billing.domain.ramps import Held, Pause, Stretch, stretches
from billing.models import (
    MOST_PERIODS,
    MOST_STEPS,
    ONCE,
    PLAN,
    Price,
    Subscription,
    SubscriptionItem,
    SubscriptionStep,
)
from billing.ramps import Ramp, ramp_from, steps_of
from billing.selectors import subscription_facts
from billing.services.prices import own_price
from billing.services.subscriptions import (
    empty,
    require_recent,
    require_sellable,
    require_time,
    require_unused,
)
from core.errors import Invalid
from core.locks import lock
from core.periods import Unit, boundary, index_on, period_on, unit_of


@dataclass(frozen=True, slots=True)
class Step:
    """What is wished from a day on: another price, another unit price, in major units, of it or of the one before, or
    another quantity.

    The day is said, or is the end of so many of the plan's periods, the first being the one under way; by default of
    one, or of what is billed, when that is later. Prorated by the second it holds from the time `at` of the day said.
    """

    price: Price | None = None
    unit_price: Decimal | None = None
    quantity: Decimal | None = None
    on: date | None = None
    after_periods: int | None = None
    at: time = MIDNIGHT


def ramp_of(subscription: Subscription) -> Ramp:
    """The ramp of a subscription that the caller holds, its items locked. Inside work()."""
    rows = SubscriptionItem.objects.filter(subscription=subscription, role=PLAN).select_related("price")
    (facts,) = subscription_facts([subscription.pk])
    return ramp_from(subscription, facts, lock(rows), steps_of(subscription))


def day_of(ramp: Ramp, step: Step, today: date) -> date:
    """The day from which a step holds. Raises Invalid for two days, and for a number of periods that cannot be."""
    if step.after_periods is None:
        return step.on or period_end(ramp.facts, ramp.in_force(today), today)
    day, problem = date.max, f"1 to {MOST_PERIODS}."
    if step.on is not None:
        problem = "A day, or so many periods."
    elif 1 <= step.after_periods <= MOST_PERIODS:
        day = _after(ramp.facts, ramp.in_force(today), today, step.after_periods)
        problem = day_problem(day)
    if problem:
        raise Invalid(problem, fields={"after_periods": problem})
    return day


def _after(facts: SubscriptionFacts, item: ItemFacts, today: date, periods: int) -> date:
    """The end of so many periods of an item, the first being the one under way."""
    unit = item.unit or Unit.MONTH
    under_way = index_on(facts.anchor, unit, item.every, max(today, item.starts_on))
    try:
        return boundary(facts.anchor, unit, item.every, under_way + periods)
    except (OverflowError, ValueError):  # beyond what a date can say
        return date.max


def require_day(ramp: Ramp, day: date, today: date | None) -> None:
    """Refuse a day from which nothing can be said any more; with `today` also one of more than a year ago."""
    problem = day_problem(day)
    if not problem and day < ramp.since:
        problem = f"It changed on {ramp.since}; from then on."
    if not problem and ramp.facts.ends_on is not None and day >= ramp.facts.ends_on:
        problem = f"It ends on {ramp.facts.ends_on}."
    if problem:
        raise Invalid(problem, fields={"on": problem})
    if today is not None:
        require_recent("on", day, today)
    require_unused([item for item in ramp.facts.items if item.item_id == ramp.base.pk], day)


def say(subscription: Subscription, ramp: Ramp, step: Step, day: date, today: date) -> bool:
    """Let a step hold from a day on that it can be said for; whether anything was said that was not before.

    It takes the place of a step of the same day; what holds before that day already takes that one back. On the first
    day of the ramp what begins there begins otherwise. Raises Invalid for a price in another currency or not offered,
    one that is owed once, a quantity below zero, more steps to come than there may be, and where nothing would change.
    """
    before, there = ramp.before(day), ramp.steps.get(day)
    price = _price(ramp, step, before)
    after = Held(before.price, before.quantity)
    after = Held(
        price.pk if price else after.price, after.quantity if step.quantity is None else step.quantity
    )
    _require_plan(ramp, after, subscription, {before.price, there.price_id if there else None})
    otherwise = day == ramp.base.starts_on and after != ramp.first.held
    if otherwise:
        _begin_otherwise(subscription, ramp, after)
    if day == ramp.base.starts_on and (ramp.was is None or (there is None and not otherwise)):
        return otherwise
    if there is None and after == before:
        raise Invalid("Nothing would change.", fields={"price": "Another price, or another quantity."})
    if after == before:
        drop(ramp, day)
        return True
    at = ramp.base.starts_time if day == ramp.base.starts_on else step.at
    return _put(subscription, ramp, day, at, price, step.quantity, today) or otherwise


def _put(
    subscription: Subscription,
    ramp: Ramp,
    day: date,
    at: time,
    price: Price | None,
    quantity: Decimal | None,
    today: date,
) -> bool:
    there = ramp.steps.get(day)
    if there is None:
        if day > today and sum(each > today for each in ramp.steps) >= MOST_STEPS:
            problem = f"{MOST_STEPS} steps are to come already; take one back first."
            raise Invalid(problem, fields={"on": problem})
        ramp.steps[day] = SubscriptionStep.objects.create(
            subscription=subscription, on=day, at=at, price=price, quantity=quantity
        )
        return True
    if (there.price_id, there.quantity, there.at) == (price.pk if price else None, quantity, at):
        return False
    there.price, there.quantity, there.at, there.by_customer = price, quantity, at, False
    there.save(update_fields=["price", "quantity", "at", "by_customer"])
    return True


def drop(ramp: Ramp, day: date) -> None:
    """Take a step back."""
    ramp.steps.pop(day).delete()


def lay(subscription: Subscription, ramp: Ramp, pause: Pause | None) -> list[Stretch]:
    """Make the plan's items those that follow from what was said: what is so already stays, what is not never bills.

    Returns what they follow, with the times that count. Raises Invalid where something to come could not be sold with
    what holds before it by then.
    """
    first, *rest = found = _timed(ramp, stretches(ramp.first, ramp.said, pause))
    _bound(ramp.base, first)
    there = {
        (row.starts_on, row.starts_time, row.price_id, row.quantity.normalize()): row for row in ramp.ahead
    }
    for each in rest:
        row = there.pop((each.starts_on, each.starts_time, each.held.price, each.held.quantity), None)
        if row is not None:
            _bound(row, each)
            continue
        _require_sellable(ramp, each, subscription)
        SubscriptionItem.objects.create(
            subscription=subscription,
            price_id=each.held.price,
            quantity=each.held.quantity,
            starts_on=each.starts_on,
            ends_on=each.ends_on,
            starts_time=each.starts_time,
            ends_time=each.ends_time,
            paused=each.paused,
            role=PLAN,
        )
    for row in there.values():
        _bound(row, Stretch(row.starts_on, row.starts_on, ramp.first.held, ends_time=row.starts_time))
    return found


def _timed(ramp: Ramp, found: Sequence[Stretch]) -> list[Stretch]:
    """The stretches, each with the times of day that count: where one ends and the next begins, of both or of none."""
    timed = [found[0]]
    for each in found[1:]:
        at = each.starts_time if _counts(ramp, timed[-1], each) else MIDNIGHT
        timed[-1:] = [replace(timed[-1], ends_time=at), replace(each, starts_time=at)]
    return timed


def _counts(ramp: Ramp, was: Stretch, then: Stretch) -> bool:
    """Whether the time of the day counts on which a stretch takes the place of one.

    What a meter counts is billed by days. Where a period begins on that day and is not billed yet, only what then holds
    bills it, and so all of the day. Where the one begins on that day itself, the other begins when it did.
    """
    if then.starts_on == was.starts_on:
        return True
    price = ramp.prices[was.held.price]
    if price.meter_id or ramp.prices[then.held.price].meter_id:
        return False
    anchor, unit, every, day = (
        ramp.facts.anchor,
        unit_of(price.unit, price.dates),
        price.every,
        then.starts_on,
    )
    if period_on(anchor, unit, every, day).start != day:
        return True
    billed = (item.billed_through for item in ramp.facts.items if item.item_id == ramp.base.pk)
    return was.starts_on == ramp.base.starts_on and any(through > day for through in billed)


def _bound(row: SubscriptionItem, wanted: Stretch) -> None:
    now = (row.ends_on, row.ends_time, row.paused)
    if now != (wanted.ends_on, wanted.ends_time, wanted.paused):
        row.ends_on, row.ends_time, row.paused = wanted.ends_on, wanted.ends_time, wanted.paused
        row.touch("ends_on", "ends_time", "paused")


def _begin_otherwise(subscription: Subscription, ramp: Ramp, held: Held) -> None:
    """Another item in the place of the base; that one never bills, and what is billed of it is credited."""
    was = ramp.base
    ramp.base = SubscriptionItem.objects.create(
        subscription=subscription,
        price_id=held.price,
        quantity=held.quantity,
        starts_on=was.starts_on,
        starts_time=was.starts_time,
        role=PLAN,
    )
    was.paused = False
    was.touch("paused")
    empty(was)


def _price(ramp: Ramp, step: Step, before: Held) -> Price | None:
    """The price that is wished; None where it stays."""
    if step.price is None and step.unit_price is None:
        return None
    price = step.price or ramp.prices[before.price]
    if step.unit_price is not None:
        price = own_price(price, step.unit_price)
    ramp.prices[price.pk] = price
    return price


def _require_plan(ramp: Ramp, held: Held, subscription: Subscription, known: set[int | None]) -> None:
    price = ramp.prices[held.price]
    if price.unit == ONCE:
        problem = "A plan is a price that comes again."
        raise Invalid(problem, fields={"price": problem})
    require_sellable(price, held.quantity, subscription.price.currency, retired=price.pk in known)


def _require_sellable(ramp: Ramp, each: Stretch, subscription: Subscription) -> None:
    try:
        require_sellable(
            ramp.prices[each.held.price], each.held.quantity, subscription.price.currency, retired=True
        )
    except Invalid as error:
        raise Invalid(f"From {each.starts_on} on: {error.message}", fields=error.fields) from error


def said_at(place: str, error: Invalid) -> Invalid:
    """A refusal of what was said at a place in what was sent."""
    return Invalid(error.message, fields={f"{place}{name}": why for name, why in error.fields.items()})


def take_steps(subscription: Subscription, steps: Sequence[Step], today: date) -> None:
    """Lay the steps that a subscription begins with, by their days. Raises Invalid at the place: `steps.0.on`."""
    ramp = ramp_of(subscription)
    days: dict[date, int] = {}
    for n, step in enumerate(steps):
        try:
            require_time(subscription, step.on, step.at)
            day = day_of(ramp, step, today)
            require_day(ramp, day, None)
            if day in days or day == ramp.base.starts_on:
                problem = "Another day: something begins on this one already."
                raise Invalid(problem, fields={"on": problem})  # noqa: TRY301 - named at its place below
        except Invalid as error:
            raise said_at(f"steps.{n}.", error) from error
        days[day] = n
    for day in sorted(days):
        try:
            say(subscription, ramp, steps[days[day]], day, today)
        except Invalid as error:
            raise said_at(f"steps.{days[day]}.", error) from error
    lay(subscription, ramp, ramp.pause)

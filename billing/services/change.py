"""Another price or quantity for a subscription's plan, from a day on."""

from datetime import date
from decimal import Decimal

from billing.domain.days import day_problem
from billing.domain.dues import cut_at, period_end, plan_on
from billing.domain.facts import SubscriptionFacts
from billing.models import ONCE, PLAN, Price, Subscription, SubscriptionItem
from billing.selectors import subscription_facts
from billing.services.subscriptions import (
    changed,
    empty,
    live_one,
    require_recent,
    require_sellable,
    require_unused,
    schedule,
)
from core.errors import Conflict, Invalid
from core.locks import lock


def change(
    public_id: str,
    *,
    price: Price | None = None,
    quantity: Decimal | None = None,
    on: date | None = None,
    today: date,
) -> Subscription:
    """Bill a subscription's plan at another price or quantity from a local date on. Inside work().

    By default from the end of the period under way, so that nothing is prorated; within a period each price bills its
    days, and what is billed of the old one beyond the day is credited by the next run, as the subscription's proration
    says. What was set for later before is replaced, the price and quantity of today are what it comes back to; the same
    wish again changes nothing. Raises Invalid for a day before the plan's last change or at or after the end, a price
    in another currency or not offered, one that is owed once, a quantity below zero, and when nothing would change;
    Conflict when it is paused or has ended.
    """
    subscription = live_one(public_id)
    _require_going_on(subscription)
    facts, now, later = _plan_items(subscription)
    if later is not None and later.starts_on <= today and (on is None or on > later.starts_on):
        now, later = later, None  # in force, billed or not: its days stay, the change comes after it
    wanted_price, wanted_quantity = price or now.price, now.quantity if quantity is None else quantity
    _require_plan(wanted_price, wanted_quantity, subscription, now)
    day = _day(facts, now, on, today)
    wish = (wanted_price.pk, wanted_quantity, day)
    if later is not None and wish == (later.price_id, later.quantity, later.starts_on):
        return subscription
    if (wanted_price.pk, wanted_quantity) == (now.price_id, now.quantity):
        if later is None and day == now.starts_on:
            return subscription
        if later is None:
            raise Invalid("Nothing would change.", fields={"price": "Another price, or another quantity."})
        return _put_back(subscription, now, later)
    if later is not None:
        empty(later)
    now.ends_on = day
    now.touch("ends_on")
    SubscriptionItem.objects.create(
        subscription=subscription, price=wanted_price, quantity=wanted_quantity, starts_on=day, role=PLAN
    )
    return changed(schedule(_shown(subscription, today), items=True), "plan", day)


def revoke_change(public_id: str, *, today: date) -> Subscription:
    """Take back what was set for later and not billed yet; without such a change nothing happens. Inside work().

    Raises Conflict where it is in force, and when the subscription is paused or has ended.
    """
    subscription = live_one(public_id)
    _require_going_on(subscription)
    _facts, now, later = _plan_items(subscription)
    if later is None:
        return subscription
    if later.starts_on <= today:
        raise Conflict("That change is in force already; change it again.")
    return _put_back(subscription, now, later)


def _require_going_on(subscription: Subscription) -> None:
    """Refuse to change a plan that a pause ends, as long as nobody knows when it goes on: the pause would be lost."""
    if subscription.paused_on is not None and subscription.resumes_on is None:
        raise Conflict(f"It is paused from {subscription.paused_on} on; go on with it first.")


def _plan_items(
    subscription: Subscription,
) -> tuple[SubscriptionFacts, SubscriptionItem, SubscriptionItem | None]:
    """The facts, the plan's item that is billed now, and the one that takes its place later; locked.

    Once a period of the old one was cut at the change and billed, the change is no longer to come; what begins after a
    pause takes no place.
    """
    rows = SubscriptionItem.objects.filter(subscription=subscription, role=PLAN).select_related("price")
    chain = sorted(
        (row for row in lock(rows) if row.ends_on is None or row.ends_on > row.starts_on),
        key=lambda row: row.starts_on,
    )
    (facts,) = subscription_facts([subscription.pk])
    known = {item.item_id: item for item in facts.items}
    if len(chain) > 1 and chain[-2].ends_on == chain[-1].starts_on:
        now, later = (known[each.pk] for each in chain[-2:])
        cut = cut_at(facts, now, later.starts_on)
        if later.billed_through == later.starts_on and not cut:
            return facts, chain[-2], chain[-1]
    return facts, chain[-1], None


def _require_plan(price: Price, quantity: Decimal, subscription: Subscription, now: SubscriptionItem) -> None:
    if price.unit == ONCE:
        problem = "A plan is a price that comes again."
        raise Invalid(problem, fields={"price": problem})
    require_sellable(price, quantity, subscription.price.currency, retired=price.pk == now.price_id)


def _day(facts: SubscriptionFacts, now: SubscriptionItem, on: date | None, today: date) -> date:
    item = next(each for each in facts.items if each.item_id == now.pk)
    day = on or period_end(facts, item, today)
    if problem := day_problem(day):
        raise Invalid(problem, fields={"on": problem})
    if day < now.starts_on:
        problem = f"It changed on {now.starts_on}; from then on."
        raise Invalid(problem, fields={"on": problem})
    require_recent("on", day, today)
    require_unused([item], day)
    if facts.ends_on is not None and day >= facts.ends_on:
        problem = f"It ends on {facts.ends_on}."
        raise Invalid(problem, fields={"on": problem})
    return day


def _put_back(subscription: Subscription, now: SubscriptionItem, later: SubscriptionItem) -> Subscription:
    empty(later)
    now.ends_on = None
    now.touch("ends_on")
    return changed(schedule(_shown(subscription, now.starts_on), items=True), "plan", None)


def _shown(subscription: Subscription, today: date) -> Subscription:
    """Let the subscription show the price and quantity of the plan that is in force today."""
    (facts,) = subscription_facts([subscription.pk])
    plan = plan_on(facts, today)
    if (plan.price_id, plan.quantity) != (subscription.price_id, subscription.quantity):
        subscription.price_id, subscription.quantity = plan.price_id, plan.quantity
        subscription.touch("price", "quantity")
    return subscription

"""Pausing a subscription, going on with it, and taking it up again when it was ended."""

from collections.abc import Mapping, Sequence
from copy import copy
from datetime import date, time
from decimal import Decimal

from django.db.models import QuerySet

from billing.domain.charges import ENDED
from billing.domain.days import day_problem
from billing.domain.dues import cut_at, period_end, plan_on, stops
from billing.domain.facts import SubscriptionFacts
from billing.domain.proration import MIDNIGHT
from billing.domain.ramps import Pause
from billing.events import SubscriptionPaused, SubscriptionResumed
from billing.models import ONCE, PLAN, Subscription, SubscriptionItem
from billing.selectors import subscription_facts
from billing.services.steps import lay, ramp_of
from billing.services.subscriptions import empty, live_one, require_recent, require_unused, schedule
from core.errors import Conflict, Invalid
from core.events import emit
from core.locks import lock, lock_one
from customers.services.customers import hold, take_on

_Going = Sequence[tuple[SubscriptionItem, SubscriptionItem]]
"""What was paused, each with what goes on for it."""


def pause(
    public_id: str, *, on: date | None = None, resumes_on: date | None = None, today: date
) -> Subscription:
    """Bill nothing of a subscription from a local date on, until a day that is known or not. Inside work().

    By default from the end of the period under way. What is billed beyond the day is credited by the next run, as the
    subscription's proration says. Items end and others begin in their place on `resumes_on`; periods are counted as
    before. Steps of the plan stay for their days: those within the pause hold when it is over. The same wish again
    changes nothing. Raises Invalid for days out of order or beyond its end, for a day before the plan's last change
    that is billed, and where something beside the plan begins or ends after the day; Conflict when it is paused or has
    ended.
    """
    subscription = live_one(public_id)
    (facts,) = subscription_facts([subscription.pk])
    day = on or period_end(facts, plan_on(facts, today), today)
    if subscription.paused_on is not None and _goes_on_later(subscription, today):
        if (subscription.paused_on, subscription.resumes_on) == (day, resumes_on):
            return subscription
        raise Conflict("It is paused already; go on with it first.")
    _require_days(subscription, day, resumes_on, today)
    require_unused(facts.items, day)
    rows = _in_force(subscription, day)
    for row in lock(SubscriptionItem.objects.filter(subscription=subscription, paused=True)):
        row.paused = False  # of a pause that is over: what took its place is what this one ends
        row.touch("paused")
    ramp = ramp_of(subscription)
    if day < ramp.base.starts_on:
        raise _begins_or_ends(ramp.base.starts_on)
    for row in rows:
        row.ends_on, row.paused = day, True
        row.touch("ends_on", "paused")
    if resumes_on is not None:
        _begin_again(rows, resumes_on)
    lay(subscription, ramp, Pause(day, resumes_on))
    subscription.paused_on, subscription.resumes_on = day, resumes_on
    subscription.touch("paused_on", "resumes_on")
    paused = schedule(subscription)
    emit(
        SubscriptionPaused(
            paused.public_id, paused.version, customer=paused.customer.public_id, paused_on=str(day),
            resumes_on=None if resumes_on is None else str(resumes_on),
        )
    )  # fmt: skip
    return paused


def resume(public_id: str, *, on: date, today: date) -> Subscription:
    """Go on with a paused subscription on a local date, or take a pause back that has not begun. Inside work().

    Raises Invalid for an archived customer and for a day at or beyond its end, Conflict when it is not paused, or went
    on and was billed already.
    """
    subscription, paused_on = _paused_one(public_id)
    take_on(subscription.customer.public_id)
    if subscription.resumes_on == on:
        return subscription
    if subscription.ends_on is not None and on >= subscription.ends_on:
        problem = f"It ends on {subscription.ends_on}."
        raise Invalid(problem, fields={"on": problem})
    require_recent("on", on, today)
    ramp = ramp_of(subscription)
    known = {item.item_id: item for item in ramp.facts.items}
    items = lock(_beside(subscription))
    paused = [row for row in items if row.paused and row.ends_on == paused_on]
    going = _going_on(subscription, paused, items)
    later = [row for was, row in going if row is not was]
    if ramp.pause is None or any(known[row.pk].billed_through > row.starts_on for row in later):
        raise Conflict("It went on already.")
    back = on <= paused_on and not any(
        cut_at(ramp.facts, known[row.pk], row.ends_on) for row in [ramp.base, *paused]
    )
    again = [copy(row) for _was, row in going]
    for row in later:
        empty(row)
    if back:
        _take_back(paused, [was for was, _row in going], again)
        subscription.paused_on = subscription.resumes_on = None
    else:
        subscription.resumes_on = max(on, paused_on)
        _begin_again(again, subscription.resumes_on)
    lay(subscription, ramp, None if back else Pause(paused_on, subscription.resumes_on))
    subscription.touch("paused_on", "resumes_on")
    return _resumed(subscription, on, "paused")


def _paused_one(public_id: str) -> tuple[Subscription, date]:
    """The subscription, locked with its customer, and the day from which it is paused; raises Conflict."""
    _hold_its_customer(public_id)
    subscription = live_one(public_id, paused=True)
    if subscription.paused_on is None:
        raise Conflict("It is not paused.")
    return subscription, subscription.paused_on


def _hold_its_customer(public_id: str) -> None:
    """Lock the customer before the subscription, as runs do: it must not be archived while something begins again."""
    hold(Subscription.objects.filter(public_id=public_id).values("customer_id"))


def reactivate(public_id: str, *, on: date | None = None, today: date) -> Subscription:
    """Take back an end that has not come, or begin again on a local date what has ended. Inside work().

    What has ended begins again with all that it billed to its end, at the same prices and quantities; periods are
    counted as before. By default from today on, or from its end, when that is later. Steps of the plan hold from their
    days on, also those that its end came before. Raises Invalid for an archived customer and for a day before its end,
    Conflict when it has no end.
    """
    _hold_its_customer(public_id)
    subscription = lock_one(Subscription.objects.filter(public_id=public_id))
    ended = subscription.ends_on
    if ended is None:
        raise Conflict("It has no end.")
    (facts,) = subscription_facts([subscription.pk])
    take_on(subscription.customer.public_id)
    settled = subscription.state == ENDED or any(cut_at(facts, item, ended) for item in facts.items)
    if not settled and (on is None or on <= ended):
        return _resumed(_endless(subscription), ended, "ended")
    day = on or max(ended, today)
    require_recent("on", day, today)
    if day < ended:
        problem = f"It ended on {ended}; from then on."
        raise Invalid(problem, fields={"on": problem})
    if problem := day_problem(day):
        raise Invalid(problem, fields={"on": problem})
    _again_after_its_end(subscription, facts, ended, day)
    _endless(subscription)
    ramp = ramp_of(subscription)
    lay(subscription, ramp, ramp.pause)
    return _resumed(subscription, day, "ended")


def _endless(subscription: Subscription) -> Subscription:
    subscription.ends_on, subscription.ends_time, subscription.refund = None, MIDNIGHT, False
    subscription.ended_by_customer = False
    subscription.touch("ends_on", "ends_time", "refund", "ended_by_customer")
    return subscription


def _again_after_its_end(
    subscription: Subscription, facts: SubscriptionFacts, ended: date, day: date
) -> None:
    """End each item where the subscription ended, and begin again what would be in force on the day.

    What was to begin later begins as it was to, so a pause that is known to end goes on, and one that was to come
    comes; another in the place of what was billed and taken back. On the day of the end it begins when what was billed
    stopped.
    """
    credited = {item.item_id for item in facts.items if item.credited}
    stopped = stops(facts, ended)
    rows = lock(SubscriptionItem.objects.filter(subscription=subscription).select_related("price"))
    lived = [row for row in rows if row.ends_on != row.starts_on]
    over = [row for row in lived if row.ends_on is None or row.ends_on > ended]
    again_at = stopped if day == ended else {}
    over = [
        row
        for row in over
        if row.starts_on < max(ended, day)
        or row.pk in credited
        or (row.starts_on == day and row.starts_time != again_at.get(row.pk, row.starts_time))
    ]
    later = [row for row in over if row.starts_on > day]
    again = [
        row
        for row in over
        if row not in later
        and (row.ends_on is None or row.ends_on > day)
        and (row.price.unit != ONCE or row.starts_on >= ended)
    ]
    off = subscription.paused_on
    if off is not None and off <= day and subscription.resumes_on is None:
        again += [row for row in rows if row.paused and row.ends_on == off]
        subscription.resumes_on = day
        subscription.touch("resumes_on")
    _begin_again(again, day, again_at)
    for row in later:
        _begin_again([row], row.starts_on)
    for row in over:
        row.ends_on, row.paused = max(ended, row.starts_on), False
    for row in [*over, *(row for row in lived if row.ends_on == ended and row not in over)]:
        row.ends_time = stopped[row.pk] if ended > row.starts_on else row.starts_time
        row.touch("ends_on", "ends_time", "paused")


def _resumed(subscription: Subscription, on: date, was: str) -> Subscription:
    row = schedule(subscription, items=True)
    emit(
        SubscriptionResumed(row.public_id, row.version, customer=row.customer.public_id, on=str(on), was=was)
    )
    return row


def _going_on(
    subscription: Subscription, paused: Sequence[SubscriptionItem], items: Sequence[SubscriptionItem]
) -> _Going:
    """What was paused, each with what goes on for it: itself, as long as nobody knows when.

    What was ended since goes on with nothing, and what was added for the same day is of no pause.
    """
    if subscription.resumes_on is None:
        return [(row, row) for row in paused]
    later = [row for row in items if row.starts_on == subscription.resumes_on != row.ends_on]
    found = []
    for was in paused:
        for row in later:
            if row.role == was.role and _terms(row) == _terms(was):
                later.remove(row)
                found.append((was, row))
                break
    return found


def _terms(row: SubscriptionItem) -> tuple[int, Decimal]:
    return row.price_id, row.quantity


def _take_back(
    paused: Sequence[SubscriptionItem], going: Sequence[SubscriptionItem], again: Sequence[SubscriptionItem]
) -> None:
    """Let what was paused go on up to the end that it has after the pause, if any; the rest has ended."""
    for was, row in zip(going, again, strict=True):
        was.ends_on = None if row.pk == was.pk else row.ends_on
    for was in paused:
        was.paused = False
        was.touch("ends_on", "paused")


def _goes_on_later(subscription: Subscription, today: date) -> bool:
    """Whether a pause is to come or under way."""
    return subscription.resumes_on is None or subscription.resumes_on > today


def _require_days(subscription: Subscription, day: date, resumes_on: date | None, today: date) -> None:
    for field, each in (("on", day), ("resumes_on", resumes_on)):
        if each is not None and (problem := day_problem(each)):
            raise Invalid(problem, fields={field: problem})
    if resumes_on is not None and resumes_on <= day:
        problem = f"It is paused from {day} on; a day after that."
        raise Invalid(problem, fields={"resumes_on": problem})
    last = max(day, resumes_on or day)
    if subscription.ends_on is not None and last >= subscription.ends_on:
        problem = f"It ends on {subscription.ends_on}."
        raise Invalid(problem, fields={"on" if last == day else "resumes_on": problem})
    if day < subscription.starts_on:
        problem = f"It begins on {subscription.starts_on}."
        raise Invalid(problem, fields={"on": problem})
    require_recent("on", day, today)


def _beside(subscription: Subscription) -> "QuerySet[SubscriptionItem]":
    """What recurs beside the plan."""
    return (
        SubscriptionItem.objects.filter(subscription=subscription)
        .exclude(role=PLAN)
        .exclude(price__unit=ONCE)
    )


def _in_force(subscription: Subscription, day: date) -> list[SubscriptionItem]:
    """What recurs beside the plan on a day, locked; raises Invalid where something begins or ends after it, which
    would be lost.
    """
    lived = [row for row in lock(_beside(subscription)) if row.ends_on != row.starts_on]
    later = [row.starts_on for row in lived if row.starts_on > day]
    later += [row.ends_on for row in lived if row.ends_on is not None and row.ends_on > day]
    if later:
        raise _begins_or_ends(min(later))
    return [row for row in lived if row.ends_on is None]


def _begins_or_ends(day: date) -> Invalid:
    problem = f"Something of it begins or ends on {day}: take that back first, or pause from then on."
    return Invalid(problem, fields={"on": problem})


def _begin_again(rows: Sequence[SubscriptionItem], day: date, at: Mapping[int, time] | None = None) -> None:
    """Others in their place, up to what ends them after that day; by seconds from a time of it on, by their ids.

    What began on that day itself begins when it did, where nothing else is said.
    """
    SubscriptionItem.objects.bulk_create(
        SubscriptionItem(
            subscription=row.subscription,
            price_id=row.price_id,
            quantity=row.quantity,
            role=row.role,
            starts_on=day,
            starts_time=(at or {}).get(row.pk, row.starts_time if row.starts_on == day else MIDNIGHT),
            ends_on=row.ends_on if later else None,
            ends_time=row.ends_time if later else MIDNIGHT,
            paused=row.paused and later,
        )
        for row in rows
        for later in [row.ends_on is not None and row.ends_on > day]
    )

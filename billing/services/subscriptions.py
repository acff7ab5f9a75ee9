"""Who subscribes to what: from when, to when, and what is added to it."""

from collections.abc import Mapping, Sequence
from datetime import date, time, timedelta
from decimal import Decimal

from django.db import IntegrityError, transaction

from billing.domain.anchors import Rhythm
from billing.domain.charges import ENDED, PAUSED, state_of
from billing.domain.days import begun_for, day_problem
from billing.domain.dues import billed_through, cut_at, next_due, period_end, plan_on, settled_to
from billing.domain.facts import ItemFacts
from billing.domain.proration import MIDNIGHT
from billing.events import SubscriptionChanged, SubscriptionCreated, SubscriptionEnded
from billing.models import (
    ADDED,
    FEE,
    MOST_QUANTITY,
    ONCE,
    PLAN,
    AcceptedFinding,
    HeldSubscription,
    Price,
    Subscription,
    SubscriptionItem,
)
from billing.selectors import subscription_facts
from billing.services.mrr import keep_movements
from core.errors import Conflict, Invalid, NotFound
from core.events import emit
from core.locks import lock_one
from core.periods import DATES
from customers.services.customers import take_on
from customers.services.methods import live_methods

PLAIN = Rhythm()
"""Billed from the first day on, by periods that are counted from it."""


class ExternalIdTaken(Conflict):
    """Another subscription has this id of another system."""

    code = "external_id_taken"


def subscribe(
    *,
    customer: str,
    price: Price,
    starts_on: date,
    quantity: Decimal = Decimal(1),
    autopay: bool | None = None,
    ends_on: date | None = None,
    rhythm: Rhythm = PLAIN,
    added: Sequence[tuple[Price, Decimal]] = (),
    external_id: str = "",
    metadata: Mapping[str, str] | None = None,
) -> Subscription:
    """Subscribe a customer (public id) to a plan's price from a local date in the customer's zone. Inside work().

    `autopay` None: its invoices are charged by themselves if the customer keeps a card.
    `added` are prices beside the plan's, with their quantities, from the same day on. It is billed from `starts_on` on,
    also in the past, or after a trial, in periods as `rhythm` says. Raises Invalid for an archived customer, a price in
    another currency than the customer's or not offered, a plan that is owed once, a quantity below zero, a day out of
    range, two anchors, one of others where the customer has none, or an end before the start; ExternalIdTaken.
    """
    billed_from = rhythm.first(starts_on)
    days = {"starts_on": starts_on, "ends_on": ends_on, "anchor": rhythm.anchor, "trial_days": billed_from}
    for field, day in days.items():
        if day is not None and (problem := day_problem(day)):
            raise Invalid(problem, fields={field: problem})
    if len(rhythm.said) > 1:
        problem = "Periods are counted in one way."
        raise Invalid(problem, fields=dict.fromkeys(rhythm.said, problem))
    owner = take_on(customer)
    if price.unit == ONCE:
        problem = "A subscription begins with a price that comes again; add what is owed once to it."
        raise Invalid(problem, fields={"price": problem})
    for n, (each, count) in enumerate([(price, quantity), *added]):
        require_sellable(each, count, owner.currency, at=f"added.{n - 1}." if n else "")
    if ends_on is not None and ends_on <= starts_on:
        raise Invalid("It ends before it starts.", fields={"ends_on": "After the start."})
    try:
        with transaction.atomic():
            made: Subscription = Subscription.objects.create(
                customer=owner,
                price=price,
                quantity=quantity,
                starts_on=starts_on,
                trial_ends_on=billed_from if rhythm.trial_days else None,
                anchor=_anchor(rhythm, owner.pk, starts_on),
                proration=rhythm.proration,
                zone=owner.zone,
                ends_on=ends_on,
                autopay=owner.pk in live_methods([owner.pk]) if autopay is None else autopay,
                next_bill_on=billed_from,
                next_bill_at=begun_for(billed_from, owner.zone, owner.entity.zone),
                external_id=external_id,
                metadata=dict(metadata or {}),
            )
    except IntegrityError as error:
        raise ExternalIdTaken(f"Another subscription is called “{external_id}” by your system.") from error
    SubscriptionItem.objects.bulk_create(
        SubscriptionItem(
            subscription=made,
            price=each,
            quantity=count,
            starts_on=billed_from,
            role=_role(each) if n else PLAN,
        )
        for n, (each, count) in enumerate([(price, quantity), *added])
    )
    emit(
        SubscriptionCreated(
            made.public_id, made.version, customer=owner.public_id, price=price.public_id, starts_on=str(starts_on),
            trial_ends_on=str(billed_from) if rhythm.trial_days else None,
        )
    )  # fmt: skip
    return schedule(made)


def _anchor(rhythm: Rhythm, customer_id: int, starts_on: date) -> date:
    """A day on which a period begins; with others that of the oldest of the customer's that has not ended."""
    if not rhythm.with_others:
        return rhythm.anchor_of(starts_on)
    live = Subscription.objects.filter(customer_id=customer_id).exclude(state=ENDED)
    counted = live.exclude(price__unit=DATES)
    anchor: date | None = counted.order_by("pk").values_list("anchor", flat=True).first()
    if anchor is None:
        problem = "The customer has no other subscription, but for those on listed days."
        raise Invalid(problem, fields={"with_others": problem})
    return anchor


def changed(subscription: Subscription, what: str, on: date | None, at: time = MIDNIGHT) -> Subscription:
    """Tell others that what a subscription bills is another from a day on. Emits subscription.changed."""
    emit(
        SubscriptionChanged(
            subscription.public_id, subscription.version, customer=subscription.customer.public_id, what=what,
            on=None if on is None else str(on), at=str(at),
        )
    )  # fmt: skip
    return subscription


def add_item(
    public_id: str,
    *,
    price: Price,
    quantity: Decimal = Decimal(1),
    starts_on: date,
) -> SubscriptionItem:
    """Bill something more with a subscription from a local date on, its first part by the days. Inside work().

    Raises Invalid for a price in another currency or not offered, a quantity below zero, a day before its first or at
    or after its end; Conflict when it has ended, and for what would be billed in a pause.
    """
    subscription = live_one(public_id)
    require_sellable(price, quantity, subscription.price.currency)
    goes_on = subscription.resumes_on
    if subscription.paused_on is not None and price.unit != ONCE and (goes_on is None or starts_on < goes_on):
        raise Conflict(
            f"It is paused from {subscription.paused_on} on; go on with it first, or add this from then on."
        )
    if problem := day_problem(starts_on):
        raise Invalid(problem, fields={"starts_on": problem})
    first, last = subscription.trial_ends_on or subscription.starts_on, subscription.ends_on
    if starts_on < first or (last and starts_on >= last):
        problem = "A day within the subscription."
        raise Invalid(problem, fields={"starts_on": problem})
    item: SubscriptionItem = SubscriptionItem.objects.create(
        subscription=subscription, price=price, quantity=quantity, starts_on=starts_on, role=_role(price)
    )
    changed(schedule(subscription, items=True), "item", starts_on)
    return item


def end_item(public_id: str, *, on: date, today: date, of: str = "") -> SubscriptionItem:
    """Stop billing something that was added, from a local date on. Inside work().

    What is billed beyond the day is credited by the next run, as the subscription's proration says. `of` is the
    subscription it must be of, when that is known; else it is not found. The plan itself ends with its subscription.
    Raises Invalid for a day before the item begins, Conflict for the plan and for what ended on another day. The same
    wish again changes nothing.
    """
    subscription = live_one(_subscription_of(public_id, of))
    item: SubscriptionItem = lock_one(SubscriptionItem.objects.filter(public_id=public_id))
    if item.ends_on == on:
        return item
    if item.role == PLAN:
        raise Conflict("The plan ends with its subscription.")
    (facts,) = subscription_facts([subscription.pk])
    now = next(each for each in facts.items if each.item_id == item.pk)
    if item.ends_on is not None and item.ends_on in {now.billed_through, item.starts_on}:
        raise Conflict("This has ended already.")
    if item.paused and item.ends_on is not None and on > item.ends_on:
        raise Conflict(f"It is paused from {item.ends_on} on; end what goes on after that.")
    problem = day_problem(on)
    if on < item.starts_on:
        problem = f"It begins on {item.starts_on}."
    elif on < now.billed_through and now.unit is None:
        problem = f"It is billed up to {now.billed_through}; what is owed once is not credited by days."
    if problem:
        raise Invalid(problem, fields={"on": problem})
    require_recent("on", on, today)
    require_unused([now], on)
    item.ends_on = on
    item.touch("ends_on")
    changed(schedule(subscription, items=True), "item", on)
    return item


def require_recent(field: str, day: date, today: date) -> None:
    """Refuse a day that lies more than a year back: a wrong year would take back all that was billed since."""
    if day < today - timedelta(days=366):
        problem = "That is more than a year back; correct the invoices themselves."
        raise Invalid(problem, fields={field: problem})


def require_time(subscription: Subscription, on: date | None, at: time) -> None:
    """Refuse a time of day where days are not shared by it, or without its day."""
    problem = ""
    if at != MIDNIGHT and not subscription.by_the_second:
        problem = "Only a subscription that is prorated by the second changes at a time of day."
    elif at != MIDNIGHT and on is None:
        problem = "Say the day, too."
    if problem:
        raise Invalid(problem, fields={"at": problem})


def require_unused(items: Sequence[ItemFacts], day: date) -> None:
    """Refuse a day before the end of usage that is billed: what was used is not taken back by days."""
    billed = [item.billed_through for item in items if item.meter_id and item.billed_through > item.starts_on]
    if billed and day < max(billed):
        problem = f"What was used is billed up to {max(billed)}; from then on."
        raise Invalid(problem, fields={"on": problem})


def empty(item: SubscriptionItem) -> None:
    """An item that never bills: it ends on the day it begins. Rows stay, so that the audit can be read."""
    item.ends_on, item.ends_time = item.starts_on, item.starts_time
    item.touch("ends_on", "ends_time")


def _subscription_of(item: str, expected: str) -> str:
    rows = SubscriptionItem.objects.filter(public_id=item)
    found = rows.values_list("subscription__public_id", flat=True).first()
    if found is None or (expected and found != expected):
        raise NotFound("That item is not here.")
    return str(found)


def live_one(public_id: str, *, paused: bool = False) -> Subscription:
    """The subscription, locked; raises NotFound, and Conflict when it has ended, or is paused and that is not asked."""
    found = lock_one(Subscription.objects.filter(public_id=public_id))
    if found.state == ENDED:
        raise Conflict("This has ended already.")
    if found.state == PAUSED and not paused:
        raise Conflict("It is paused; go on with it first.")
    return found


def _role(price: Price) -> str:
    return FEE if price.unit == ONCE else ADDED


def require_sellable(
    price: Price, quantity: Decimal, currency: str, *, retired: bool = False, at: str = ""
) -> None:
    """Refuse what cannot be sold to a customer billed in `currency`; `at` names the place in what was sent."""
    if price.currency != currency:
        raise Invalid(f"This customer is billed in {currency}.", fields={f"{at}price": "Another currency."})
    if price.retired_at is not None and not retired:
        raise Invalid("This price is not offered any more.", fields={f"{at}price": "Not offered any more."})
    product = price.plan.product
    if product is not None and product.archived_at is not None and not retired:
        problem = f"{product.name} is not offered any more."
        raise Invalid(problem, fields={f"{at}price": problem})
    if price.meter_id is not None and quantity != 1:
        problem = "What its meter counts is the quantity."
        raise Invalid(problem, fields={f"{at}quantity": problem})
    if not quantity.is_finite() or not 0 <= quantity <= MOST_QUANTITY:
        raise Invalid("A quantity is zero or more.", fields={f"{at}quantity": "Zero or more."})


def schedule(subscription: Subscription, *, items: bool = False) -> Subscription:
    """Say when the subscription is due next, as its items stand, or that it has ended; and what it is worth a month.

    Unchanged it stays, unless its `items` were changed: they are part of what was read of it, and so of its version.
    """
    (facts,) = subscription_facts([subscription.pk])
    keep_movements([facts])
    due = next_due(facts)
    day = due or subscription.ends_on or billed_through(facts)
    wanted = {
        "next_bill_on": day,
        "next_bill_at": begun_for(day, facts.zone, facts.seller_zone),
        "state": state_of(facts, due=due is not None),
    }
    other = [name for name, value in wanted.items() if getattr(subscription, name) != value]
    for name in other:
        setattr(subscription, name, wanted[name])
    if other or items:
        subscription.touch(*other)
    if "state" in other and subscription.state == ENDED:
        emit(
            SubscriptionEnded(
                subscription.public_id, subscription.version, customer=subscription.customer.public_id,
                ended_on=str(subscription.ends_on or day), at=str(subscription.ends_time),
            )
        )  # fmt: skip
    return subscription


def release(public_id: str) -> Subscription:
    """Let runs bill a held subscription again; one that is not held stays as it is. Inside work().

    What the gate found of it is right from now on: the same finding with the same figures holds it no more. Natural
    key of that yes: the finding's. A bill that stayed away is due again.
    """
    subscription = lock_one(Subscription.objects.filter(public_id=public_id))
    if subscription.held_at is None:
        return subscription
    last = HeldSubscription.objects.filter(subscription=subscription).order_by("-at", "-id").first()
    AcceptedFinding.objects.bulk_create(
        [
            AcceptedFinding(subscription=subscription, key=each["key"], sentence=each["sentence"][:500])
            for each in (last.findings if last else [])
        ],
        ignore_conflicts=True,
    )
    subscription.held_at, subscription.held_reason = None, ""
    subscription.touch("held_at", "held_reason")
    return subscription if subscription.state == ENDED else schedule(subscription)


def end(
    public_id: str, *, on: date | None = None, at: time = MIDNIGHT, today: date, refund: bool = False
) -> Subscription:
    """End a subscription on a local date, the first that is not billed any more. Inside work().

    By default at the end of the plan's period under way. Prorated by the second what is billed by days goes on to the
    time `at` of a day said, or up to which the plan is settled that day, unless it is the first of a period that is not
    billed. The next run bills what comes before and credits what is billed beyond, as the subscription's proration
    says; with `refund` what was paid of that is asked back to the method it was paid by, else it stays as the
    customer's credit. Where neither is due it ends at once. Raises Invalid for a day before it begins or over a year
    back and for a time that cannot count, Conflict when it ended elsewhen and that is settled. Again changes nothing.
    """
    subscription = lock_one(Subscription.objects.filter(public_id=public_id))
    (facts,) = subscription_facts([subscription.pk])
    day = on or period_end(facts, plan_on(facts, today), today)
    if problem := day_problem(day):
        raise Invalid(problem, fields={"on": problem})
    require_time(subscription, on, at)
    at = max(at, settled_to(facts, day))
    if (subscription.ends_on, subscription.ends_time, subscription.refund) == (day, at, refund):
        return subscription
    if subscription.state == ENDED:
        raise Conflict("This has ended already.")
    if any(cut_at(facts, item, subscription.ends_on) for item in facts.items):
        raise Conflict(f"It is billed up to its end on {subscription.ends_on} already; subscribe again.")
    if day < subscription.starts_on:
        problem = f"It begins on {subscription.starts_on}."
        raise Invalid(problem, fields={"on": problem})
    require_recent("on", day, today)
    require_unused(facts.items, day)
    subscription.ends_on, subscription.ends_time, subscription.refund = day, at, refund
    subscription.ended_by_customer = False
    subscription.touch("ends_on", "ends_time", "refund", "ended_by_customer")
    return changed(schedule(subscription), "end", day, at)

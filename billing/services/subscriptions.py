"""Who subscribes to what: from when, to when, and what is added to it."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from django.db import IntegrityError, transaction

from billing.domain.charges import billed_through, next_due, was_cut
from billing.domain.days import day_problem
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
from core.errors import Conflict, Invalid, NotFound
from core.locks import lock_one
from core.periods import local_midnight
from customers.services.customers import take_on


class ExternalIdTaken(Conflict):
    """Another subscription has this id of another system."""

    code = "external_id_taken"


def subscribe(
    *,
    customer: str,
    price: Price,
    starts_on: date,
    quantity: Decimal = Decimal(1),
    autopay: bool = False,
    ends_on: date | None = None,
    added: Sequence[tuple[Price, Decimal]] = (),
    external_id: str = "",
    metadata: Mapping[str, str] | None = None,
    moved_in: bool = False,
) -> Subscription:
    """Subscribe a customer (public id) to a plan's price from a local date in the customer's zone. Inside work().

    `added` are prices beside the plan's, with their quantities, from the same day on. The first period starts on
    `starts_on`, also in the past. One that is `moved_in` from elsewhere may have a price that is not offered any more.
    Raises Invalid for an archived customer, a price in another currency than the customer's or not offered, a plan
    that is owed once, a quantity below zero, a day out of range, or an end before the start; ExternalIdTaken.
    """
    for field, day in (("starts_on", starts_on), ("ends_on", ends_on)):
        if day is not None and (problem := day_problem(day)):
            raise Invalid(problem, fields={field: problem})
    owner = take_on(customer)
    if price.unit == ONCE:
        problem = "A subscription begins with a price that comes again; add what is owed once to it."
        raise Invalid(problem, fields={"price": problem})
    for n, (each, count) in enumerate([(price, quantity), *added]):
        require_sellable(each, count, owner.currency, retired=moved_in, at=f"added.{n - 1}." if n else "")
    if ends_on is not None and ends_on <= starts_on:
        raise Invalid("It ends before it starts.", fields={"ends_on": "After the start."})
    try:
        with transaction.atomic():
            made: Subscription = Subscription.objects.create(
                customer=owner,
                price=price,
                quantity=quantity,
                anchor=starts_on,
                zone=owner.zone,
                ends_on=ends_on,
                autopay=autopay,
                next_bill_on=starts_on,
                next_bill_at=local_midnight(starts_on, owner.zone),
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
            starts_on=starts_on,
            role=_role(each) if n else PLAN,
        )
        for n, (each, count) in enumerate([(price, quantity), *added])
    )
    return schedule(made)


def add_item(
    public_id: str,
    *,
    price: Price,
    quantity: Decimal = Decimal(1),
    starts_on: date,
    moved_in: bool = False,
) -> SubscriptionItem:
    """Bill something more with a subscription from a local date on, its first part by the days. Inside work().

    One that is `moved_in` from elsewhere may have a price that is not offered any more. Raises Invalid for a price in
    another currency or not offered, a quantity below zero, a day before the subscription's first or at or after its
    end; Conflict when it has ended.
    """
    subscription = live_one(public_id)
    require_sellable(price, quantity, subscription.price.currency, retired=moved_in)
    if problem := day_problem(starts_on):
        raise Invalid(problem, fields={"starts_on": problem})
    if starts_on < subscription.anchor or (subscription.ends_on and starts_on >= subscription.ends_on):
        problem = "A day within the subscription."
        raise Invalid(problem, fields={"starts_on": problem})
    item: SubscriptionItem = SubscriptionItem.objects.create(
        subscription=subscription, price=price, quantity=quantity, starts_on=starts_on, role=_role(price)
    )
    schedule(subscription, items=True)
    return item


def end_item(public_id: str, *, on: date, of: str = "") -> SubscriptionItem:
    """Stop billing something that was added, from a local date on that is not billed yet. Inside work().

    `of` is the subscription it must be of, when that is known; else it is not found. The plan itself ends with its
    subscription. Raises Invalid for a day that is billed already or before the item begins, Conflict for the plan and
    for what ended on another day. The same wish again changes nothing.
    """
    subscription = live_one(_subscription_of(public_id, of))
    item: SubscriptionItem = lock_one(SubscriptionItem.objects.filter(public_id=public_id))
    if item.ends_on == on:
        return item
    if item.role == PLAN:
        raise Conflict("The plan ends with its subscription.")
    (facts,) = subscription_facts([subscription.pk])
    through = next(each.billed_through for each in facts.items if each.item_id == item.pk)
    if item.ends_on is not None and item.ends_on <= through:
        raise Conflict("This has ended already.")
    problem = day_problem(on)
    if on < through:
        problem = f"It is billed up to {through}; end it then, and credit what is too much."
    if problem:
        raise Invalid(problem, fields={"on": problem})
    item.ends_on = on
    item.touch("ends_on")
    schedule(subscription, items=True)
    return item


def _subscription_of(item: str, expected: str) -> str:
    rows = SubscriptionItem.objects.filter(public_id=item)
    found = rows.values_list("subscription__public_id", flat=True).first()
    if found is None or (expected and found != expected):
        raise NotFound("That item is not here.")
    return str(found)


def live_one(public_id: str) -> Subscription:
    """The subscription, locked; raises NotFound, and Conflict when it has ended."""
    found = lock_one(Subscription.objects.filter(public_id=public_id))
    if found.state != "active":
        raise Conflict("This has ended already.")
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
    if price.meter_id is not None and quantity != 1:
        problem = "What its meter counts is the quantity."
        raise Invalid(problem, fields={f"{at}quantity": problem})
    if not quantity.is_finite() or not 0 <= quantity <= MOST_QUANTITY:
        raise Invalid("A quantity is zero or more.", fields={f"{at}quantity": "Zero or more."})


def schedule(subscription: Subscription, *, items: bool = False) -> Subscription:
    """Say when the subscription is due next, as its items stand, or that it has ended.

    Unchanged it stays, unless its `items` were changed: they are part of what was read of it, and so of its version.
    """
    (facts,) = subscription_facts([subscription.pk])
    due = next_due(facts)
    day = due or subscription.ends_on or billed_through(facts)
    wanted = {
        "next_bill_on": day,
        "next_bill_at": local_midnight(day, subscription.zone),
        "state": "active" if due else "ended",
    }
    changed = [name for name, value in wanted.items() if getattr(subscription, name) != value]
    for name in changed:
        setattr(subscription, name, wanted[name])
    return subscription.touch(*changed) if changed or items else subscription


def amend(
    public_id: str,
    *,
    ends_on: date | None = None,
    external_id: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Subscription:
    """Change what may change of a subscription: its end, as `end` does, and what other systems keep with it.

    What is None stays. Inside work(). Raises what `end` raises, and ExternalIdTaken.
    """
    subscription = lock_one(Subscription.objects.filter(public_id=public_id))
    changed = {"external_id": external_id, "metadata": None if metadata is None else dict(metadata)}
    fields = [
        name for name, value in changed.items() if value is not None and value != getattr(subscription, name)
    ]
    for name in fields:
        setattr(subscription, name, changed[name])
    if fields:
        try:
            with transaction.atomic():
                subscription.touch(*fields)
        except IntegrityError as error:
            raise ExternalIdTaken(
                f"Another subscription is called “{external_id}” by your system."
            ) from error
    return subscription if ends_on is None else end(public_id, on=ends_on)


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
    subscription.held_at = None
    subscription.held_reason = ""
    subscription.touch("held_at", "held_reason")
    return schedule(subscription) if subscription.state == "active" else subscription


def end(public_id: str, *, on: date) -> Subscription:
    """End a subscription on a local date, the first that is not billed any more. Inside work().

    Ends at once when it is billed up to that day, else the run bills what comes before it. Raises Invalid for a day
    before what is billed already, which a credit note takes back, Conflict when it ended on another day or something is
    billed up to its end: that period was cut there. The same wish again changes nothing.
    """
    subscription = lock_one(Subscription.objects.filter(public_id=public_id))
    if problem := day_problem(on):
        raise Invalid(problem, fields={"on": problem})
    if subscription.ends_on == on:
        return subscription
    if subscription.state != "active":
        raise Conflict("This has ended already.")
    (facts,) = subscription_facts([subscription.pk])
    through = billed_through(facts)
    if any(was_cut(facts, item) and item.billed_through == subscription.ends_on for item in facts.items):
        raise Conflict(f"It is billed up to its end on {subscription.ends_on} already; subscribe again.")
    if on < through:
        problem = f"It is billed up to {through}; end it then, and credit what is too much."
        raise Invalid(problem, fields={"on": problem})
    subscription.ends_on = on
    subscription.touch("ends_on")
    return schedule(subscription)

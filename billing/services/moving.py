"""Taking over a subscription that was begun elsewhere, such as the live one's in its sandbox, where it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import Any

from billing.domain.days import begun_for
from billing.domain.proration import MIDNIGHT
from billing.events import SubscriptionCreated
from billing.models import (
    PLAN,
    Coupon,
    Price,
    Subscription,
    SubscriptionDiscount,
    SubscriptionItem,
    SubscriptionStep,
)
from billing.services.subscriptions import require_sellable, schedule
from core import clock
from core.events import emit
from customers.services.customers import take_on


@dataclass(frozen=True, slots=True)
class MovedItem:
    """What is left to bill of an item: from its first day that is not billed. `price` is what it is called there."""

    price: str
    quantity: Decimal
    role: str
    starts_on: date
    ends_on: date | None
    paused: bool = False
    starts_time: time = MIDNIGHT
    ends_time: time = MIDNIGHT


@dataclass(frozen=True, slots=True)
class MovedStep:
    """What was said of the plan from a day on, see SubscriptionStep; the price is what it is called there, or empty."""

    on: date
    price: str
    quantity: Decimal | None
    at: time = MIDNIGHT
    by_customer: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """A subscription as it stands elsewhere. `terms` are columns of it, `discounts` what it has off still, by columns.

    A discount's `coupon` is a code. Items are in the order of their lines; `steps` are those that they follow from.
    """

    external_id: str
    terms: Mapping[str, Any]
    items: Sequence[MovedItem]
    discounts: Sequence[Mapping[str, Any]] = ()
    steps: Sequence[MovedStep] = ()

    @property
    def prices(self) -> set[str]:
        """All prices that it names."""
        return {item.price for item in self.items} | {step.price for step in self.steps if step.price}


def move_in(moved: Moved, *, customer: str, prices: Mapping[str, Price]) -> Subscription:
    """Go on with a subscription for a customer (public id) where it stands: its next bills are those it would have had.

    Its days stay as they are: anchor, trial, pause and end, of items and of discounts, and what changes later. Prices
    may be no longer offered. Natural key: the external id. Emits SubscriptionCreated. Raises Invalid for an archived
    customer and a price in another currency than the customer's. Inside work().
    """
    owner = take_on(customer)
    for each in moved.items:
        require_sellable(prices[each.price], each.quantity, owner.currency, retired=True)
    today = clock.today(moved.terms["zone"])
    plan = _plan_on(moved.items, today)
    first = min(each.starts_on for each in moved.items)
    made: Subscription = Subscription.objects.create(
        customer=owner,
        price=prices[plan.price],
        quantity=plan.quantity,
        external_id=moved.external_id,
        next_bill_on=first,
        next_bill_at=begun_for(first, moved.terms["zone"], owner.entity.zone),
        **moved.terms,
    )
    SubscriptionItem.objects.bulk_create(
        SubscriptionItem(
            subscription=made, price=prices[each.price], quantity=each.quantity, role=each.role,
            starts_on=each.starts_on, starts_time=each.starts_time,
            ends_on=each.ends_on, ends_time=each.ends_time, paused=each.paused,
        )
        for each in moved.items
    )  # fmt: skip
    SubscriptionStep.objects.bulk_create(
        SubscriptionStep(
            subscription=made, on=each.on, at=each.at, price=prices.get(each.price), quantity=each.quantity,
            by_customer=each.by_customer,
        )
        for each in moved.steps
    )  # fmt: skip
    _take_off(made, moved.discounts)
    trial = made.trial_ends_on
    emit(
        SubscriptionCreated(
            made.public_id, made.version, customer=owner.public_id, price=made.price.public_id,
            starts_on=str(made.starts_on), trial_ends_on=str(trial) if trial else None,
        )
    )  # fmt: skip
    return schedule(made)


def _take_off(made: Subscription, discounts: Sequence[Mapping[str, Any]]) -> None:
    """What was off stays off for the same days, in the order in which it applied."""
    coupons = {
        row.code: row for row in Coupon.objects.filter(code__in=[each["coupon"] for each in discounts])
    }
    for each in discounts:
        said = {**each, "coupon": coupons.get(each["coupon"])}
        SubscriptionDiscount.objects.create(subscription=made, **said)


def _plan_on(items: Sequence[MovedItem], today: date) -> MovedItem:
    """The plan that is in force on a day, or the first that comes."""
    plans = sorted((each for each in items if each.role == PLAN), key=lambda each: each.starts_on)
    plans = [each for each in plans if each.ends_on != each.starts_on] or plans
    begun = [each for each in plans if each.starts_on <= today]
    return begun[-1] if begun else plans[0]

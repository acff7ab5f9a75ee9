"""What a customer chose on their own page for a day to come, and takes back there: another plan, an end."""

from dataclasses import dataclass
from datetime import date

from billing.domain.charges import ENDED
from billing.domain.dues import plan_on
from billing.events import SubscriptionKeptByCustomer
from billing.models import Price, Subscription, SubscriptionStep
from billing.selectors import subscription_facts
from billing.services.change import revoke_change
from billing.services.lifecycle import reactivate
from billing.services.self_service import NotOffered, confirm
from core.events import emit
from core.locks import lock_one
from customers.services.customers import hold

MAIL = "subscription_kept"
CHANGE, END = "plan", "end"


@dataclass(frozen=True, slots=True)
class Choice:
    """What a customer has set for a local date to come: the price (public id) of another plan, or the end."""

    what: str
    on: date
    price: str = ""


def choices(subscription: Subscription, *, today: date) -> list[Choice]:
    """What its customer has set for days to come and may take back, by day; one query. Inside work().

    Not what took the place of something that the seller had set, nor a change that an end comes before.
    """
    ends = subscription.ends_on
    found = [Choice(END, ends)] if subscription.ended_by_customer and ends and today < ends else []
    if subscription.state == ENDED:
        return found
    steps = SubscriptionStep.objects.filter(subscription=subscription, by_customer=True, on__gt=today)
    days = steps.order_by("on").values_list("on", "price__public_id")
    return [*(Choice(CHANGE, day, price) for day, price in days if ends is None or day < ends), *found]


def take_back(public_id: str, choice: Choice, *, today: date) -> Subscription:
    """Take a choice back as members do, by `revoke_change` or `reactivate`. Inside work().

    Whether it may be is the caller's to know. Raises what those raise.
    """
    if choice.what == END:
        return reactivate(public_id, today=today)
    return revoke_change(public_id, on=choice.on, today=today)


def keep_by_customer(public_id: str, choice: Choice, *, today: date) -> Subscription:
    """Take back what a customer has set, as their page showed it, and confirm it by mail. Inside work().

    It needs no offer, for what they have goes on. What is taken back already stays so, without a mail. Raises
    NotOffered when it is in force, or somebody else has set something in its place. Emits
    subscription.kept_by_customer.
    """
    hold(
        Subscription.objects.filter(public_id=public_id).values("customer_id")
    )  # as runs do, before what is theirs
    row = lock_one(Subscription.objects.select_related("customer").filter(public_id=public_id))
    if choice.on <= today:
        raise NotOffered("Its day has come, so it is not taken back any more. Nothing was changed.")
    if _is_gone(row, choice):
        return row
    if choice not in choices(row, today=today):
        raise NotOffered("This has changed meanwhile. Look at it again; nothing was changed.")
    kept = take_back(public_id, choice, today=today)
    plan = goes_on_with(kept, choice.on).plan
    emit(
        SubscriptionKeptByCustomer(
            kept.public_id, kept.version, customer=row.customer.public_id, what=choice.what, plan=plan.code,
            on=str(choice.on),
        )
    )  # fmt: skip
    confirm(MAIL, kept, f"{choice.what}:{choice.on}:{kept.version}")
    return kept


def goes_on_with(subscription: Subscription, on: date) -> Price:
    """The price, with its plan, that bills a local date as things stand. Inside work()."""
    (facts,) = subscription_facts([subscription.pk])
    return Price.objects.select_related("plan", "meter").get(pk=plan_on(facts, on).price_id)


def _is_gone(row: Subscription, choice: Choice) -> bool:
    if choice.what == END:
        return row.ends_on is None
    return not SubscriptionStep.objects.filter(subscription=row, on=choice.on).exists()

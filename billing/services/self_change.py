"""Another plan, as a customer changes to it on their own page, as far as it is offered."""

from dataclasses import dataclass
from datetime import date

from billing.domain.charges import ACTIVE
from billing.domain.dues import period_end, plan_on
from billing.domain.facts import ItemFacts
from billing.events import SubscriptionChangedByCustomer
from billing.models import NOW, PERIOD_END, Price, Subscription, SubscriptionStep
from billing.offers import is_alike, prices_offered
from billing.selectors import subscription_facts
from billing.services.change import change, revoke_change
from billing.services.self_service import NotOffered, confirm
from core.events import emit
from core.locks import lock_one

MAIL = "subscription_changed"


@dataclass(frozen=True, slots=True)
class WayToChange:
    """A price that the plan may be changed to, `way` when, and the first local date of it.

    `was` is the code of the plan that is in force; not `alike`, the price bills other periods than that.
    """

    price: Price
    way: str
    on: date
    was: str
    alike: bool


def ways_to_change(subscription: Subscription, *, today: date) -> list[WayToChange]:
    """What its customer may change the plan to, and from which local date on. Inside work().

    Nothing for what has an end, has not begun, or is paused or to be, and nothing that is so already. In a trial a
    change holds from what is billed first.
    """
    off, again = subscription.paused_on, subscription.resumes_on
    pausing = off is not None and (again is None or today < again)
    if subscription.state != ACTIVE or subscription.ends_on is not None or pausing:
        return []
    if today < subscription.starts_on:
        return []
    (facts,) = subscription_facts([subscription.pk])
    plan = plan_on(facts, today)
    days = {PERIOD_END: period_end(facts, plan, today), NOW: max(today, plan.starts_on)}
    return [
        WayToChange(price, way, days[way], plan.plan, is_alike(price, plan))
        for way, price in prices_offered(plan, facts.currency)
        if not _begins(plan_on(facts, days[way]), price.pk, days[way])
    ]


def _begins(item: ItemFacts, price_id: int, on: date) -> bool:
    return (item.price_id, item.starts_on) == (price_id, on)


def take(public_id: str, chosen: WayToChange, *, today: date) -> Subscription:
    """Change the plan so, as `change` does, in the place of what the customer chose before for a day to come.

    Inside work(). Whether it is offered is the caller's to know. Raises what `change` and `revoke_change` raise.
    """
    said = SubscriptionStep.objects.filter(subscription__public_id=public_id, by_customer=True, on__gt=today)
    for day in said.exclude(on=chosen.on).values_list("on", flat=True):
        revoke_change(public_id, on=day, today=today)
    return change(public_id, price=chosen.price, on=chosen.on, today=today)


def change_by_customer(public_id: str, *, price: str, way: str, on: date, today: date) -> Subscription:
    """Change the plan to a price (public id) as its customer was shown that it would, and confirm it by mail.

    Inside work(). The next run bills and credits as for any change. Raises NotOffered when this is not what may be done
    any more: another day has begun, or somebody else changed it, the offer or the price. The same wish again changes
    nothing and mails nothing. Emits subscription.changed_by_customer.
    """
    row = lock_one(Subscription.objects.select_related("customer").filter(public_id=public_id))
    if is_on(row, price, on):
        return row
    ways = ways_to_change(row, today=today)
    chosen = next(
        (each for each in ways if (each.price.public_id, each.way, each.on) == (price, way, on)), None
    )
    if chosen is None:
        raise NotOffered("This has changed meanwhile. Look at it again; nothing was changed.")
    sellers = SubscriptionStep.objects.filter(subscription=row, on=on, by_customer=False).exists()
    changed = take(public_id, chosen, today=today)
    SubscriptionStep.objects.filter(subscription=changed, on=on).update(by_customer=not sellers)
    emit(
        SubscriptionChangedByCustomer(
            changed.public_id, changed.version, customer=row.customer.public_id, price=price,
            plan=chosen.price.plan.code, was=chosen.was, on=str(on),
        )
    )  # fmt: skip
    confirm(MAIL, changed, f"{on}:{price}:{changed.version}")
    return changed


def is_on(subscription: Subscription, price: str, on: date) -> bool:
    """Whether the plan bills a price (public id) from just this local date on, as things stand. Inside work()."""
    (facts,) = subscription_facts([subscription.pk])
    known = Price.objects.filter(public_id=price).values_list("pk", flat=True).first()
    return known is not None and _begins(plan_on(facts, on), known, on)

"""What a customer does with a subscription on their own page, as far as its legal entity lets them."""

from collections.abc import Mapping
from datetime import date

from billing.domain.charges import ENDED
from billing.domain.dues import period_end, plan_on
from billing.events import SubscriptionEndedByCustomer
from billing.models import NOW, PERIOD_END, Subscription
from billing.selectors import subscription_facts
from billing.services.subscriptions import end
from core.errors import Conflict
from core.events import emit
from core.locks import lock_one
from customers.selectors import invoice_addresses_of
from customers.services.links import SUBSCRIPTION, link_url
from messaging.services.queue import Draft, queue_for_event
from tenants.selectors import entity_rows

MAIL = "subscription_ended"


class NotOffered(Conflict):
    """What a customer was offered is not offered any more."""

    code = "not_offered"


def own_url(subscription: Subscription) -> str:
    """The address of a subscription's page for its customer, the same each time it is asked for. Inside work()."""
    return link_url(SUBSCRIPTION, subscription.public_id, subscription.customer_id)


def ways_to_end(subscription: Subscription, *, today: date) -> Mapping[str, date]:
    """How its customer may end it, and the first local date that is not billed any more then. Inside work().

    Nothing that would not end it earlier than it ends anyway.
    """
    lets = entity_rows().get(pk=subscription.customer.entity_id).customers_end
    if lets not in {PERIOD_END, NOW} or subscription.state == ENDED:
        return {}
    (facts,) = subscription_facts([subscription.pk])
    ways = {PERIOD_END: period_end(facts, plan_on(facts, today), today)}
    if lets == NOW:
        ways[NOW] = max(today, subscription.starts_on)
    ends = subscription.ends_on
    return {way: day for way, day in ways.items() if ends is None or day < ends}


def end_by_customer(public_id: str, *, way: str, on: date, today: date) -> Subscription:
    """End a subscription as its customer was shown that it would, and confirm it by mail. Inside work().

    The next run bills and credits as for any end; what is credited stays as the customer's credit. Raises NotOffered
    when this is not what may be done any more: another day has begun, or somebody else changed it or the setting.
    The same wish again changes nothing and mails nothing. Emits subscription.ended_by_customer.
    """
    row = lock_one(Subscription.objects.select_related("customer").filter(public_id=public_id))
    if row.ends_on == on:
        return row
    if ways_to_end(row, today=today).get(way) != on:
        raise NotOffered("This has changed meanwhile. Look at it again; nothing was ended.")
    sellers = row.ends_on is not None and not row.ended_by_customer
    ended = end(public_id, on=on, today=today)
    ended.ended_by_customer = not sellers
    ended.save(update_fields=["ended_by_customer"])
    emit(
        SubscriptionEndedByCustomer(
            ended.public_id, ended.version, customer=ended.customer.public_id, ends_on=str(on)
        )
    )
    confirm(MAIL, ended, f"{on}:{ended.version}")
    return ended


def confirm(kind: str, row: Subscription, occasion: str) -> None:
    """Mail what a customer did to whoever gets their invoices, once for each occasion. Inside work()."""
    addresses = invoice_addresses_of([row.customer_id]).get(row.customer_id, [])
    customer = row.customer.public_id
    queue_for_event(
        [
            Draft(kind, row.public_id, to=address, dedupe=f"{occasion}:{n}", customer=customer)
            for n, address in enumerate(addresses)
        ]
    )

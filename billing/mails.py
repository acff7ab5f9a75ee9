"""What the mails about subscriptions say, read anew at the moment they are sent."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from billing.domain.invoices import deposit_percent
from billing.models import Price, Subscription, SubscriptionStep
from billing.services.renewals import MAIL, Upcoming, upcoming
from billing.services.self_change import MAIL as CHANGED
from billing.services.self_change import is_on
from billing.services.self_keep import CHANGE, goes_on_with
from billing.services.self_keep import MAIL as KEPT
from billing.services.self_service import MAIL as ENDED
from billing.services.self_service import own_url
from billing.words import full_text
from core.money import Money
from core.templatetags.fmt import longdate, money_code, money_doc
from customers.selectors import billing_facts
from customers.services.methods import live_methods
from invoicing.domain.terms import ALL, due_day
from invoicing.domain.totals import totals
from messaging.composers import Answer, Ready, Skip, composer
from messaging.domain.letters import Letter, Line
from tenants.selectors import entity_rows

LINES = 5


@dataclass(frozen=True, kw_only=True)
class RenewalUpcoming(Letter):
    """A subscription renews `on`, or its `trial` ends then; `amount`, with `tax` in it, is billed on `billed_on`.

    `metered`: what is used comes on top, and where there is no amount it is all. Paid by itself (`autopay`), or within
    `terms_days` of an invoice, `deposit_percent` of it at once.
    """

    template: ClassVar[str] = "renewal_upcoming"

    plan: str
    on: str
    last_day: str
    billed_on: str
    own_url: str
    amount: str = ""
    tax: str = ""
    trial: str = ""
    metered: str = ""
    autopay: str = ""
    terms_days: str = ""
    deposit_percent: str = ""
    lines: tuple[Line, ...] = ()


@composer(MAIL, _("Notice of a renewal"))
def compose(message: Any) -> Answer:
    """What is billed as things stand now; nothing is said of a renewal that was moved, ended or reached meanwhile."""
    row = Subscription.objects.select_related("customer").get(public_id=message.about)
    entity = entity_rows().get(pk=row.customer.entity_id)
    day = message.dedupe.partition(":")[0]
    for each in upcoming([row.pk], entity.public_id):
        if str(each.renewal.on) == day:
            return Ready(_letter(each, entity.name, own_url(row)))
    return Skip("It does not renew on that day any more, or has by now.")


def _letter(each: Upcoming, house: str, own: str) -> RenewalUpcoming:
    facts, drafts = each.facts, each.bill.charge.drafts
    found = totals(drafts)
    percent = deposit_percent((each.bill.charge,))
    return RenewalUpcoming(
        organization_name=house,
        customer_name=billing_facts([facts.customer_id])[facts.customer_id].name,
        plan=each.renewal.due.item.name,
        own_url=own,
        on=longdate(each.renewal.on),
        last_day=longdate(each.renewal.last_day),
        billed_on=longdate(each.bill.on),
        amount=money_code(Money(found.total_minor, facts.currency)) if found.total_minor else "",
        tax=money_code(Money(found.tax_minor, facts.currency)) if found.tax_minor else "",
        trial="yes" if each.renewal.trial else "",
        metered="yes" if each.bill.metered else "",
        autopay="yes" if _by_itself(each) else "",
        terms_days=str(facts.terms_days) if facts.terms_days and percent < ALL else "",
        deposit_percent=str(percent) if percent else "",
        lines=tuple(
            Line(line.description, money_doc(Money(line.amount_minor, facts.currency)))
            for line in drafts[:LINES]
        ),
    )


def _by_itself(each: Upcoming) -> bool:
    """Whether a card is charged that is good until its invoice is due."""
    facts = each.facts
    card = live_methods([facts.customer_id]).get(facts.customer_id) if facts.autopay else None
    percent = deposit_percent((each.bill.charge,))
    return card is not None and due_day(each.bill.on, facts.terms_days, percent) <= card.expires_on


@dataclass(frozen=True, kw_only=True)
class SubscriptionEnded(Letter):
    """A customer has ended a subscription: through `last_day` it is theirs; nothing at all where it never began."""

    template: ClassVar[str] = "subscription_ended"

    plan: str
    last_day: str = ""
    own_url: str


@composer(ENDED, _("Confirmation of an end"))
def compose_end(message: Any) -> Answer:
    """The day as it stands now; nothing is said where the end was taken back meanwhile."""
    row = Subscription.objects.select_related("customer", "price__plan").get(public_id=message.about)
    if row.ends_on is None:
        return Skip("The end was taken back before this was sent.")
    return Ready(
        SubscriptionEnded(
            organization_name=entity_rows().get(pk=row.customer.entity_id).name,
            customer_name=billing_facts([row.customer_id])[row.customer_id].name,
            plan=row.price.plan.name,
            last_day=longdate(row.ends_on - timedelta(days=1)) if row.ends_on > row.starts_on else "",
            own_url=own_url(row),
        )
    )


@dataclass(frozen=True, kw_only=True)
class SubscriptionChanged(Letter):
    """A customer has changed a subscription to a `plan` at a `price`, from a day on."""

    template: ClassVar[str] = "subscription_changed"

    plan: str
    price: str
    on: str
    own_url: str


@composer(CHANGED, _("Confirmation of another plan"))
def compose_change(message: Any) -> Answer:
    """What was chosen; nothing is said where it is not so any more."""
    row = Subscription.objects.select_related("customer").get(public_id=message.about)
    on, price, *_rest = message.dedupe.split(":")
    if not is_on(row, price, date.fromisoformat(on)):
        return Skip("It was changed again before this was sent.")
    chosen = Price.objects.select_related("plan").get(public_id=price)
    return Ready(
        SubscriptionChanged(
            organization_name=entity_rows().get(pk=row.customer.entity_id).name,
            customer_name=billing_facts([row.customer_id])[row.customer_id].name,
            plan=chosen.plan.name,
            price=full_text(chosen),
            on=longdate(date.fromisoformat(on)),
            own_url=own_url(row),
        )
    )


@dataclass(frozen=True, kw_only=True)
class SubscriptionKept(Letter):
    """A customer has taken back a `change`, or else the end, that was set for a day: a `plan` goes on at a `price`."""

    template: ClassVar[str] = "subscription_kept"

    plan: str
    price: str
    on: str
    change: str = ""
    own_url: str


@composer(KEPT, _("Confirmation that a subscription goes on"))
def compose_kept(message: Any) -> Answer:
    """What goes on from the day on; nothing is said where something was set for it again, or it ends by then."""
    row = Subscription.objects.select_related("customer").get(public_id=message.about)
    what, said, *_rest = message.dedupe.split(":")
    on = date.fromisoformat(said)
    again = SubscriptionStep.objects.filter(subscription=row, on=on) if what == CHANGE else None
    if (row.ends_on is not None and row.ends_on <= on) or (again is not None and again.exists()):
        return Skip("It was changed or ended again before this was sent.")
    price = goes_on_with(row, on)
    return Ready(
        SubscriptionKept(
            organization_name=entity_rows().get(pk=row.customer.entity_id).name,
            customer_name=billing_facts([row.customer_id])[row.customer_id].name,
            plan=price.plan.name,
            price=full_text(price),
            on=longdate(on),
            change="yes" if what == CHANGE else "",
            own_url=own_url(row),
        )
    )

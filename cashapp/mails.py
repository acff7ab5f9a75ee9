"""What mails about money and cards say, read anew at the moment they are sent."""

from dataclasses import dataclass
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from cashapp.domain.states import State
from cashapp.models import Attempt, AttemptItem, Payment
from cashapp.services.cards import MAIL as EXPIRING
from core import clock
from core.money import Money
from core.templatetags.fmt import longdate, money_code, money_doc
from customers.selectors import billing_facts
from customers.services.methods import card_url, method
from invoicing.selectors import document
from invoicing.services.addresses import pay_url
from messaging.composers import Answer, Ready, Skip, composer
from messaging.domain.letters import Letter, Line, PaymentFailed, Receipt
from receivables.domain.items import Kind
from receivables.selectors import allocations_of, item_states, states_by_id
from tenants.selectors import entity_facts

RECEIPT = "receipt"
FAILED = "payment_failed"


@composer(RECEIPT, _("Receipt"))
def compose(message: Any) -> Answer:
    """The receipt of a payment; nothing is sent for one that was taken back meanwhile."""
    payment = Payment.objects.select_related("attempt__saved").filter(public_id=message.about).first()
    if payment is None or payment.state != "received":
        return Skip("The payment was taken back before the receipt was sent.")
    lines, remaining = _applied(payment)
    return Ready(
        Receipt(
            organization_name=entity_facts()[payment.entity_id].snapshot["name"],
            customer_name=billing_facts([payment.customer_id])[payment.customer_id].name,
            number=", ".join(line.text for line in lines) or payment.memo,
            amount=money_code(Money(payment.minor, payment.currency)),
            paid_on=longdate(payment.received_on),
            method=payment.attempt.saved.label if payment.attempt and payment.attempt.saved else "",
            lines=lines,
            remaining=money_code(Money(remaining, payment.currency)) if remaining else "",
        )
    )


def _applied(payment: Payment) -> tuple[tuple[Line, ...], int]:
    """What the payment was put against, by label, and what is still open of that, in minor units."""
    item = item_states([payment.public_id])[payment.public_id]
    sums: dict[str, int] = {}
    still_open: dict[int, int] = {}
    for each in allocations_of(item.item_id):
        if each.debit_item.kind == Kind.REVERSAL:
            continue
        sums[each.debit_item.label] = sums.get(each.debit_item.label, 0) + each.minor
        still_open[each.debit_item_id] = each.debit_item.open_minor
    lines = tuple(
        Line(label, money_doc(Money(minor, payment.currency))) for label, minor in sums.items() if minor
    )
    return lines, sum(still_open.values())


@composer(FAILED, _("Failed charge"))
def compose_failed(message: Any) -> Answer:
    """What could not be charged and how to pay it; nothing is said of what is paid meanwhile."""
    attempt = Attempt.objects.select_related("saved").get(public_id=message.about)
    ids = AttemptItem.objects.filter(attempt=attempt).values_list("item_id", flat=True)
    (item,) = states_by_id(ids).values()
    due = item.due_by(clock.today(entity_facts()[attempt.entity_id].zone))
    if not due:
        return Skip("It was paid meanwhile.")
    reason = attempt.message if attempt.state == State.DECLINED else _("Our payment service did not answer.")
    return Ready(
        PaymentFailed(
            organization_name=entity_facts()[attempt.entity_id].snapshot["name"],
            customer_name=billing_facts([attempt.customer_id])[attempt.customer_id].name,
            number=item.label,
            amount=money_code(Money(due, item.currency)),
            due_on=longdate(item.due_on if due < item.open_minor else item.last_due_on),
            reason=str(reason),
            method=attempt.saved.label,
            pay_url=pay_url(document(item.source)),
        )
    )


@dataclass(frozen=True, kw_only=True)
class CardExpiring(Letter):
    """A kept card is good through `last_day` only; another one is kept at `card_url`."""

    template: ClassVar[str] = "card_expiring"

    card: str
    last_day: str
    card_url: str


@composer(EXPIRING, _("Card about to expire"))
def compose_expiring(message: Any) -> Answer:
    """The card and where to keep another; nothing is said of one that was removed meanwhile."""
    row = method(message.about)
    if not row.live:
        return Skip("The card was removed before this was sent.")
    return Ready(
        CardExpiring(
            organization_name=entity_facts()[row.customer.entity_id].snapshot["name"],
            customer_name=row.customer.name,
            card=row.label,
            last_day=longdate(row.expires_on),
            card_url=card_url(row.customer),
        )
    )

"""What a receipt says, read anew at the moment it is sent."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from cashapp.models import Payment
from core.money import Money
from core.templatetags.fmt import longdate, money_code, money_doc
from customers.selectors import billing_facts
from messaging.composers import Answer, Ready, Skip, composer
from messaging.domain.letters import Line, Receipt
from receivables.domain.items import Kind
from receivables.selectors import allocations_of, item_states
from tenants.selectors import entity_facts

RECEIPT = "receipt"


@composer(RECEIPT, _("Receipt"))
def compose(message: Any) -> Answer:
    """The receipt of a payment; nothing is sent for one that was taken back meanwhile."""
    payment = Payment.objects.filter(public_id=message.about).first()
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

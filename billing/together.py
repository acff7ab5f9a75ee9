"""What stands on an invoice beside a subscription's own lines, where its customer wants one of all that is due."""

from dataclasses import replace
from datetime import date

from billing.domain.charges import Charge
from billing.domain.invoices import invoices_of
from billing.models import Subscription
from billing.selectors import priced, subscription_facts, to_bill


def invoice_with(own: Charge, as_of: date, today: date) -> tuple[Charge, ...]:
    """The charges of the invoice that a run makes as of a local date of a charge with lines, in their order.

    What is due of others before that day was billed by then, unless it is today or before. Inside work().
    """
    facts = own.facts
    if not facts.one_invoice or not own.lines:
        return (own,)
    others = Subscription.objects.filter(
        customer_id=facts.customer_id, state="active", held_at=None, next_bill_on__lte=as_of
    ).exclude(pk=facts.subscription_id)
    found = subscription_facts(list(others.values_list("pk", flat=True)))
    charges, _odd = priced(to_bill(found, as_of), as_of)
    if as_of > today:
        charges = [_due_on(each, as_of) for each in charges]
    in_order = sorted([own, *charges], key=lambda each: each.facts.subscription_id)
    return next(group for group in invoices_of(in_order) if own in group)


def _due_on(each: Charge, day: date) -> Charge:
    """What of a charge falls due on a local date itself."""
    kept = [n for n, due in enumerate(each.dues) if due.on == day]
    return replace(
        each, dues=tuple(each.dues[n] for n in kept), lines=tuple(each.lines[n] for n in kept), credits=()
    )

"""What comes with a subscription's own lines: others', where its customer wants one invoice of all, and credits."""

from dataclasses import dataclass, field, replace
from datetime import date

from django.db.models import Q

from billing.domain.charges import Charge, Credit
from billing.domain.invoices import invoices_of
from billing.models import Subscription
from billing.selectors import due, due_again, priced, subscription_facts, to_bill
from billing.services.corrections import returns
from billing.services.credits import notes_for
from core.pages import dry_run
from core.periods import Period
from invoicing.domain.totals import Totals
from invoicing.services.credit import TakenBack


def invoice_with(own: Charge, as_of: date, today: date) -> tuple[Charge, ...]:
    """The charges of the invoice that a run makes as of a local date of a charge with lines, in their order.

    What is due of others before that day was billed by then, unless it is today or before. Inside work().
    """
    facts = own.facts
    if not facts.one_invoice or not own.drafts:
        return (own,)
    others = Subscription.objects.filter(customer_id=facts.customer_id).exclude(pk=facts.subscription_id)
    bills, late = due(as_of).values("pk"), due_again(as_of).values("pk")
    others = others.filter(Q(pk__in=bills) | Q(pk__in=late))
    found = subscription_facts(list(others.values_list("pk", flat=True)))
    charges, _odd = priced(to_bill(found, as_of), as_of)
    if as_of > today:
        charges = [_due_on(each, as_of) for each in charges]
    in_order = sorted([own, *charges], key=lambda each: each.facts.subscription_id)
    return next(group for group in invoices_of(in_order) if own in group)


def _due_on(each: Charge, day: date) -> Charge:
    """What of a charge falls due on a local date itself; what is counted anew comes with its first bill, if any."""
    kept = [n for n, one in enumerate(each.dues) if one.on == day]
    brings = len(kept) == len(each.dues) and _brings(each, day, bill=bool(kept))
    return replace(
        each,
        dues=tuple(each.dues[n] for n in kept),
        lines=tuple(each.lines[n] for n in kept),
        credits=(),
        corrections=each.corrections if brings else (),
    )


def _brings(each: Charge, day: date, *, bill: bool) -> bool:
    """Whether it is the run of that day that bills late usage of a charge: with a bill, or alone."""
    late = each.facts.late_on
    return late is not None and (late >= day if bill else late == day and not each.credits)


@dataclass(frozen=True, slots=True)
class NextCredit:
    """A credit note that the next run makes over an invoice: (what, its unused days, net minor units) and what it comes
    to."""

    number: str
    parts: tuple[tuple[str, Period, int], ...]
    totals: Totals


def credits_with(found: Charge, on: date) -> tuple[NextCredit, ...]:
    """What the credits of a charge come to with tax, found by giving them and taking them back."""
    with dry_run():
        parts: list[tuple[TakenBack, tuple[tuple[str, Period, int], ...]]] = [
            (each.back, tuple((part.item.name, part.span, each.minor(part)) for part in each.credits))
            for _, given in notes_for([found], on)
            for each in given
        ]
        parts += [
            (
                each.back,
                tuple((of.due.item.name, of.of.span, each.minor(part)) for of, part in each.parts),
            )
            for _, given in returns([found], on)
            for each in given
        ]
        return tuple(
            NextCredit(back.number, said, Totals(note.net_minor, note.tax_minor, note.total_minor, ()))
            for back, said in parts
            if (note := back.note) is not None
        )


@dataclass(slots=True)
class Seen:
    """What credits came to within one transaction, so that previews that credit the same find it once.

    Whatever takes a plan's place on a day, the same days of that plan are credited.
    """

    found: list[tuple[date, tuple[Credit, ...], tuple[NextCredit, ...]]] = field(default_factory=list)

    def credits_with(self, charge: Charge, on: date) -> tuple[NextCredit, ...]:
        """What the function of that name says; usage that is counted anew is always looked at anew."""
        for day, credits, given in self.found:
            if (day, credits) == (on, charge.credits) and not charge.corrections:
                return given
        made = credits_with(charge, on)
        if not charge.corrections:
            self.found.append((on, charge.credits, made))
        return made

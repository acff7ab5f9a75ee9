"""Taking back what was billed beyond an item's end: a credit note over each invoice that billed it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from billing.domain.charges import Charge, Credit
from billing.domain.lines import source_of
from billing.domain.proration import MIDNIGHT
from billing.events import RefundAsked
from billing.models import BillingRun, CreditedPeriod
from core.events import emit_all
from customers.selectors import billing_facts
from invoicing.domain.credits import Taken
from invoicing.services.credit import TakenBack, Wish, put_to, take_back
from receivables.selectors import item_states


@dataclass(frozen=True, slots=True)
class Given:
    """Days that are taken back of one invoice, and what that came to."""

    credits: tuple[Credit, ...]
    back: TakenBack

    def minor(self, each: Credit) -> int:
        """What was given of the unused days, net minor units."""
        return self.back.amounts[_source(each)]


def give_credits(run: BillingRun, charges: Sequence[Charge], invoices: Mapping[int, Any]) -> int:
    """Take back what the charges say, and return how many credit notes that made. Inside work().

    `invoices` are the documents that bill something of the same subscriptions now, by subscription: what is left of a
    credit after its own invoice goes to them, the rest stays as the customer's. Never more than the invoice still
    holds; where a person took it back before, or the invoice is void, nothing is given and the days are known as
    taken back. The subscriptions are locked. Natural key: item and first day. Emits refund.asked where that
    was wished and the subscription is over: what is credited before its end stays for the invoices that still come.
    """
    made = [(each, given) for each, given in notes_for([each for each in charges if each.credits], run.as_of)]
    CreditedPeriod.objects.bulk_create(
        CreditedPeriod(
            subscription_id=charge.facts.subscription_id,
            item_id=part.item.item_id,
            run=run,
            period_id=part.of.period_id,
            document=each.back.note if each.minor(part) else None,
            period_start=part.span.start,
            period_end=part.span.end,
            since=part.since,
            unused_minor=part.unused_minor,
            amount_minor=each.minor(part),
        )
        for charge, given in made
        for each in given
        for part in each.credits
    )
    return spend(run, [(charge, [each.back for each in given]) for charge, given in made], invoices)


def spend(
    run: BillingRun, made: Sequence[tuple[Charge, Sequence[TakenBack]]], invoices: Mapping[int, Any]
) -> int:
    """Put what notes leave to the subscriptions' invoices of the same run, if any; ask the rest back where wished.

    Returns how many notes there are. Inside work().
    """
    notes = [(charge, back.note) for charge, backs in made for back in backs if back.note is not None]
    wanted = ((note, invoices.get(charge.facts.subscription_id)) for charge, note in notes)
    put_to([(note, invoice) for note, invoice in wanted if invoice is not None], on=run.as_of)
    _ask_back([(charge.facts.public_id, note) for charge, note in notes if _wants_back(charge, run.as_of)])
    return len(notes)


def _wants_back(charge: Charge, day: date) -> bool:
    facts = charge.facts
    return facts.refund and facts.ends_on is not None and facts.ends_on <= day


def notes_for(charges: Sequence[Charge], on: date) -> list[tuple[Charge, list[Given]]]:
    """Issue the credit notes of charges, each over the invoice that billed the days. Inside work()."""
    wanted: list[tuple[Charge, list[Credit]]] = []
    for charge in charges:
        by_document: dict[int, list[Credit]] = defaultdict(list)
        for each in charge.credits:
            by_document[each.of.document_id].append(each)
        wanted += [(charge, credits) for _, credits in sorted(by_document.items())]
    backs = take_back([_wish(credits) for _, credits in wanted], on=on)
    given: dict[int, list[Given]] = defaultdict(list)
    for (charge, credits), back in zip(wanted, backs, strict=True):
        given[charge.facts.subscription_id].append(Given(tuple(credits), back))
    return [(charge, given[charge.facts.subscription_id]) for charge in charges]


def _wish(credits: Sequence[Credit]) -> Wish:
    start = min(each.span.start for each in credits)
    return Wish(
        credits[0].of.document_id,
        {_source(each): _taken(each) for each in credits},
        reason=f"Unused from {start:%-d %B %Y}",
        key=f"unused:{credits[0].item.public_id}:{credits[0].span.start}",
    )


def _source(each: Credit) -> str:
    return source_of(each.item, each.of.span.start)


def _taken(each: Credit) -> Taken:
    """What is taken back of the line, and why: the days that are not used of those that were billed."""
    unused = {
        "step": "unused",
        "start": each.span.start.isoformat(),
        "end": each.span.end.isoformat(),
        "days": each.span.days,
        "of": each.of.span.days,
    }
    if each.since != MIDNIGHT:
        unused["since"] = each.since.isoformat()
    return Taken(each.unused_minor, each.span.start, each.span.end, (unused,))


def _ask_back(notes: Sequence[tuple[str, Any]]) -> None:
    """Ask what notes of subscriptions leave to go back to the method it was paid by: it is what was paid beyond what is
    owed.

    What a payment under way is promised was not paid yet.
    """
    if not notes:
        return
    customers = billing_facts({note.customer_id for _, note in notes})
    states = item_states([name for _, note in notes for name in (note.public_id, note.credits.public_id)])
    asked = []
    for subscription, note in notes:
        left = states[note.public_id].available_minor if note.public_id in states else 0
        owed = states.get(note.credits.public_id)
        left -= 0 if owed is None else owed.open_minor
        if left > 0:
            asked.append(
                RefundAsked(
                    note.public_id,
                    note.version,
                    customer=customers[note.customer_id].public_id,
                    subscription=subscription,
                    currency=note.currency,
                    amount_minor=left,
                )
            )
    emit_all(asked)

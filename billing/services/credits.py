"""Taking back what was billed beyond an item's end: a credit note over each invoice that billed it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from billing.domain.charges import Charge, Credit
from billing.domain.lines import source_of
from billing.events import RefundAsked
from billing.models import BillingRun, CreditedPeriod
from core.events import emit
from invoicing.domain.credits import Taken
from invoicing.services.correct import TakenBack, put_to, take_back
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
    made = 0
    for each in charges:
        if not each.credits:
            continue
        notes = _give(run, each)
        made += len(notes)
        spend(run, each, notes, invoices.get(each.facts.subscription_id))
    return made


def spend(run: BillingRun, charge: Charge, notes: Sequence[Any], invoice: Any) -> None:
    """Put what notes leave to the subscription's invoice of the same run, if any; ask the rest back where wished."""
    for note in notes if invoice is not None else ():
        put_to(note, invoice, on=run.as_of)
    over = charge.facts.ends_on is not None and charge.facts.ends_on <= run.as_of
    if charge.facts.refund and over:
        _ask_back(charge.facts.public_id, notes)


def notes_for(charge: Charge, on: date) -> list[Given]:
    """Issue the credit notes of a charge, each over the invoice that billed the days. Inside work()."""
    by_document: dict[int, list[Credit]] = defaultdict(list)
    for each in charge.credits:
        by_document[each.of.document_id].append(each)
    given = []
    for document_id, credits in sorted(by_document.items()):
        start = min(each.span.start for each in credits)
        back = take_back(
            document_id,
            {_source(each): _taken(each) for each in credits},
            on=on,
            reason=f"Unused from {start:%-d %B %Y}",
            key=f"unused:{credits[0].item.public_id}:{credits[0].span.start}",
        )
        given.append(Given(tuple(credits), back))
    return given


def _give(run: BillingRun, charge: Charge) -> list[Any]:
    given = notes_for(charge, run.as_of)
    CreditedPeriod.objects.bulk_create(
        CreditedPeriod(
            subscription_id=charge.facts.subscription_id,
            item_id=part.item.item_id,
            run=run,
            period_id=part.of.period_id,
            document=each.back.note if each.minor(part) else None,
            period_start=part.span.start,
            period_end=part.span.end,
            unused_minor=part.unused_minor,
            amount_minor=each.minor(part),
        )
        for each in given
        for part in each.credits
    )
    return [each.back.note for each in given if each.back.note is not None]


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
    return Taken(each.unused_minor, each.span.start, each.span.end, (unused,))


def _ask_back(subscription: str, notes: Sequence[Any]) -> None:
    """Ask what the notes leave to go back to the method it was paid by: it is what was paid beyond what is owed.

    What a payment under way is promised was not paid yet.
    """
    states = item_states([name for note in notes for name in (note.public_id, note.credits.public_id)])
    for note in notes:
        left = states[note.public_id].available_minor if note.public_id in states else 0
        owed = states.get(note.credits.public_id)
        left -= 0 if owed is None else owed.open_minor
        if left > 0:
            emit(
                RefundAsked(
                    note.public_id, note.version, customer=note.customer.public_id, subscription=subscription,
                    currency=note.currency, amount_minor=left,
                )
            )  # fmt: skip

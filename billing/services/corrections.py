"""Writing what billed periods come to more or less, when they were counted anew: lines were made, credits are given."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from billing.domain.charges import Charge
from billing.domain.facts import Stands
from billing.domain.late import Correction, told
from billing.models import BillingRun, CorrectedPeriod
from billing.services.credits import spend
from invoicing.domain.credits import Taken
from invoicing.services.credit import TakenBack, Wish, take_back


@dataclass(frozen=True, slots=True)
class Returned:
    """What corrections take back of one invoice, each with the part of a line, and what that came to."""

    parts: tuple[tuple[Correction, Stands], ...]
    back: TakenBack

    def minor(self, part: Stands) -> int:
        """What was given of a part, net minor units."""
        return self.back.amounts[part.source]


def correct(run: BillingRun, charges: Sequence[Charge], invoices: Mapping[int, Any]) -> int:
    """Write what the charges correct, give what they take back, and return how many credit notes that made.

    Inside work(). `invoices` are the documents of the same subscriptions now, by subscription: what is billed more
    stands there, and what is left of a credit goes there after its own invoice. Never more is given than the invoice
    still holds, and what a person took back of a line before is not given again. The subscriptions are locked. Natural
    key: the billed period and the number of its correction.
    """
    found = returns([each for each in charges if each.corrections], run.as_of)
    CorrectedPeriod.objects.bulk_create(
        row
        for each, returned in found
        for row in _rows(run, each, invoices.get(each.facts.subscription_id), returned)
    )
    return spend(run, [(each, [one.back for one in returned]) for each, returned in found], invoices)


def returns(charges: Sequence[Charge], on: date) -> list[tuple[Charge, list[Returned]]]:
    """Issue the credit notes of charges' corrections, each over the invoice that billed it. Inside work()."""
    wanted: list[tuple[Charge, list[tuple[Correction, Stands]]]] = []
    for charge in charges:
        by_document: dict[int, list[tuple[Correction, Stands]]] = defaultdict(list)
        for each in charge.corrections:
            for part in each.back:
                by_document[part.document_id].append((each, part))
        wanted += [(charge, parts) for _, parts in sorted(by_document.items())]
    backs = take_back([_wish(parts) for _, parts in wanted], on=on)
    found: dict[int, list[Returned]] = defaultdict(list)
    for (charge, parts), back in zip(wanted, backs, strict=True):
        found[charge.facts.subscription_id].append(Returned(tuple(parts), back))
    return [(charge, found[charge.facts.subscription_id]) for charge in charges]


def _wish(parts: Sequence[tuple[Correction, Stands]]) -> Wish:
    start = min(each.of.span.start for each, _ in parts)
    return Wish(
        parts[0][1].document_id,
        {part.source: _taken(each, part) for each, part in parts},
        reason=f"Usage from {start:%-d %B %Y} counted anew",
        key=f"counted:{parts[0][1].source}:{parts[0][0].of.corrections + 1}",
    )


def _taken(each: Correction, part: Stands) -> Taken:
    return Taken(part.minor, each.of.span.start, each.of.span.end, (told(each),), part.rest)


def _rows(
    run: BillingRun, charge: Charge, invoice: Any, returned: Sequence[Returned]
) -> Iterator[CorrectedPeriod]:
    notes = {
        (each.of.period_id, part.source): (one.back.note if one.minor(part) else None, -one.minor(part))
        for one in returned
        for each, part in one.parts
    }
    for each in charge.corrections:
        after = each.of.minor
        parts = (
            [(invoice, each.minor, each.minor)]
            if each.line
            else [(*notes[each.of.period_id, part.source], -part.minor) for part in each.back]
        )
        for nth, (document, given, difference) in enumerate(parts, each.of.corrections + 1):
            after += difference
            yield CorrectedPeriod(
                subscription_id=charge.facts.subscription_id,
                item_id=each.due.item.item_id,
                run=run,
                period_id=each.of.period_id,
                nth=nth,
                document=document,
                quantity_before=each.of.quantity,
                quantity_now=each.due.quantity,
                difference_minor=difference,
                amount_minor=given,
                after_minor=after,
            )

"""What of an invoice a prepaid balance pays for: what meters counted, with its tax. Pure; amounts are minor units."""

from collections.abc import Sequence

from billing.domain.charges import Charge
from invoicing.domain.totals import LineDraft, gross_minor


def metered_minor(invoice: Sequence[Charge]) -> int:
    """What the metered lines of an invoice come to: its total less what it would be without them.

    At least nothing, at most the total. What was counted anew of a period that was billed before is metered as well.
    """
    lines: list[LineDraft] = []
    others: list[LineDraft] = []
    for each in invoice:
        lines += each.drafts
        others += [line for due, line in zip(each.dues, each.lines, strict=True) if due.item.meter_id is None]
    total = gross_minor(lines)
    return max(0, min(total, total - gross_minor(others)))

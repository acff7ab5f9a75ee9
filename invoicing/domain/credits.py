"""What a credit note takes back of an invoice. Amounts are positive minor units.

The last credit of a rate takes exactly the tax that is left, so that rounding never leaves a cent over or under
(a cent of drift on credit notes is the classic fault of billing systems).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from invoicing.domain.totals import LineDraft, TaxDraft, Totals, totals

Rate = tuple[str, Decimal]


@dataclass(frozen=True, slots=True)
class Taken:
    """What is taken back of a line, net minor units: for which days, and why, where that is known.

    Not more than leaves the `rest`, whoever took something back of the line before.
    """

    minor: int
    service_start: date | None = None
    service_end: date | None = None
    why: tuple[dict[str, Any], ...] = ()
    rest: int = 0


class CreditsTooMuch(ValueError):
    """More was to be credited than the invoice's rate or line still holds."""


def credit_totals(lines: Sequence[LineDraft], left: Mapping[Rate, tuple[int, int]]) -> Totals:
    """Totals of a credit note over `lines`, given (base, tax) not yet credited of each rate of the invoice.

    Raises CreditsTooMuch when a rate's base or tax would exceed what is left.
    """
    plain = totals(lines)
    taxes = []
    for tax in plain.taxes:
        base_left, tax_left = left.get((tax.category, tax.percent), (0, 0))
        if tax.base_minor > base_left:
            raise CreditsTooMuch("More than the invoice still holds.")
        amount = tax_left if tax.base_minor == base_left else min(tax.tax_minor, tax_left)
        taxes.append(TaxDraft(tax.category, tax.percent, tax.base_minor, amount))
    tax_minor = sum(tax.tax_minor for tax in taxes)
    return Totals(plain.net_minor, tax_minor, plain.net_minor + tax_minor, tuple(taxes))


def left_to_credit(invoiced: Sequence[TaxDraft], credited: Sequence[TaxDraft]) -> dict[Rate, tuple[int, int]]:
    """(base, tax) of each rate that no credit note has taken back yet."""
    left: dict[Rate, list[int]] = defaultdict(lambda: [0, 0])
    for sign, rows in ((1, invoiced), (-1, credited)):
        for row in rows:
            left[row.category, row.percent][0] += sign * row.base_minor
            left[row.category, row.percent][1] += sign * row.tax_minor
    return {rate: (base, tax) for rate, (base, tax) in left.items()}

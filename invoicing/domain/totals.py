"""Totals of a document: pure arithmetic from lines to what is owed. Amounts are minor units of one currency.

Tax is computed once per category and rate on the sum of its lines, rounded half up (EN 16931, BR-CO-17), so that
the document's tax never depends on how its lines are cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from core.money import MAX_MINOR, MoneyError, multiply, round_half_up


@dataclass(frozen=True, slots=True)
class LineDraft:
    """One line: `unit_price` in major units, `amount_minor` already rounded; `why` tells how it came about.

    `untaxed`: no supply yet, as money paid in advance; tax is due on what it pays for.
    """

    description: str
    quantity: Decimal
    unit_price: Decimal
    amount_minor: int
    tax_percent: Decimal
    detail: str = ""
    service_start: date | None = None
    service_end: date | None = None
    source: str = ""
    why: tuple[dict[str, Any], ...] = field(default=())
    untaxed: bool = False

    @property
    def tax_category(self) -> str:
        """EN 16931 category: S for a standard rate, Z for zero, O for what is outside the scope of tax."""
        if self.untaxed:
            return "O"
        return "S" if self.tax_percent else "Z"


def line(
    description: str,
    quantity: Decimal,
    unit_price: Decimal,
    currency: str,
    *,
    tax_percent: Decimal,
    **also: Any,
) -> LineDraft:
    """A line whose amount is quantity x unit price, rounded once; raises MoneyError when too large."""
    amount = multiply(quantity, unit_price, currency).minor
    return LineDraft(description, quantity, unit_price, amount, tax_percent, **also)


@dataclass(frozen=True, slots=True)
class TaxDraft:
    """Tax of one category and rate on the sum of its lines."""

    category: str
    percent: Decimal
    base_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True)
class Totals:
    """What the lines come to. `total_minor` = net + tax; it says nothing about what was paid."""

    net_minor: int
    tax_minor: int
    total_minor: int
    taxes: tuple[TaxDraft, ...]


def totals(lines: Sequence[LineDraft]) -> Totals:
    """Totals of a document; raises MoneyError when they come to less than zero or too much."""
    taxes = _taxes(lines)
    net = sum(each.amount_minor for each in lines)
    tax = sum(each.tax_minor for each in taxes)
    if net + tax < 0:
        raise MoneyError("A document cannot come to less than zero; make a credit note instead.")
    if tax and not net + tax:
        raise MoneyError("A document cannot hold tax and come to nothing; nothing would be booked.")
    if net + tax > MAX_MINOR:
        raise MoneyError("That total is too large.")
    return Totals(net, tax, net + tax, taxes)


def gross_minor(lines: Sequence[LineDraft]) -> int:
    """What lines come to with their tax, whether a document could hold them alone or not."""
    return sum(each.base_minor + each.tax_minor for each in _taxes(lines))


def _taxes(lines: Sequence[LineDraft]) -> tuple[TaxDraft, ...]:
    bases: dict[tuple[str, Decimal], int] = {}
    for each in lines:
        key = (each.tax_category, each.tax_percent)
        bases[key] = bases.get(key, 0) + each.amount_minor
    return tuple(
        TaxDraft(category, percent, base, round_half_up(base * Fraction(percent) / 100))
        for (category, percent), base in sorted(bases.items())
    )

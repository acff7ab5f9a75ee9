"""What is taken off a line before it is rounded: percentages and amounts, in the order in which they were granted.

Pure; days are local to the subscription's zone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from billing.domain.pricing import plain


@dataclass(frozen=True, slots=True)
class Discount:
    """`percent` of a line's amount, or `amount` of it in major units, never more than there is.

    It is for what begins a period from `starts_on` on and before `ends_on`; for all that a subscription bills, or for
    some `plans` (codes).
    """

    name: str
    percent: Decimal
    amount: Decimal
    starts_on: date
    ends_on: date | None
    plans: frozenset[str] = frozenset()

    def is_for(self, plan: str) -> bool:
        """Whether it is for a plan; one that was taken back before its first day is for none."""
        return self.starts_on != self.ends_on and (not self.plans or plan in self.plans)

    def holds(self, plan: str, day: date) -> bool:
        """Whether it is for a period of a plan that begins on a day."""
        return self.is_for(plan) and self.starts_on <= day and (self.ends_on is None or day < self.ends_on)


def discounted(amount: Fraction, granted: Sequence[Discount]) -> tuple[Fraction, tuple[dict[str, Any], ...]]:
    """What is left of an amount in major units, exact, and a step for each discount: it is of what is left by then."""
    steps = []
    for each in granted:
        off = min(amount * Fraction(each.percent) / 100 + Fraction(each.amount), max(amount, Fraction(0)))
        step = {"step": "discount", "name": each.name, "amount": plain(off)}
        steps.append(step | ({"percent": plain(each.percent)} if each.percent else {}))
        amount -= off
    return amount, tuple(steps)

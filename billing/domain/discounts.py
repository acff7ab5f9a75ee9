"""What is taken off a line before it is rounded: percentages and amounts, in the order in which they were granted.

Pure; days are local to the subscription's zone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any

from billing.domain.pricing import plain

Belongs = tuple[str, date | None, date | None]
"""A product (code) that a plan belongs to, from a day on and before another; None where there is no such day."""


class Per(StrEnum):
    """What an amount is taken off: once off all that falls due on one day, or off each line. A percentage is of lines.

    Systems differ here; it is a field of each discount, `bill` unless somebody says otherwise.
    """

    BILL = "bill"
    LINE = "line"


@dataclass(frozen=True, slots=True)
class Taken:
    """How much of an amount the bills of the last day that had it took: by billed period (id), minor units."""

    on: date
    parts: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Discount:
    """`percent` of a line's amount, or `amount` of it in major units, never more than there is.

    It is for what begins a period from `starts_on` on and before `ends_on`; for all that a subscription bills, or for
    some `plans` and what belongs to some `products` on that day (codes).

    An amount per bill is for bills of those days; `amount` of a line is its share of `of` (billing.domain.shares).
    `taken` says what bills took of it last. `key` names it.
    """

    name: str
    percent: Decimal
    amount: Decimal
    starts_on: date
    ends_on: date | None
    plans: frozenset[str] = frozenset()
    products: frozenset[str] = frozenset()
    key: str = ""
    per: Per = Per.LINE
    taken: Taken | None = None
    of: Decimal | None = None

    def parts(self, plan: str, belongs: Sequence[Belongs] = ()) -> "tuple[Discount, ...]":
        """What of it is for a plan: all of it, or the days on which the plan belongs to one of its products.

        One that was taken back before its first day is for none.
        """
        if self.starts_on == self.ends_on:
            return ()
        if plan in self.plans or not (self.plans or self.products):
            return (self,)
        return tuple(
            part
            for product, start, end in belongs
            if product in self.products
            for part in self._within(start, end)
        )

    def _within(self, start: date | None, end: date | None) -> "Iterator[Discount]":
        since = max(self.starts_on, start or self.starts_on)
        until = min((day for day in (self.ends_on, end) if day is not None), default=None)
        if until is None or since < until:
            yield replace(self, starts_on=since, ends_on=until)

    def holds(self, day: date) -> bool:
        """Whether it is for a period that begins on a day, or for the bill of a day."""
        return self.starts_on <= day and (self.ends_on is None or day < self.ends_on)

    def share(self, amount: Decimal) -> "Discount":
        """What of an amount per bill is a line's, in major units."""
        return replace(self, amount=amount, of=self.amount)

    def off(self, left: Fraction) -> Fraction:
        """What it takes off what is left of a line, in major units, exact."""
        return min(left * Fraction(self.percent) / 100 + Fraction(self.amount), max(left, Fraction(0)))


def discounted(amount: Fraction, granted: Sequence[Discount]) -> tuple[Fraction, tuple[dict[str, Any], ...]]:
    """What is left of an amount in major units, exact, and a step for each discount: it is of what is left by then."""
    steps = []
    for each in granted:
        off = each.off(amount)
        step = {"step": "discount", "name": each.name, "amount": plain(off)}
        step |= {"percent": plain(each.percent)} if each.percent else {}
        steps.append(step | ({} if each.of in {None, each.amount} else {"of": plain(each.of)}))
        amount -= off
    return amount, tuple(steps)

"""One bill as the checks look at it: its facts in order, what was recorded, and how a finding is put in words."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

from billing.domain.gate.facts import Bill, Finding, Item, Line, Scene, Severity
from core.money import Money

WHOLE = 10
"""From here on a figure is written without decimals."""
SHOWN = 3
"""Earlier amounts that a sentence names."""


def written(day: date) -> str:
    """A day as sentences of this package write it."""
    return f"{day.day} {day:%B %Y}"


def plain(value: Decimal) -> str:
    """A decimal as recorded changes write it: 3, not 3.000."""
    return f"{value.normalize():f}"


def number(value: Fraction) -> str:
    """A figure for a sentence: whole from ten on, else to one decimal."""
    if value >= WHOLE or value.denominator == 1:
        return f"{round(value):,}"
    return plain(Decimal(round(value * 10)) / 10)


@dataclass(frozen=True)
class Look:
    """A bill with its past by item and what was recorded about it."""

    bill: Bill
    scene: Scene

    @cached_property
    def items(self) -> dict[int, Item]:
        return {each.id: each for each in self.bill.items}

    @cached_property
    def past(self) -> dict[int, list[Line]]:
        found: dict[int, list[Line]] = defaultdict(list)
        for line in self.bill.past:
            found[line.item].append(line)
        return found

    @cached_property
    def said(self) -> dict[tuple[int, str], list[tuple[str, str]]]:
        found: dict[tuple[int, str], list[tuple[str, str]]] = defaultdict(list)
        for each in self.bill.declared:
            found[each.item, each.field].append((each.was, each.now))
        return found

    def last(self, item: int) -> Line | None:
        """The period that was billed last of the item, or of the one whose place it took."""
        lines = self.past.get(item)
        if lines:
            return lines[-1]
        known = self.items.get(item)
        return self.last(known.follows) if known and known.follows is not None else None

    def explained(self, item: int, field: str, was: str, now: str) -> bool:
        """Whether recorded changes lead from one value to the other, and to no other."""
        changes = self.said.get((item, field), ())
        at = was
        for before, after in changes:
            if before == at:
                at = after
        return at == now and was != now

    def finding(
        self, kind: str, severity: Severity, line: Line, sentence: str, *, now: object, usual: object
    ) -> Finding:
        """A finding about a line, its amount and the ones before it named in the sentence."""
        return Finding(
            kind,
            severity,
            line.item,
            line.span.start,
            f"{sentence} {self.beside(line)}",
            str(now),
            str(usual),
        )

    def beside(self, line: Line) -> str:
        """The line's amount with the last ones of its item: what a person compares first."""
        amount = Money(line.net_minor, line.terms.currency)
        last = self.last(line.item)
        past = self.past.get(last.item, ()) if last else ()
        before = [Money(each.net_minor, each.terms.currency) for each in past]
        return f"{amount}; {_before(before[-SHOWN:])}"


def _before(amounts: Sequence[Money]) -> str:
    if not amounts:
        return "nothing of it was billed before."
    if len(amounts) == 1:
        return f"the one before was {amounts[0]}."
    if len(set(amounts)) == 1:
        return f"its last {_COUNT[len(amounts)]} were {amounts[0]}."
    return f"its last {_COUNT[len(amounts)]} were {', '.join(map(str, amounts))}."


_COUNT = {2: "two", 3: "three"}

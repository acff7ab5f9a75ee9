"""What a billed period comes to once more, when its usage changed after it was billed. Pure; amounts are minor units.

A correction is what the period comes to as it is counted now less what was billed for it up to now: however many steps
there are, they add up to the one bill of the last count.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from billing.domain.dues import Due, Odd, due_of
from billing.domain.facts import ItemFacts, Recount, Stands, SubscriptionFacts
from billing.domain.lines import line_of, source_of
from billing.domain.pricing import plain
from core.money import Money, exponent
from invoicing.domain.totals import LineDraft

MOST = 420
"""Longest explanation of a line in short before what was billed of it, in characters."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What is billed or taken back of a billed period because it was counted anew.

    `whole` is the line that would bill the period at once. With more to bill there is a `line` of its own, with less
    there is what to take back of each line that bills it, the newest first.
    """

    due: Due
    of: Recount
    whole: LineDraft
    line: LineDraft | None = None
    back: tuple[Stands, ...] = ()

    @property
    def minor(self) -> int:
        """What it comes to: above zero to bill, below to take back."""
        return self.whole.amount_minor - self.of.minor


def corrections(facts: SubscriptionFacts, item: ItemFacts) -> Iterator[Correction]:
    """What the periods of an item that are looked at again come to more or less; nothing for those that stay.

    Raises Odd when one cannot be priced.
    """
    for each in item.recounts:
        due = due_of(facts, item, each.span, shares=each.shares)
        whole = line_of(facts.currency, due)
        found = Correction(due, each, whole)
        if found.minor > 0:
            yield replace(found, line=_line(facts.currency, found))
        elif found.minor < 0:
            if whole.amount_minor < 0:
                raise Odd("What was counted comes to less than nothing.")
            yield replace(found, back=tuple(newest(each.lines, -found.minor)))


def newest(lines: Sequence[Stands], minor: int) -> Iterator[Stands]:
    """How an amount is taken back of the lines that bill a period: of the newest first, of none more than it bills."""
    for each in reversed(lines):
        if part := min(minor, each.minor):
            yield replace(each, minor=part, rest=each.minor - part)
            minor -= part


def standing(first: Stands, changed: Sequence[tuple[int, int, int]]) -> tuple[Stands, ...]:
    """The lines that bill a period, from its first and what corrections did: (number, document, amount) in order."""
    lines = [first]
    for nth, document_id, minor in changed:
        if minor > 0:
            lines.append(Stands(document_id, source_at(first.source, nth), minor))
            continue
        taken = {part.source: part.minor for part in newest(lines, -minor)}
        lines = [replace(each, minor=each.minor - taken.get(each.source, 0)) for each in lines]
    return tuple(lines)


def source_at(first: str, nth: int) -> str:
    """What the line of a period's nth correction is known by, from what its first line is."""
    return f"{first}:{nth}"


def told(each: Correction) -> dict[str, Any]:
    """Which days were counted anew, as what before and as what now; a step of an explanation."""
    span, before = each.of.span, each.of.quantity
    step = {"step": "recounted", "start": span.start.isoformat(), "end": span.end.isoformat()}
    return step | ({} if before is None else {"before": plain(before)}) | {"now": plain(each.due.quantity)}


def _line(currency: str, each: Correction) -> LineDraft:
    """What is billed more: the line of the whole period, less what was billed of it."""
    amount, before = Money(each.minor, currency), Money(each.of.minor, currency)
    whole = each.whole
    said = whole.detail or f"{plain(whole.quantity)} × {_price(whole.unit_price, currency)}"
    return replace(
        whole,
        detail=f"{_counted(each)}: {said}"[:MOST] + f", less {before.decimal} billed before",
        quantity=Decimal(1),
        unit_price=amount.decimal,
        amount_minor=amount.minor,
        source=source_at(source_of(each.due.item, each.of.span.start), each.of.corrections + 1),
        why=(
            told(each),
            *whole.why[:-1],
            {"step": "billed_before", "amount": plain(before.decimal)},
            whole.why[-1],
        ),
    )


def _price(price: Decimal, currency: str) -> str:
    exact, places = price.normalize(), exponent(currency)
    return f"{exact:.{max(places, -int(exact.as_tuple().exponent))}f}"


def _counted(each: Correction) -> str:
    now = f"{plain(each.due.quantity)} counted by now"
    return now if each.of.quantity is None else f"{now}, {plain(each.of.quantity)} when it was billed"

"""Whether a line is what the contract's own terms come to, for the customer that the contract names."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from billing.domain.gate.contract import applies, bounds, discount_minor, discounts_minor
from billing.domain.gate.facts import Discount, Finding, Item, Line, Severity, Terms
from billing.domain.gate.look import Look, plain
from core.money import Money

Granted = tuple[Discount, ...]


def arithmetic(look: Look) -> Iterator[Finding]:
    """Findings where a line is not what the contract's own terms come to."""
    for line in (*look.bill.lines, *look.bill.recounted):
        item = look.items.get(line.item)
        if item is None:
            sentence = "The contract has no such item any more."
            yield look.finding("unknown", Severity.WRONG, line, sentence, now=line.item, usual="")
            continue
        yield from _contract(look, item, line)
        yield from _parties(look, line)
    yield from _discounts(look)
    yield from _listed(look)


def _listed(look: Look) -> Iterator[Finding]:
    """Lists show what is billed, or one of the two is wrong."""
    listed = look.bill.listed
    if listed is None or not look.bill.lines:
        return
    if listed not in {(each.terms.price, each.quantity) for each in look.bill.items}:
        sentence = "The subscription shows another price or quantity than any of its items has."
        usual = plain(look.bill.lines[0].quantity)
        yield look.finding(
            "listed",
            Severity.WRONG,
            look.bill.lines[0],
            sentence,
            now=f"{listed[0]}: {plain(listed[1])}",
            usual=usual,
        )


def _contract(look: Look, item: Item, line: Line) -> Iterator[Finding]:
    if line.terms != item.terms:
        names = _different(line.terms, item.terms)
        sentence = f"It is billed by other terms than the contract has ({', '.join(names)})."
        now, usual = (_said(each, names) for each in (line.terms, item.terms))
        yield look.finding("terms", Severity.WRONG, line, sentence, now=now, usual=usual)
    if item.quantity is not None and line.quantity != item.quantity and not line.metered:
        sentence = f"It is billed for {plain(line.quantity)}; the contract says {plain(item.quantity)}."
        yield look.finding("count", Severity.WRONG, line, sentence, now=line.quantity, usual=item.quantity)
    allowed = bounds(item, line)
    if allowed and not allowed[0] <= line.amount_minor <= allowed[1]:
        currency = line.terms.currency
        low, high = (Money(each, currency) for each in allowed)
        due = str(low) if low == high else f"{low} to {high}"
        sentence = f"By the terms of its price this comes to {due} before discounts."
        yield look.finding("amount", Severity.WRONG, line, sentence, now=line.amount_minor, usual=due)


def _said(terms: Terms, names: list[str]) -> str:
    """What terms say under some of their names, and nothing of the others: a name to come voids no yes."""
    return ", ".join(f"{name} {getattr(terms, name)}" for name in names)


def _different(one: Terms, other: Terms) -> list[str]:
    return [name for name in Terms.__slots__ if getattr(one, name) != getattr(other, name)]


def _parties(look: Look, line: Line) -> Iterator[Finding]:
    """The right customer, in the customer's currency."""
    bill = look.bill
    if line.customer != bill.customer:
        sentence = "It would be billed to another customer than the contract names."
        yield look.finding("customer", Severity.WRONG, line, sentence, now=line.customer, usual=bill.customer)
    if line.terms.currency != bill.currency:
        sentence = f"It is in {line.terms.currency}, and the customer is billed in {bill.currency}."
        yield look.finding(
            "currency", Severity.WRONG, line, sentence, now=line.terms.currency, usual=bill.currency
        )


def _discounts(look: Look) -> Iterator[Finding]:
    for line, granted, low, high in _allowed(look):
        day = look.bill.day_of(line)
        names = [each.name for each in granted if applies(each, line, day)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            sentence = f"The discount {twice[0]} is granted more than once."
            yield look.finding(
                "discount_twice", Severity.WRONG, line, sentence, now=names.count(twice[0]), usual=1
            )
        slack = len(granted) + any(each.per_bill for each in granted)
        if not low - slack <= line.discount_minor <= high + slack:
            currency = line.terms.currency
            sentence = (
                f"Discounts take off {Money(line.discount_minor, currency)};"
                f" those granted come to {Money(high, currency)}."
            )
            yield look.finding(
                "discount", Severity.WRONG, line, sentence, now=line.discount_minor, usual=high
            )


def _allowed(look: Look) -> Iterator[tuple[Line, Granted, int, int]]:
    """Each line with what it was granted, and the least and most that this takes off it.

    An amount per bill is certain on days after all that are billed. On those and before them bills may have taken it,
    and what is counted anew has a share that its bill knew: from nothing to all of the amount.
    """
    days: dict[date, list[tuple[Granted, Line]]] = defaultdict(list)
    last = max((each.due_on for each in look.bill.past), default=date.min)
    for line in (*look.bill.lines, *look.bill.recounted):
        if line.item not in look.items:
            continue
        granted, day = look.items[line.item].terms.discounts, look.bill.day_of(line)
        if day is None or line.due_on <= last:
            own = tuple(each for each in granted if not each.per_bill)
            yield line, granted, discount_minor(own, line), discount_minor(granted, line)
        else:
            days[day].append((granted, line))
    for day, bill in days.items():
        for (granted, line), off in zip(bill, discounts_minor(bill, day), strict=True):
            yield line, granted, off, off

"""Whether something is not billed that should be: a bill that stays away is as wrong as one too many."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from billing.domain.gate.dates import skipped
from billing.domain.gate.facts import Finding, Item, Line, Severity
from billing.domain.gate.look import Look, written
from core.money import Money


def absent(look: Look) -> Iterator[Finding]:
    """Findings about items that the contract has and the bill has not. A bill without lines is looked at as well."""
    billed = {line.item: line.span.end for line in look.bill.lines}
    for item in look.bill.items:
        lines = look.past.get(item.id)
        if not lines:
            if item.id not in billed and skipped(item, item.starts_on, look.scene.as_of):
                yield _nothing(look, item, item.starts_on)
            continue
        if item.id not in billed and _skipped(look, item, lines[-1]):
            yield _nothing(look, item, lines[-1].span.end)
        yield from _ends(look, item)
    yield from _gone(look)


def _skipped(look: Look, item: Item, last: Line) -> bool:
    """Whether it should have come due by its terms, or by those it was billed by: they may be what is wrong."""
    by = (item, replace(item, terms=last.terms))
    return any(skipped(each, last.span.end, look.scene.as_of) for each in by)


def _nothing(look: Look, item: Item, since: date) -> Finding:
    sentence = (
        f"{item.terms.plan} is due from {written(since)}, and would not be billed. {_was(look, item.id)}"
    )
    return Finding("absent", Severity.WRONG, item.id, since, sentence, "", since.isoformat())


def _was(look: Look, item: int) -> str:
    last = look.last(item)
    if last is None:
        return "Nothing of it was billed before."
    return f"The last time it came to {Money(last.net_minor, last.terms.currency)}."


def _ends(look: Look, item: Item) -> Iterator[Finding]:
    """An end that nobody recorded."""
    if item.ends_on is None or look.explained(item.id, "end", "", item.ends_on.isoformat()):
        return
    sentence = (
        f"{item.terms.plan} ends on {written(item.ends_on)}, and nobody recorded that. {_was(look, item.id)}"
    )
    yield Finding("end", Severity.ODD, item.id, item.ends_on, sentence, item.ends_on.isoformat(), "")


def _gone(look: Look) -> Iterator[Finding]:
    """Something that was billed before and is in the contract no more."""
    for number in look.past:
        last = look.last(number)
        if last is None or number in look.items or look.explained(number, "item", str(number), ""):
            continue
        sentence = (
            f"{last.terms.plan} was billed before and is gone, and nobody recorded that. {_was(look, number)}"
        )
        yield Finding("gone", Severity.ODD, number, last.span.end, sentence, "", str(number))

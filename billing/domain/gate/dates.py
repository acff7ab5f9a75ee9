"""Whether the days of a bill are the ones that come next: no gap, none twice, on the calendar, in their time."""

from collections.abc import Iterator
from datetime import date, timedelta

from billing.domain.gate.contract import length_of, whole_period
from billing.domain.gate.facts import Finding, Item, Line, Severity, Timing
from billing.domain.gate.look import Look, written
from core.periods import Period

BACKDATED = timedelta(days=330)
"""A subscription may be entered this long after it began: less is work that was caught up with, not a wrong year."""
MANY = 12
"""Periods of one item at once that a late entry may bring."""
GRACE = timedelta(days=2)
"""A run may leave out what came due or was entered this shortly before it: days end at other times elsewhere."""


def due_on(line: Line) -> date:
    """The day the line falls due by its terms."""
    return line.span.end if line.terms.timing is Timing.ARREARS else line.span.start


def days(look: Look) -> Iterator[Finding]:
    """Findings about the days that a bill covers."""
    ends = {item: lines[-1].span.end for item, lines in look.past.items()}
    for line in look.bill.lines:
        item = look.items.get(line.item)
        if item is None or item.once:
            continue
        yield from _adjoins(look, item, line, ends.get(item.id))
        yield from _calendar(look, item, line)
        yield from _time(look, item, line)
        ends[item.id] = max(line.span.end, ends.get(item.id, line.span.end))
    yield from _backdated(look)


def _adjoins(look: Look, item: Item, line: Line, end: date | None) -> Iterator[Finding]:
    """It starts where the last one ended, or where the item starts."""
    start, expected = line.span.start, end or item.starts_on
    if start == expected or (start > expected and start in item.cuts):
        return
    if start < expected and end is not None:
        kind, what = "twice", f"The days up to {written(end)} were billed already."
    elif end is not None:
        kind, what = "gap", f"Nothing was billed for {written(end)} up to {written(start)}."
    else:
        kind, what = "start", f"It starts on {written(item.starts_on)}."
    sentence = f"This bills from {written(start)}. {what}"
    yield look.finding(kind, Severity.WRONG, line, sentence, now=start, usual=expected)


def _calendar(look: Look, item: Item, line: Line) -> Iterator[Finding]:
    """It is one period of the calendar, or a part with a reason to be one."""
    cut = {item.starts_on, item.ends_on} | item.cuts
    whole = whole_period(item, line.span.start)
    start_kept = line.span.start == whole.start or line.span.start in cut
    end_kept = line.span.end == whole.end or (line.span.end in cut and line.span.end < whole.end)
    if not (start_kept and end_kept):
        sentence = (
            f"This bills {line.span.days} days from {written(line.span.start)};"
            f" the period there has {whole.days}, from {written(whole.start)}."
        )
        yield look.finding(
            "days", Severity.WRONG, line, sentence, now=_from_to(line.span), usual=_from_to(whole)
        )
    if item.ends_on is not None and line.span.end > item.ends_on:
        sentence = f"This bills beyond {written(item.ends_on)}, the day it ends."
        yield look.finding("after_end", Severity.WRONG, line, sentence, now=line.span.end, usual=item.ends_on)


def _from_to(span: Period) -> str:
    return f"{span.start.isoformat()} to {span.end.isoformat()}"


def _time(look: Look, item: Item, line: Line) -> Iterator[Finding]:
    """It is due, and was not due before the last run already."""
    due, scene = due_on(line), look.scene
    if due > scene.as_of:
        sentence = f"This is due on {written(due)}, after the day of the run."
        yield look.finding("early", Severity.WRONG, line, sentence, now=due, usual=scene.as_of)
    before = scene.last_run_on
    known = max(_known(item, line), item.entered_on or look.bill.entered_on)
    if before and known + GRACE <= before and not look.bill.waited:
        sentence = f"This was due on {written(due)}, and the run of {written(before)} left it out."
        yield look.finding("late", Severity.ODD, line, sentence, now=due, usual=before)


def _known(item: Item, line: Line) -> date:
    """The day by which a run had to bill it. An end can be entered when its day is over, until its period is."""
    if line.terms.timing is Timing.ARREARS and line.span.end == item.ends_on:
        return whole_period(item, line.span.start).end
    return due_on(line)


def _backdated(look: Look) -> Iterator[Finding]:
    """A new subscription does not begin long before it was entered."""
    bill = look.bill
    if bill.past or not bill.lines or bill.waited:
        return
    first = min(bill.lines, key=lambda line: line.span.start)
    same = sum(line.item == first.item for line in bill.lines)
    if bill.entered_on - first.span.start > BACKDATED and same > MANY:
        sentence = (
            f"It was entered on {written(bill.entered_on)} to begin on {written(first.span.start)};"
            f" that bills {same} periods at once."
        )
        yield look.finding(
            "backdated", Severity.ODD, first, sentence, now=first.span.start, usual=bill.entered_on
        )


def skipped(item: Item, last_end: date, as_of: date) -> bool:
    """Whether an item that was billed up to a day should have come due by `as_of` in a run that has no line of it."""
    if item.once or last_end in item.cuts or (item.ends_on is not None and last_end >= item.ends_on):
        return False
    if item.terms.timing is Timing.ADVANCE:
        return last_end <= as_of
    if not length_of(item.terms):
        return False
    end = whole_period(item, last_end).end
    return min(end, item.ends_on or end) <= as_of

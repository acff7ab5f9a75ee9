"""What a subscription owes by a day: pure, from plain facts, each line saying why.

Preview, run, rerun and replay are this one function. A subscription has items, each with a price that is billed in
advance, at the start of its period, or in arrears, at the end. Periods come from the subscription's anchor and the
price's interval; an item that begins or ends within one bills its days by the exact share, rounded once. Amounts are
minor units of the subscription's currency, prices major units, days local to its zone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from billing.domain.days import begun_for
from billing.domain.dues import Due, Odd, due_of, dues, plan_on, unused_from, unused_since
from billing.domain.facts import Billed, ItemFacts, SubscriptionFacts
from billing.domain.late import Correction, corrections
from billing.domain.lines import line_of, unused_minor
from billing.domain.proration import MIDNIGHT
from billing.domain.shares import shared_out
from core.money import MoneyError
from core.periods import Period
from invoicing.domain.totals import LineDraft, totals

ACTIVE, PAUSED, ENDED = "active", "paused", "ended"
MAX_PERIODS = 36
"""More missed periods than this at once are a mistake in a date, not a bill."""


@dataclass(frozen=True, slots=True)
class Credit:
    """The days of a billed period that are taken back, because its item ended before; net minor units.

    By seconds they count from `since` on the first of them on.
    """

    item: ItemFacts
    of: Billed
    span: Period
    unused_minor: int
    since: time = MIDNIGHT


@dataclass(frozen=True, slots=True)
class Charge:
    """The lines due of one subscription, what each bills, what is taken back, and when the next is due.

    `corrections` are of periods billed before, whose usage changed since; what they bill follows the lines.
    It writes nothing and says nothing about numbers or payment. `state` is how it stands then: paused or ended it has
    nothing left to bill. `plan` is the plan's item in force on the day.
    """

    facts: SubscriptionFacts
    lines: tuple[LineDraft, ...]
    dues: tuple[Due, ...]
    next_bill_on: date
    next_bill_at: datetime
    state: str
    plan: ItemFacts
    credits: tuple[Credit, ...] = ()
    corrections: tuple[Correction, ...] = ()

    @property
    def drafts(self) -> tuple[LineDraft, ...]:
        """All lines of its invoice: what is due, then what is billed more of periods that were billed before."""
        return (*self.lines, *(each.line for each in self.corrections if each.line is not None))


def charge(facts: SubscriptionFacts, as_of: date) -> Charge:
    """Everything of the subscription that is due on or before `as_of` (local date) and not billed or credited yet, and
    what of its billed periods comes to something else by now.

    Raises Odd when the facts cannot make a bill: an archived customer, a quantity below zero, too many missed
    periods, an amount out of range.
    """
    _sane(facts)
    found: list[Due] = []
    nexts: list[date] = []
    credits: list[Credit] = []
    corrected: list[Correction] = []
    for item in facts.items:
        corrected += corrections(facts, item)
        dues, left = _dues(facts, item, as_of)
        found += dues
        if left is not None:
            nexts.append(left.on)
        ended = unused_from(facts, item)
        if ended is not None and ended <= as_of:
            credits += _credits(facts, item, ended)
        elif ended is not None:
            nexts.append(ended)
    found = shared_out(facts, found, _returned(credits))
    next_on = min(nexts) if nexts else _last_day(facts, found)
    made = Charge(
        facts=facts,
        lines=tuple(line_of(facts.currency, each) for each in found),
        dues=tuple(found),
        next_bill_on=next_on,
        next_bill_at=begun_for(next_on, facts.zone, facts.seller_zone),
        state=state_of(facts, due=bool(nexts)),
        plan=plan_on(facts, as_of),
        credits=tuple(credits),
        corrections=tuple(corrected),
    )
    _add_up(made.drafts)
    return made


def state_of(facts: SubscriptionFacts, *, due: bool) -> str:
    """How a subscription stands of which something is due later, or nothing: active, paused or ended."""
    if due:
        return ACTIVE
    return PAUSED if facts.paused and facts.ends_on is None else ENDED


def _credits(facts: SubscriptionFacts, item: ItemFacts, ended: date) -> list[Credit]:
    """What is taken back of each billed period of an item that ended on a day; no more than was billed.

    It is what all unused days come to less what was taken back of them before, so that they never depend on the steps.
    """
    if not item.billed:
        raise Odd("What was billed beyond its end is not known.")
    found = []
    for each in item.billed:
        start = max(ended, each.span.start)
        since = unused_since(facts, item, start)
        unused = Period(start, each.span.end)
        due = due_of(facts, item, each.span, until=each.until, shares=each.shares)
        minor = unused_minor(facts.currency, due, unused, since)
        minor = max(0, min(minor, each.amount_minor) - each.back_minor)
        found.append(Credit(item, each, Period(start, each.back_from or each.span.end), minor, since))
    return found


def _returned(credits: Sequence[Credit]) -> set[int]:
    """The billed periods that are taken back from their first day on."""
    return {each.of.period_id for each in credits if each.span.start == each.of.span.start}


def _dues(facts: SubscriptionFacts, item: ItemFacts, as_of: date) -> tuple[list[Due], Due | None]:
    """What of an item is due by a day, and what comes next."""
    found: list[Due] = []
    for each in dues(facts, item):
        if each.on > as_of:
            return found, each
        if len(found) == MAX_PERIODS:
            raise Odd(f"More than {MAX_PERIODS} periods would be billed at once.")
        found.append(each)
    return found, None


def _last_day(facts: SubscriptionFacts, found: Sequence[Due]) -> date:
    """The day up to which everything is billed, of what has nothing left."""
    billed = [each.span.end for each in found] + [item.billed_through for item in facts.items]
    return facts.ends_on or max(billed, default=facts.anchor)


def _add_up(lines: Sequence[LineDraft]) -> None:
    try:
        totals(lines)
    except MoneyError as error:
        raise Odd(str(error)) from error


def _sane(facts: SubscriptionFacts) -> None:
    if facts.customer_archived:
        raise Odd("The customer is archived: bring it back, or end the subscription.")
    for item in facts.items:
        if item.quantity < 0 or item.terms.unit_price < 0:
            raise Odd("A quantity or price is below zero.")
        if item.every < 1:
            raise Odd("The interval is not a positive number.")

"""What a subscription owes by a day: pure, from plain facts, each line saying why.

Preview, run, rerun and replay are this one function. A subscription has items, each with a price that is billed in
advance, at the start of its period, or in arrears, at the end. Periods come from the subscription's anchor and the
price's interval; an item that begins or ends within one bills its days by the exact share, rounded once. Amounts are
minor units of the subscription's currency, prices major units, days local to its zone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any

from billing.domain.pricing import Model, Priced, Terms, Unpriceable, price
from billing.domain.wording import short
from core.money import MoneyError, exponent, from_decimal
from core.periods import Period, Unit, boundary, index_on, local_midnight, period
from invoicing.domain.totals import LineDraft, totals

MAX_PERIODS = 36
"""More missed periods than this at once are a mistake in a date, not a bill."""


BEYOND = 10**16
"""A line holds no quantity from here on."""


class Timing(StrEnum):
    """When a period is billed."""

    ADVANCE = "advance"
    ARREARS = "arrears"


class Odd(Exception):
    """The subscription cannot be billed as it stands; the message says why, for a person."""


@dataclass(frozen=True, slots=True)
class Used:
    """What a meter counted in a period; `events` are the single values in their order, where a price looks at them."""

    quantity: Decimal
    events: tuple[Decimal, ...] | None = None


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """One thing that a subscription bills: a price, how much of it, and from when to when; the plan, or beside it.

    With `meter_id` the quantity is what that meter counted, by the first day of the period in `used`. `unit` None is a
    price that is owed once, on `starts_on`. `billed_through` is the first day not billed yet.
    """

    item_id: int
    public_id: str
    name: str
    terms: Terms
    quantity: Decimal
    tax_percent: Decimal
    unit: Unit | None
    every: int
    timing: Timing
    starts_on: date
    ends_on: date | None
    billed_through: date
    price_id: int = 0
    is_plan: bool = True
    meter_id: int | None = None
    used: Mapping[date, Used] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SubscriptionFacts:
    """What is needed to bill one subscription; its items are in the order of their lines."""

    subscription_id: int
    public_id: str
    customer_id: int
    entity_id: int
    currency: str
    anchor: date
    zone: str
    ends_on: date | None
    terms_days: int
    autopay: bool
    items: tuple[ItemFacts, ...]
    customer_archived: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """A period of an item that is billed as one line: `span`, which is all of `whole` or a part of it."""

    item: ItemFacts
    span: Period
    whole: Period

    @property
    def quantity(self) -> Decimal:
        """What is priced: the item's quantity, or what its meter counted; raises Odd when that is not known."""
        return self.item.quantity if self.item.meter_id is None else self.used.quantity

    @property
    def used(self) -> Used:
        """What the item's meter counted; raises Odd when that is not known."""
        counted = self.item.used.get(self.span.start)
        if counted is None:
            raise Odd("What was used in the period is not known.")
        return counted

    @property
    def on(self) -> date:
        """The local date on which it falls due."""
        return self.span.end if self.item.timing is Timing.ARREARS else self.span.start


@dataclass(frozen=True, slots=True)
class Charge:
    """The lines due of one subscription, what each bills, and when the next is due.

    It writes nothing and says nothing about numbers or payment. An ended one has nothing left to bill; `plan` is the
    plan's item in force on the day.
    """

    facts: SubscriptionFacts
    lines: tuple[LineDraft, ...]
    dues: tuple[Due, ...]
    next_bill_on: date
    next_bill_at: datetime
    ended: bool
    plan: ItemFacts


def charge(facts: SubscriptionFacts, as_of: date) -> Charge:
    """Everything of the subscription that is due on or before `as_of` (local date) and not billed yet.

    Raises Odd when the facts cannot make a bill: an archived customer, a quantity below zero, too many missed
    periods, an amount out of range.
    """
    _sane(facts)
    found: list[Due] = []
    nexts: list[date] = []
    for item in facts.items:
        dues, left = _dues(facts, item, as_of)
        found += dues
        if left is not None:
            nexts.append(left.on)
    lines = tuple(line_of(facts.currency, each) for each in found)
    _add_up(lines)
    next_on = min(nexts) if nexts else _last_day(facts, found)
    return Charge(
        facts=facts,
        lines=lines,
        dues=tuple(found),
        next_bill_on=next_on,
        next_bill_at=local_midnight(next_on, facts.zone),
        ended=not nexts,
        plan=plan_on(facts, as_of),
    )


def dues(facts: SubscriptionFacts, item: ItemFacts) -> Iterator[Due]:
    """The periods of an item from its `billed_through` on, without end unless it has one."""
    ends = [day for day in (item.ends_on, facts.ends_on) if day is not None]
    end = min(ends) if ends else None
    start = item.billed_through
    if item.unit is None:
        if start == item.starts_on and (end is None or start < end):
            day = Period(start, start + timedelta(days=1))
            yield Due(item, day, day)
        return
    index = index_on(facts.anchor, item.unit, item.every, start)
    while end is None or start < end:
        whole = period(facts.anchor, item.unit, item.every, index)
        span = Period(start, whole.end if end is None else min(whole.end, end))
        yield Due(item, span, whole)
        start, index = span.end, index + 1


def next_due(facts: SubscriptionFacts) -> date | None:
    """The local date on which something falls due next, or None when nothing is left to bill."""
    firsts = [next(dues(facts, item), None) for item in facts.items]
    return min((each.on for each in firsts if each is not None), default=None)


def boundary_after(facts: SubscriptionFacts, item: ItemFacts, day: date) -> date:
    """The first day of the item's next period: the first boundary after a local date."""
    unit = item.unit or Unit.DAY
    return boundary(
        facts.anchor, unit, item.every, index_on(facts.anchor, unit, item.every, max(day, facts.anchor)) + 1
    )


def was_cut(facts: SubscriptionFacts, item: ItemFacts) -> bool:
    """Whether the last billed period of an item ended before its boundary: it could not be billed again otherwise."""
    through = item.billed_through
    if through == item.starts_on or item.unit is None:
        return False
    return boundary_after(facts, item, through - timedelta(days=1)) != through


def billed_through(facts: SubscriptionFacts) -> date:
    """The first day that nothing was billed for yet; an item that begins later was not billed up to its first day."""
    billed = (item.billed_through for item in facts.items if item.billed_through > item.starts_on)
    return max(billed, default=facts.anchor)


def plan_on(facts: SubscriptionFacts, day: date) -> ItemFacts:
    """The plan's item that is in force on a local date: the last one that began by then, else the first.

    After the subscription's end it is the one of its last day.
    """
    if facts.ends_on is not None:
        day = min(day, facts.ends_on - timedelta(days=1))
    plans = sorted(
        (item for item in facts.items if item.is_plan and item.ends_on != item.starts_on),
        key=lambda item: item.starts_on,
    )
    begun = [item for item in plans if item.starts_on <= day]
    return begun[-1] if begun else plans[0]


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
        if item.billed_through < facts.anchor:
            raise Odd("An item begins before its subscription.")


def line_of(currency: str, due: Due) -> LineDraft:
    """The line that bills a period of an item; raises Odd when it cannot be priced.

    A whole period of a flat or plain unit price multiplies out as quantity x price. Anything else is one piece,
    because a price per unit would have to be rounded first. What was counted is of the days that are billed already:
    it is never taken by the share of the period.
    """
    item, span = due.item, due.span
    if due.quantity >= BEYOND:
        raise Odd("The quantity is too large.")
    share = Fraction(1) if item.meter_id else Fraction(span.days, due.whole.days)
    try:
        priced = _priced(due)
        amount = from_decimal(priced.amount * share, currency)
    except (MoneyError, Unpriceable) as error:
        raise Odd(str(error)) from error
    multiplies = share == 1 and len(priced.steps) == 1 and priced.steps[0]["step"] in _MULTIPLY
    return LineDraft(
        description=item.name,
        detail="" if multiplies else _detail(due, priced, currency, share),
        quantity=Decimal(priced.steps[0]["quantity"]) if multiplies else Decimal(1),
        unit_price=item.terms.unit_price if multiplies else amount.decimal,
        amount_minor=amount.minor,
        tax_percent=item.tax_percent,
        service_start=span.start,
        service_end=span.end,
        source=f"{item.public_id}:{span.start.isoformat()}",
        why=_why(due, priced, share),
    )


def _priced(due: Due) -> Priced:
    """What the quantity of a period costs: the item's, or what its meter counted."""
    if due.item.meter_id and due.item.terms.by_event and due.used.events is None:
        raise Odd(
            "It has more single events than can be looked at one by one; bill it by a price of their sum."
        )
    return price(due.item.terms, due.quantity, due.used.events if due.item.meter_id else None)


_MULTIPLY = (str(Model.FLAT), str(Model.PER_UNIT))


def _detail(due: Due, priced: Priced, currency: str, share: Fraction) -> str:
    said = short(priced.steps, exponent(currency))
    if share == 1:
        return said
    return f"{said} for {due.span.days} of {due.whole.days} days"


def _why(due: Due, priced: Priced, share: Fraction) -> tuple[dict[str, Any], ...]:
    """The days that are billed, how the quantity was priced, which share of it, and the rounding."""
    span, whole = due.span, due.whole
    steps = [{"step": "period", "start": span.start.isoformat(), "end": span.end.isoformat()}, *priced.steps]
    if share != 1:
        days = {"step": "prorated", "days": span.days, "of": whole.days}
        steps.append({**days, "start": whole.start.isoformat(), "end": whole.end.isoformat()})
    return (*(dict(each) for each in steps), {"step": "rounded", "rule": "half_up"})

"""What a subscription owes by a day: pure, from plain facts, each line saying why.

Preview, run and rerun are this one function. Periods are billed in advance, at their start. Amounts are minor
units of the price's currency, unit prices major units. An end within a period bills the days up to it, by the exact
share of the period's days, rounded once.
"""

from collections.abc import Set
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any

from core.money import MoneyError, exponent, multiply
from core.periods import Period, Unit, boundary, local_midnight, period
from invoicing.domain.totals import LineDraft, line, totals

MAX_PERIODS = 36
"""More missed periods than this at once are a mistake in a date, not a bill."""


class Model(StrEnum):
    """How a price turns a quantity into an amount."""

    FLAT = "flat"
    PER_UNIT = "per_unit"


class Odd(Exception):
    """The subscription cannot be billed as it stands; the message says why, for a person."""


@dataclass(frozen=True, slots=True)
class SubscriptionFacts:
    """What is needed to bill one subscription. `next_index` is the first period not billed yet."""

    subscription_id: int
    public_id: str
    customer_id: int
    entity_id: int
    plan: str
    model: Model
    currency: str
    unit_price: Decimal
    quantity: Decimal
    tax_percent: Decimal
    unit: Unit
    every: int
    anchor: date
    next_index: int
    zone: str
    ends_on: date | None
    terms_days: int
    autopay: bool
    customer_archived: bool = False
    billed_starts: Set[date] = frozenset()


@dataclass(frozen=True, slots=True)
class Charge:
    """The lines due of one subscription, the periods they bill, and when the next one is due.

    It writes nothing and says nothing about numbers or payment.
    """

    facts: SubscriptionFacts
    lines: tuple[LineDraft, ...]
    periods: tuple[Period, ...]
    next_index: int
    next_bill_on: date
    next_bill_at: datetime
    ended: bool


def charge(facts: SubscriptionFacts, as_of: date) -> Charge:
    """Everything of the subscription that starts on or before `as_of` (local date) and is not billed yet.

    Raises Odd when the facts cannot make a bill: an archived customer, a quantity below zero, too many missed
    periods, an amount out of range.
    """
    _sane(facts)
    lines: list[LineDraft] = []
    periods: list[Period] = []
    index = facts.next_index
    while (start := boundary(facts.anchor, facts.unit, facts.every, index)) <= as_of and not _over(
        facts, start
    ):
        if len(periods) == MAX_PERIODS:
            raise Odd(f"More than {MAX_PERIODS} periods would be billed at once.")
        if start not in facts.billed_starts:
            whole = period(facts.anchor, facts.unit, facts.every, index)
            span = _up_to_the_end(facts, whole)
            lines.append(_line(facts, span) if span == whole else _part(facts, span, whole))
            periods.append(span)
        index += 1
    _add_up(lines)
    next_on = boundary(facts.anchor, facts.unit, facts.every, index)
    if index and facts.ends_on and _over(facts, next_on):
        next_on = facts.ends_on  # nothing is billed beyond it
    return Charge(
        facts=facts,
        lines=tuple(lines),
        periods=tuple(periods),
        next_index=index,
        next_bill_on=next_on,
        next_bill_at=local_midnight(next_on, facts.zone),
        ended=_over(facts, next_on),
    )


def _add_up(lines: list[LineDraft]) -> None:
    try:
        totals(lines)
    except MoneyError as error:
        raise Odd(str(error)) from error


def _over(facts: SubscriptionFacts, start: date) -> bool:
    return facts.ends_on is not None and start >= facts.ends_on


def _sane(facts: SubscriptionFacts) -> None:
    if facts.customer_archived:
        raise Odd("The customer is archived: bring it back, or end the subscription.")
    if facts.quantity < 0 or facts.unit_price < 0:
        raise Odd("A quantity or price is below zero.")
    if facts.every < 1:
        raise Odd("The interval is not a positive number.")


def _up_to_the_end(facts: SubscriptionFacts, whole: Period) -> Period:
    """The period, or what of it comes before the end."""
    if facts.ends_on is None or whole.end <= facts.ends_on:
        return whole
    return Period(whole.start, facts.ends_on)


def _line(facts: SubscriptionFacts, span: Period) -> LineDraft:
    """A whole period."""
    try:
        return line(
            facts.plan,
            _quantity(facts),
            facts.unit_price,
            facts.currency,
            tax_percent=facts.tax_percent,
            service_start=span.start,
            service_end=span.end,
            source=_source(facts, span),
            why=(*_why(facts, span), {"step": "rounded", "rule": "half_up"}),
        )
    except MoneyError as error:
        raise Odd(str(error)) from error


def _part(facts: SubscriptionFacts, span: Period, whole: Period) -> LineDraft:
    """The days of a period before the end, as one piece: a price per unit and part would have to be rounded first."""
    quantity = _quantity(facts)
    try:
        amount = multiply(Fraction(quantity) * span.days / whole.days, facts.unit_price, facts.currency)
    except MoneyError as error:
        raise Odd(str(error)) from error
    price = facts.unit_price.normalize()
    places = max(exponent(facts.currency), -int(price.as_tuple().exponent))
    times = f"{quantity:f} × " if facts.model is Model.PER_UNIT else ""
    prorated = {
        "step": "prorated",
        "days": span.days,
        "of": whole.days,
        "start": whole.start.isoformat(),
        "end": whole.end.isoformat(),
    }
    return LineDraft(
        description=facts.plan,
        detail=f"{times}{price:.{places}f} for {span.days} of {whole.days} days",
        quantity=Decimal(1),
        unit_price=amount.decimal,
        amount_minor=amount.minor,
        tax_percent=facts.tax_percent,
        service_start=span.start,
        service_end=span.end,
        source=_source(facts, span),
        why=(*_why(facts, span), prorated, {"step": "rounded", "rule": "half_up"}),
    )


def _quantity(facts: SubscriptionFacts) -> Decimal:
    return facts.quantity if facts.model is Model.PER_UNIT else Decimal(1)


def _source(facts: SubscriptionFacts, span: Period) -> str:
    return f"{facts.public_id}:{span.start.isoformat()}"


def _why(facts: SubscriptionFacts, span: Period) -> tuple[dict[str, Any], ...]:
    """The days that are billed, and what a whole period would cost."""
    return (
        {"step": "period", "start": span.start.isoformat(), "end": span.end.isoformat()},
        {
            "step": str(facts.model),
            "quantity": f"{_quantity(facts):f}",
            "unit_price": f"{facts.unit_price:f}",
        },
    )

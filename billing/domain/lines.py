"""One period of an item as the line of a document, saying why it comes to that. Pure; amounts are minor units."""

from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from fractions import Fraction
from typing import Any

from billing.domain.discounts import discounted
from billing.domain.dues import Due, Odd
from billing.domain.facts import ItemFacts
from billing.domain.pricing import Model, Priced, Unpriceable, for_part, price
from billing.domain.proration import DAY, MIDNIGHT, Proration
from billing.domain.wording import off, short
from core.money import Money, MoneyError, exponent, from_decimal
from core.periods import Period
from invoicing.domain.totals import LineDraft

BEYOND = 10**16
"""A line holds no quantity from here on."""


@dataclass(frozen=True, slots=True)
class _Worth:
    """What a period comes to before it is rounded, major units: how its quantity was priced, the share of it, and what
    discounts leave of that.
    """

    priced: Priced
    share: Fraction
    amount: Fraction
    off: tuple[dict[str, Any], ...] = ()


def line_of(currency: str, due: Due) -> LineDraft:
    """The line that bills a period of an item; raises Odd when it cannot be priced.

    A whole period of a flat or plain unit price multiplies out as quantity x price. Anything else is one piece,
    because a price per unit would have to be rounded first. What was counted is of the days that are billed already:
    it is never taken by the share of the period.
    """
    item, span = due.item, due.span
    worth = _worth(due)
    amount = _rounded(worth.amount, currency)
    steps = worth.priced.steps
    whole = worth.share == 1 and not worth.off
    multiplies = whole and len(steps) == 1 and steps[0]["step"] in _MULTIPLY
    return LineDraft(
        description=item.name,
        detail="" if multiplies else _detail(due, worth, currency),
        quantity=Decimal(steps[0]["quantity"]) if multiplies else Decimal(1),
        unit_price=item.terms.unit_price if multiplies else amount.decimal,
        amount_minor=amount.minor,
        tax_percent=item.tax_percent,
        service_start=span.start,
        service_end=span.end,
        source=source_of(item, span.start),
        why=_why(due, worth),
    )


def source_of(item: ItemFacts, start: date) -> str:
    """What the line of a period that begins on a day is known by, on whatever document it stands."""
    return f"{item.public_id}:{start.isoformat()}"


def unused_minor(currency: str, due: Due, part: Period, ended: time = MIDNIGHT) -> int:
    """What the last days of a billed period came to, minor units: their exact share of it, rounded once.

    By seconds they count from `ended` on the first of them on. Raises Odd when the period cannot be priced.
    """
    if due.item.unit is None or not (worth := _worth(due)).amount:
        return 0
    return _rounded(worth.amount * due.unused(part, ended), currency).minor


def discount_minor(currency: str, due: Due) -> int:
    """What discounts take off a period, minor units: what it came to without them less what it comes to."""
    if not due.discounts:
        return 0
    worth = _worth(due)
    whole = worth.priced.amount * worth.share
    return _rounded(whole, currency).minor - _rounded(worth.amount, currency).minor


def gross(due: Due) -> Fraction:
    """What a period comes to before discounts, major units, exact; raises Odd when it cannot be priced."""
    return _gross(due)[1]


def _rounded(amount: Fraction, currency: str) -> Money:
    try:
        return from_decimal(amount, currency)
    except MoneyError as error:
        raise Odd(str(error)) from error


def _worth(due: Due) -> _Worth:
    priced, whole = _gross(due)
    amount, off = discounted(whole, due.discounts)
    return _Worth(priced, due.share, amount, off)


def _gross(due: Due) -> tuple[Priced, Fraction]:
    if due.quantity >= BEYOND:
        raise Odd("The quantity is too large.")
    try:
        priced = _priced(due)
    except Unpriceable as error:
        raise Odd(str(error)) from error
    return priced, priced.amount * due.share


def _priced(due: Due) -> Priced:
    """What the quantity of a period costs: the item's, or what its meter counted."""
    if due.item.meter_id and due.item.terms.by_event and due.used.events is None:
        raise Odd(
            "It has more single events than can be looked at one by one; bill it by a price of their sum."
        )
    terms = due.item.terms
    if due.item.meter_id and terms.by_share and not due.item.level:
        terms = for_part(terms, due.part)
    return price(terms, due.quantity, due.used.events if due.item.meter_id else None)


_MULTIPLY = (str(Model.FLAT), str(Model.PER_UNIT))


def _detail(due: Due, worth: _Worth, currency: str) -> str:
    places = exponent(currency)
    return ", ".join(
        [_parted(due, worth, short(worth.priced.steps, places)), *(off(each, places) for each in worth.off)]
    )


def _parted(due: Due, worth: _Worth, said: str) -> str:
    if worth.share == 1:
        return said
    if due.by_days:
        return f"{said} for {due.span.days} of {due.whole.days} days"
    if due.proration is Proration.SECOND:
        return f"{said} for {_clocked(due.seconds)} of {due.whole.days} days"
    return f"{said} × {worth.share}" if worth.share else f"{said}, free up to its next period"


def _clocked(seconds: int) -> str:
    """A time as days and hours: 15 days 09:30."""
    days, rest = divmod(seconds, DAY)
    minutes, rest = divmod(rest, 60)
    clock = f"{minutes // 60:02}:{minutes % 60:02}" + (f":{rest:02}" if rest else "")
    return f"{days} days {clock}"


def _why(due: Due, worth: _Worth) -> tuple[dict[str, Any], ...]:
    """The days that are billed, how the quantity was priced, which share of it, and the rounding."""
    span, whole = due.span, due.whole
    steps = [
        {"step": "period", "start": span.start.isoformat(), "end": span.end.isoformat()},
        *worth.priced.steps,
    ]
    if due.item.meter_id and due.item.terms.by_share and due.part != worth.share:
        steps.append({"step": "for_part", "share": str(due.part)})
    if worth.share != 1:
        between = {"start": whole.start.isoformat(), "end": whole.end.isoformat()}
        if due.by_days:
            steps.append({"step": "prorated", "days": span.days, "of": whole.days, **between})
        elif due.proration is Proration.SECOND:
            steps.append({"step": "seconds", "seconds": due.seconds, "of": whole.days * DAY, **between})
        else:
            steps.append({"step": "share", "share": str(worth.share), "by": str(due.proration), **between})
    return (*(dict(each) for each in (*steps, *worth.off)), {"step": "rounded", "rule": "half_up"})

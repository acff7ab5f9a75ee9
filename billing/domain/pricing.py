"""What a quantity costs under the terms of a price: pure, exact, each step told.

Amounts are major units of one currency as fractions; nothing is rounded here. The caller rounds once, after any
share of a period, so that a price in parts never loses a cent.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import ceil
from typing import Any

from core.money import round_half_up

ZERO = Decimal(0)
BEYOND = "The quantity is beyond the last tier."


class Model(StrEnum):
    """How a price turns a quantity into an amount."""

    FLAT = "flat"
    PER_UNIT = "per_unit"
    PACKAGE = "package"
    GRADUATED = "graduated"
    VOLUME = "volume"
    STAIRSTEP = "stairstep"
    PERCENTAGE = "percentage"
    GRADUATED_PERCENTAGE = "graduated_percentage"


class Unpriceable(ValueError):
    """The terms cannot price this quantity; the message is fit for a person."""


@dataclass(frozen=True, slots=True)
class Tier:
    """A range of quantities that ends with `up_to`, itself included; the last one has no end.

    A unit in it costs `unit_price`, or `percent` of it where the quantity is an amount. With `per`, the price is for
    that many units and a started lot counts whole. `flat` is owed as soon as the tier is reached.
    """

    up_to: Decimal | None = None
    unit_price: Decimal = ZERO
    percent: Decimal = ZERO
    flat: Decimal = ZERO
    per: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What a price says. Prices are major units, percents of 100; what a model does not use stays as it is here.

    `unit_price` is for all of it (flat), a unit, or a package of `per` units, of which a started one counts whole.
    The first `free` units cost nothing. A percentage may cost `per_event` besides, each event's fee between
    `event_minimum` and `event_maximum`, and nothing until `free_events` or `free_total` is used up, whichever comes
    first. The amount of a period lies between `minimum` and `maximum`.

    Conventions: `flat_at_zero`, whether the first tier's flat part is owed when there was nothing; by default it is.
    `by_share`, whether what is free and the bounds of a period are a part's share in a part of a period where a meter
    counts, and a level that is averaged over time costs its share; by default all are whole.
    """

    model: Model
    unit_price: Decimal = ZERO
    tiers: tuple[Tier, ...] = ()
    per: Decimal = Decimal(1)
    free: Decimal = ZERO
    percent: Decimal = ZERO
    per_event: Decimal = ZERO
    free_events: int | None = None
    free_total: Decimal | None = None
    event_minimum: Decimal | None = None
    event_maximum: Decimal | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    flat_at_zero: bool = True
    by_share: bool = False

    @property
    def by_event(self) -> bool:
        """Whether the single events matter, not only what they come to."""
        return self.model is Model.PERCENTAGE and bool(
            self.per_event
            or self.free_events is not None
            or self.free_total is not None
            or self.event_minimum is not None
            or self.event_maximum is not None
        )


@dataclass(frozen=True, slots=True)
class Priced:
    """The exact amount in major units and the steps that led there. It says nothing of rounding, tax or period."""

    amount: Fraction
    steps: tuple[Mapping[str, Any], ...]


def price(terms: Terms, quantity: Decimal, events: Sequence[Decimal] | None = None) -> Priced:
    """What `quantity` units cost, or for a percentage what is owed of an amount of `quantity` major units.

    `events` are the single amounts in their order, whose sum is the quantity; terms that look at them need them.
    Raises Unpriceable below zero, and when events are needed and missing.
    """
    if quantity < 0:
        raise Unpriceable("A quantity is below zero.")
    return _bounded(terms, _MODELS[terms.model](terms, quantity, events))


def for_part(terms: Terms, share: Fraction) -> Terms:
    """What of the terms is of a whole period as it is for a share of one, 0 to 1: decimals half up to twelve places,
    free events whole, a started one not counted.
    """
    events = None if terms.free_events is None else int(terms.free_events * share)
    scaled = {
        name: _scaled(getattr(terms, name), share) for name in ("free", "free_total", "minimum", "maximum")
    }
    return replace(terms, free_events=events, **scaled)


def _scaled(value: Decimal | None, share: Fraction) -> Any:
    return None if value is None else Decimal(round_half_up(Fraction(value) * share * 10**12)).scaleb(-12)


def plain(number: Decimal | Fraction) -> str:
    """A number as text without needless zeros, at most twelve decimals: 7, 6.5, 0.0006."""
    if isinstance(
        number, Fraction
    ):  # in whole numbers: a decimal has only 28 digits, an amount may have more
        whole, rest = divmod(abs(round(number * 10**12)), 10**12)
        text = f"{'-' if number < 0 else ''}{whole}.{rest:012d}"
    else:
        text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _flat(terms: Terms, _quantity: Decimal, _events: Any) -> Priced:
    amount = Fraction(terms.unit_price)
    step = {"step": "flat", "quantity": "1", "unit_price": plain(terms.unit_price)}
    return Priced(amount, (step,))


def _per_unit(terms: Terms, quantity: Decimal, _events: Any) -> Priced:
    counted = max(quantity - terms.free, ZERO)
    step = {"step": "per_unit", "quantity": plain(counted), "unit_price": plain(terms.unit_price)}
    return Priced(Fraction(counted) * Fraction(terms.unit_price), (*_free(terms, quantity), step))


def _package(terms: Terms, quantity: Decimal, _events: Any) -> Priced:
    counted = max(quantity - terms.free, ZERO)
    lots = ceil(Fraction(counted) / Fraction(terms.per))
    step = {
        "step": "package",
        "quantity": plain(counted),
        "per": plain(terms.per),
        "lots": lots,
        "unit_price": plain(terms.unit_price),
    }
    return Priced(lots * Fraction(terms.unit_price), (*_free(terms, quantity), step))


def _free(terms: Terms, quantity: Decimal) -> tuple[Mapping[str, Any], ...]:
    return ({"step": "free", "quantity": plain(min(quantity, terms.free))},) if terms.free else ()


def _graduated(terms: Terms, quantity: Decimal, _events: Any) -> Priced:
    """Each part of the quantity at the price of the tier it falls into."""
    parts: list[tuple[Fraction, dict[str, Any]]] = []
    low = ZERO
    for tier in terms.tiers:
        high = quantity if tier.up_to is None else min(quantity, tier.up_to)
        if high > low or (not parts and _owed_at_zero(terms, quantity)):
            parts.append(_part(terms, tier, low, max(high - low, ZERO)))
        low = max(low, high)
    if quantity > low:
        raise Unpriceable(BEYOND)
    return _sum(parts)


def _volume(terms: Terms, quantity: Decimal, _events: Any) -> Priced:
    """The whole quantity at the price of the tier that it reaches."""
    if not quantity and not _owed_at_zero(terms, quantity):
        return Priced(Fraction(0), ())
    low = ZERO
    for tier in terms.tiers:
        if tier.up_to is None or quantity <= tier.up_to:
            return _sum([_part(terms, tier, low, quantity)])
        low = tier.up_to
    raise Unpriceable(BEYOND)


def _owed_at_zero(terms: Terms, quantity: Decimal) -> bool:
    return not quantity and terms.flat_at_zero


def _part(terms: Terms, tier: Tier, low: Decimal, quantity: Decimal) -> tuple[Fraction, dict[str, Any]]:
    """What `quantity` costs in a tier that begins after `low`, and the step that says so."""
    step: dict[str, Any] = {
        "step": "tier",
        "above": plain(low),
        "up_to": None if tier.up_to is None else plain(tier.up_to),
        "quantity": plain(quantity),
    }
    if terms.model is Model.GRADUATED_PERCENTAGE:
        amount = Fraction(quantity) * Fraction(tier.percent) / 100
        step["percent"] = plain(tier.percent)
    else:
        lots = Fraction(quantity) if tier.per is None else ceil(Fraction(quantity) / Fraction(tier.per))
        amount = lots * Fraction(tier.unit_price)
        step["unit_price"] = plain(tier.unit_price)
        if tier.per is not None:
            step |= {"per": plain(tier.per), "lots": int(lots)}
    if tier.flat:
        amount += Fraction(tier.flat)
        step["flat"] = plain(tier.flat)
    return amount, step


def _sum(parts: Sequence[tuple[Fraction, dict[str, Any]]]) -> Priced:
    steps = tuple({**step, "amount": plain(amount)} for amount, step in parts)
    return Priced(sum((amount for amount, _ in parts), Fraction(0)), steps)


def _percentage(terms: Terms, quantity: Decimal, events: Sequence[Decimal] | None) -> Priced:
    if not terms.by_event:
        counted = max(quantity - terms.free, ZERO)
        step = {"step": "percent", "quantity": plain(counted), "percent": plain(terms.percent)}
        share = Fraction(counted) * Fraction(terms.percent) / 100
        return Priced(share, (*_free(terms, quantity), step))
    if events is None:
        raise Unpriceable("This price looks at single events; only their sum is known.")
    return _event_by_event(terms, events)


def _event_by_event(terms: Terms, events: Sequence[Decimal]) -> Priced:
    """A percentage of each event that is beyond the free ones, with its fixed part and bounds."""
    total, before, charged, base = Fraction(0), ZERO, 0, ZERO
    for number, amount in enumerate(events, 1):
        if amount < 0:
            raise Unpriceable("An event's amount is below zero.")
        taken = _beyond_free(terms, number, before, amount)
        if taken is not None:
            fee = Fraction(taken) * Fraction(terms.percent) / 100 + Fraction(terms.per_event)
            total += _within(fee, terms.event_minimum, terms.event_maximum)
            charged, base = charged + 1, base + taken
        before += amount
    step = {
        "step": "events",
        "events": len(events),
        "charged": charged,
        "quantity": plain(base),
        "percent": plain(terms.percent),
        "per_event": plain(terms.per_event),
        "amount": plain(total),
    }
    return Priced(total, (step,))


def _beyond_free(terms: Terms, number: int, before: Decimal, amount: Decimal) -> Decimal | None:
    """How much of an event is charged, or None while it is free; `before` is what came before it.

    Free are the first `free_events` and the first `free_total`, and the limit that is reached first ends both.
    """
    by_number, by_total = terms.free_events, terms.free_total
    if by_number is None and by_total is None:
        return amount
    if (by_number is not None and number > by_number) or (by_total is not None and before >= by_total):
        return amount
    over = before + amount - by_total if by_total is not None else ZERO
    return over if over > 0 else None


def _bounded(terms: Terms, found: Priced) -> Priced:
    bounded = _within(found.amount, terms.minimum, terms.maximum)
    if bounded == found.amount:
        return found
    kind = "minimum" if bounded > found.amount else "maximum"
    step = {"step": kind, "amount": plain(bounded), "instead_of": plain(found.amount)}
    return Priced(bounded, (*found.steps, step))


def _within(amount: Fraction, low: Decimal | None, high: Decimal | None) -> Fraction:
    if low is not None and amount < low:
        return Fraction(low)
    return Fraction(high) if high is not None and amount > high else amount


_MODELS: Mapping[Model, Callable[[Terms, Decimal, Sequence[Decimal] | None], Priced]] = {
    Model.FLAT: _flat,
    Model.PER_UNIT: _per_unit,
    Model.PACKAGE: _package,
    Model.GRADUATED: _graduated,
    Model.VOLUME: _volume,
    Model.STAIRSTEP: _volume,
    Model.PERCENTAGE: _percentage,
    Model.GRADUATED_PERCENTAGE: _graduated,
}

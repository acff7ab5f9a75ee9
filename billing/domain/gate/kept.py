"""The terms of a billed period as they are kept beside it, so that the next bill can be compared with them."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from billing.domain.gate.contract import nearest
from billing.domain.gate.facts import Discount, Terms, Tier, Timing
from core.money import exponent

_COMPUTED = frozenset({"unit_price", "tiers", "per", "free", "minimum", "maximum"})
"""What of a price's terms the gate computes with; all else it compares as it stands."""
_TIER = frozenset({"up_to", "unit_price", "flat"})


def agreed(
    said: Mapping[str, Any],
    *,
    model: str,
    price: int,
    plan: str,
    currency: str,
    unit: str,
    every: int,
    dates: Sequence[str],
    timing: str,
    tax_percent: Decimal,
) -> dict[str, Any]:
    """What is kept: the terms `said` of a price, as billing.domain.terms writes them, and the rest of its row."""
    listed = {"dates": list(dates)} if dates else {}
    return {
        "said": dict(said), "model": model, "price": price, "plan": plan, "currency": currency, "unit": unit,
        "every": every, "timing": timing, "tax_percent": f"{tax_percent.normalize():f}",
        **listed,
    }  # fmt: skip


def terms_of(kept: Mapping[str, Any]) -> Terms:
    """The terms that `agreed` wrote."""
    said = kept["said"]
    more = {name: value for name, value in said.items() if name not in _COMPUTED}
    tiers = said.get("tiers", ())
    strange = any(value is not None and name not in _TIER for tier in tiers for name, value in tier.items())
    computed = not (more or strange)
    return Terms(
        price=str(kept["price"]),
        plan=kept["plan"],
        model=kept["model"] if computed else f"{kept['model']} (other)",
        currency=kept["currency"],
        unit_price=_number(said.get("unit_price")),
        unit=kept["unit"],
        every=kept["every"],
        dates=tuple(kept.get("dates", ())),
        tiers=tuple(map(_tier, tiers)) if computed else (),
        minimum_minor=_minor(said.get("minimum"), kept["currency"]) or 0,
        maximum_minor=_minor(said.get("maximum"), kept["currency"]),
        free=_number(said.get("free")),
        per=_number(said.get("per"), "1"),
        timing=Timing(kept["timing"]),
        tax_percent=Decimal(kept["tax_percent"]),
        more="" if computed else json.dumps(said, sort_keys=True),
        discounts=tuple(discount_of(each, kept["currency"]) for each in kept.get("discounts", ())),
    )


def discount_of(said: Mapping[str, Any], currency: str) -> Discount:
    """A discount as it is recorded: name, percent, amount in major units, whether per bill, and its days."""
    until = said["ends_on"]
    return Discount(
        name=said["name"],
        percent=_number(said["percent"]),
        amount_minor=nearest(Fraction(said["amount"]) * 10 ** exponent(currency)),
        since=date.fromisoformat(said["starts_on"]),
        until=date.fromisoformat(until) if until else None,
        per_bill=said.get("per") == "bill",
        key=said.get("public_id", ""),
    )


def _number(text: str | None, otherwise: str = "0") -> Decimal:
    return Decimal(otherwise if text is None else text)


def _minor(text: str | None, currency: str) -> int | None:
    return None if text is None else nearest(Fraction(text) * 10 ** exponent(currency))


def _tier(kept: Mapping[str, Any]) -> Tier:
    up_to = kept.get("up_to")
    return Tier(
        None if up_to is None else Decimal(up_to), _number(kept.get("unit_price")), _number(kept.get("flat"))
    )

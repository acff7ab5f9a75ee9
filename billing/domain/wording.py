"""The steps of a price in short, as they stand under a line of an invoice: 5 × 7.00 + 5 × 6.50 + 2 × 6.00."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

MOST = 300
"""Longest text, in characters; what is beyond is in the line's explanation."""


def short(steps: Sequence[Mapping[str, Any]], places: int) -> str:
    """The steps as one sum. Prices have at least `places` decimals, those of their currency."""
    tiers = " + ".join(_tier(each, places) for each in steps if each["step"] == "tier")
    others = [_STEPS[each["step"]](each, places) for each in steps if each["step"] in _STEPS]
    said = ", ".join(part for part in (tiers, *others) if part)
    return said if len(said) <= MOST else f"{said[: MOST - 1]}…"


def amount(text: str, places: int) -> str:
    """A price with at least `places` decimals: 7 -> 7.00, 0.0006 stays."""
    number = Decimal(text)
    return f"{number:.{max(places, -int(number.as_tuple().exponent))}f}"


def _flat(step: Mapping[str, Any], places: int) -> str:
    return amount(step["unit_price"], places)


def _per_unit(step: Mapping[str, Any], places: int) -> str:
    return f"{step['quantity']} × {amount(step['unit_price'], places)}"


def _free(step: Mapping[str, Any], _places: int) -> str:
    return f"{step['quantity']} free"


def _package(step: Mapping[str, Any], places: int) -> str:
    return f"{step['quantity']} in {step['lots']} × {step['per']} at {amount(step['unit_price'], places)}"


def _tier(step: Mapping[str, Any], places: int) -> str:
    flat = amount(step["flat"], places) if "flat" in step else ""
    if "percent" in step:
        times = f"{step['percent']} % of {step['quantity']}"
    elif flat and step["unit_price"] == "0":
        return flat
    else:
        times = f"{step.get('lots', step['quantity'])} × {amount(step['unit_price'], places)}"
    return f"{times} + {flat}" if flat else times


def _percent(step: Mapping[str, Any], _places: int) -> str:
    return f"{step['percent']} % of {step['quantity']}"


def _events(step: Mapping[str, Any], places: int) -> str:
    times = f"{step['percent']} % of {step['quantity']}"
    fixed = f"{step['charged']} × {amount(step['per_event'], places)}"
    return times if step["per_event"] == "0" else f"{times} + {fixed}"


def _bound(step: Mapping[str, Any], places: int) -> str:
    return f"{step['step']} {amount(step['amount'], places)}"


_STEPS = {
    "flat": _flat,
    "per_unit": _per_unit,
    "free": _free,
    "package": _package,
    "percent": _percent,
    "events": _events,
    "minimum": _bound,
    "maximum": _bound,
}


def off(step: Mapping[str, Any], places: int) -> str:
    """A discount in a few words: “10 % off (Welcome)”, “3.33 of 5.00 off (Five)”."""
    much = f"{step['percent']} %" if "percent" in step else amount(step["amount"], places)
    if "of" in step:
        much = f"{much} of {amount(step['of'], places)}"
    return f"{much} off ({step['name']})"

"""Terms of a price as they are said and kept: checked field by field, then plain decimals as text."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any

from billing.domain.pricing import Model, Terms, Tier, plain

MOST = Decimal(10) ** 12
MOST_TIERS = 100
PLACES = 12
HUNDRED = Decimal(100)

_EVENTS = ("per_event", "free_events", "free_total", "event_minimum", "event_maximum")
_BOUNDS = ("minimum", "maximum", "by_share")
_FLAGS = ("flat_at_zero", "by_share")
"""Conventions: yes or no."""
USES: Mapping[Model, tuple[str, ...]] = {
    Model.FLAT: ("unit_price",),
    Model.PER_UNIT: ("unit_price", "free", *_BOUNDS),
    Model.PACKAGE: ("unit_price", "per", "free", *_BOUNDS),
    Model.GRADUATED: ("tiers", "flat_at_zero", *_BOUNDS),
    Model.VOLUME: ("tiers", "flat_at_zero", *_BOUNDS),
    Model.STAIRSTEP: ("tiers", "flat_at_zero", "by_share"),
    Model.PERCENTAGE: ("percent", "free", *_EVENTS, *_BOUNDS),
    Model.GRADUATED_PERCENTAGE: ("tiers", "flat_at_zero", *_BOUNDS),
}
"""The fields that each model looks at; another one that is said is a mistake."""
NEEDS: Mapping[Model, tuple[str, ...]] = {
    Model.FLAT: ("unit_price",),
    Model.PER_UNIT: ("unit_price",),
    Model.PACKAGE: ("unit_price", "per"),
    Model.PERCENTAGE: ("percent",),
}
TIER_USES: Mapping[Model, tuple[str, ...]] = {
    Model.GRADUATED: ("up_to", "unit_price", "flat", "per"),
    Model.VOLUME: ("up_to", "unit_price", "flat", "per"),
    Model.STAIRSTEP: ("up_to", "flat"),
    Model.GRADUATED_PERCENTAGE: ("up_to", "percent", "flat"),
}
_ALL = tuple(each.name for each in fields(Terms) if each.name != "model")


class BadTerms(ValueError):
    """Terms that make no price. `fields` says what is wrong where: {"tiers.1.up_to": "Above the tier before."}."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("The price cannot be read.")
        self.fields = dict(problems)


def terms_of(model: str, said: Mapping[str, Any]) -> Terms:
    """The terms of a model from what is said of it; numbers are decimals, or text as it is kept. Raises BadTerms.

    What is None or missing is not said. A field that the model does not look at is refused.
    """
    if model not in list(Model):
        raise BadTerms({"model": "There is no such model."})
    kind = Model(model)
    given = {name: value for name, value in said.items() if value is not None}
    problems = dict(_problems(kind, given))
    if problems:
        raise BadTerms(problems)
    return _read(kind, given)


def kept_terms(model: str, unit_price: Decimal, kept: Mapping[str, Any]) -> Terms:
    """The terms of a price that was checked when it was saved; `kept` is what `as_json` gave but the unit price."""
    return replace(_read(Model(model), kept), unit_price=unit_price.normalize())


def _read(kind: Model, said: Mapping[str, Any]) -> Terms:
    values: dict[str, Any] = {name: _value(name, value) for name, value in said.items() if name != "tiers"}
    return Terms(kind, tiers=tuple(_tier(each) for each in said.get("tiers", ())), **values)


def as_json(terms: Terms) -> dict[str, Any]:
    """The terms as they are kept and given: decimals as text, nothing that was not said."""
    found: dict[str, Any] = {}
    for each in fields(Terms):
        value = getattr(terms, each.name)
        if each.name in {"model", "tiers"} or value == each.default:
            continue
        found[each.name] = plain(value) if isinstance(value, Decimal) else value
    if terms.tiers:
        found["tiers"] = [_tier_json(each) for each in terms.tiers]
    return found


def _tier_json(tier: Tier) -> dict[str, Any]:
    kept = {each.name: getattr(tier, each.name) for each in fields(Tier)}
    said = {name: plain(value) for name, value in kept.items() if value}
    return {"up_to": None, **said}


def _tier(said: Mapping[str, Any]) -> Tier:
    return Tier(**{name: _decimal(value) for name, value in said.items() if value is not None})


def _value(name: str, value: Any) -> Any:
    return value if name in {*_FLAGS, "free_events"} else _decimal(value)


def _decimal(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(value)


def _problems(kind: Model, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in given:
        if name not in _ALL or (name not in USES[kind] and given[name] not in ([], ())):
            yield name, "This model has no such field."
    for name in NEEDS.get(kind, ()):
        if name not in given:
            yield name, "This model needs it."
    for name in (each for each in USES[kind] if each in given and each not in {"tiers", *_FLAGS}):
        if problem := _number_problem(name, given[name]):
            yield name, problem
    if "tiers" in USES[kind]:
        yield from _tier_problems(kind, given.get("tiers") or ())
    yield from _pair_problems(given)


def _number_problem(name: str, value: Any) -> str:
    if name == "free_events":
        whole = isinstance(value, int) and not isinstance(value, bool)
        return "" if whole and 0 <= value <= MOST else "A whole number, zero or more."
    try:
        number = _decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        return "This is not a number."
    if not number.is_finite() or not 0 <= number <= MOST:
        return "Zero or more, and not absurdly large."
    if -int(number.normalize().as_tuple().exponent) > PLACES:
        return f"At most {PLACES} decimals."
    if name == "percent" and number > HUNDRED:
        return "At most 100 percent."
    return "More than zero." if name in {"per", "up_to"} and not number else ""


def _tier_problems(kind: Model, given: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    if not 1 <= len(given) <= MOST_TIERS:
        yield "tiers", f"This model needs 1 to {MOST_TIERS} tiers."
    problems = {
        f"tiers.{n}.{name}": problem
        for n, tier in enumerate(given)
        for name, value in tier.items()
        if value is not None and (problem := _field_problem(kind, name, value))
    }
    yield from problems.items() if problems else _order_problems(given)


def _field_problem(kind: Model, name: str, value: Any) -> str:
    return _number_problem(name, value) if name in TIER_USES[kind] else "This model has no such field."


def _order_problems(given: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    ends = [tier.get("up_to") for tier in given]
    for n, (one, two) in enumerate(pairwise(ends)):
        if one is None:
            yield f"tiers.{n}.up_to", "Only the last tier has no end."
        elif two is not None and _decimal(two) <= _decimal(one):
            yield f"tiers.{n + 1}.up_to", "It ends above the tier before it."
    if ends and ends[-1] is not None:
        yield f"tiers.{len(ends) - 1}.up_to", "The last tier has no end."


def _pair_problems(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for low, high in (("minimum", "maximum"), ("event_minimum", "event_maximum")):
        said = [
            given[name] for name in (low, high) if name in given and not _number_problem(name, given[name])
        ]
        if len(said) > 1 and _decimal(said[0]) > _decimal(said[1]):
            yield high, "The most is less than the least."
    if "free" in given and any(name in given for name in _EVENTS):
        yield "free", "What is free is said either of the sum or of single events."

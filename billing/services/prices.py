"""What is sold: plans and their prices."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from billing.domain.facts import Timing
from billing.domain.listed import listed_problems
from billing.domain.pricing import ZERO, Model, Terms
from billing.domain.terms import BadTerms, as_json, terms_of
from billing.domain.usage import Aggregation
from billing.metering import called
from billing.models import MOST_EVERY, ONCE, Meter, Plan, Price, Product
from billing.services.products import belongs_to
from core import clock, money
from core.errors import Conflict, Invalid
from core.locks import lock_one
from core.periods import DATES, Unit
from tenants.selectors import entity

_ONE_PRICE = (Model.FLAT, Model.PER_UNIT, Model.PACKAGE)
MOST_UNIT_PRICE = 10**15
_CODE = re.compile(r"[\w.-]{1,40}")


def create_price(  # noqa: PLR0913 - a price's own data
    *,
    name: str,
    code: str,
    model: str,
    currency: str,
    unit: str = "month",
    every: int = 1,
    dates: Sequence[str] = (),
    timing: str = "advance",
    tax_percent: Decimal | None = None,
    meter: str = "",
    replaces: str = "",
    product: str = "",
    moved_in: bool = False,
    **terms: Any,
) -> Price:
    """A price of the plan with this code, the plan being made, with the name, when it is new. Inside work().

    `terms` are the fields that billing.domain.terms reads, prices in major units; tax defaults to the legal
    entity's. `unit` may be "once", or "dates" for periods that begin on the `dates` of each year, as 03-25.
    With `meter`, a code or public id, the quantity of a period is what that counts.
    With `replaces`, a price's public id, that one is not offered any more; who subscribes to it keeps it. `product`, a
    code, is that of a new plan; one that is there keeps its own, or none. One that is `moved_in` from elsewhere may say
    what no new one may.
    Raises Invalid, and Conflict when that price is replaced already.
    """
    problems = _plan_problems(name, code) | _price_problems(unit, every, timing, tax_percent)
    problems |= dict(listed_problems(unit, every, dates))
    read = _read(model, terms, problems)
    try:
        places = money.exponent(currency)
    except money.MoneyError as error:
        problems["currency"] = str(error)
    else:
        problems |= {} if moved_in else _idle_problems(unit, every, read, currency, places)
    if problems or read is None:
        raise Invalid("The price cannot be saved.", fields=problems)
    counted = _meter(meter, read, unit, timing)
    owner = belongs_to(list(Product.objects.filter(code=product)), product)
    plan, _ = Plan.objects.get_or_create(code=code, defaults={"name": name, "product": owner})
    made: Price = Price.objects.create(
        plan=plan,
        model=model,
        unit_price=read.unit_price,
        terms=as_json(replace(read, unit_price=ZERO)),
        currency=currency,
        unit=unit,
        every=every,
        dates=sorted(dates),
        timing=timing,
        meter=counted,
        tax_percent=entity().tax_percent if tax_percent is None else tax_percent,
    )
    if replaces:
        _replace(replaces, made)
    return made


def own_price(price: Price, unit_price: Decimal, *, moved_in: bool = False) -> Price:
    """The price with another unit price, in major units, for single subscriptions. Inside work().

    Natural key: the price and the unit price. Raises Invalid for a price that has more than one unit price or is not
    offered, unless it is `moved_in` from elsewhere, and for one below zero or with more digits than are kept.
    """
    base = price if price.overrides_id is None else Price.objects.get(pk=price.overrides_id)
    if base.unit_price == unit_price:
        return base
    problem = ""
    if Model(base.model) not in _ONE_PRICE:
        problem = "It has more than one unit price; make a price of its own."
    elif base.retired_at is not None and not moved_in:
        problem = "This price is not offered any more."
    elif not unit_price.is_finite() or not 0 <= unit_price < MOST_UNIT_PRICE:
        problem = "Zero or more."
    if problem:
        raise Invalid(problem, fields={"unit_price": problem})
    kept = (
        "plan_id",
        "model",
        "currency",
        "terms",
        "unit",
        "every",
        "dates",
        "timing",
        "meter_id",
        "tax_percent",
    )
    made: Price = Price.objects.get_or_create(
        overrides=base, unit_price=unit_price, defaults={name: getattr(base, name) for name in kept}
    )[0]
    return made


def retire_price(public_id: str) -> Price:
    """Offer a price no more; who subscribes to it keeps it. Again changes nothing. Inside work()."""
    price: Price = lock_one(Price.objects.filter(public_id=public_id))
    if price.retired_at is None:
        price.retired_at = clock.now()
        price.touch("retired_at")
    return price


def _meter(name: str, terms: Terms, unit: str, timing: str) -> Meter | None:
    """The meter that counts for a price; raises Invalid when the two do not go together."""
    found = Meter.objects.filter(called(name), archived_at=None).first() if name else None
    problem = ""
    if terms.by_share and found is None and not name:
        said = "Only where a meter counts; a quantity always costs its share."
        raise Invalid("The price cannot be saved.", fields={"by_share": said})
    if name and found is None:
        problem = "That meter is not here."
    elif found is None and terms.by_event:
        problem = "A price that looks at single events needs a meter."
    elif found is not None and terms.model is Model.FLAT:
        problem = "A flat price does not look at what a meter counts."
    elif found is not None and (unit == ONCE or timing != Timing.ARREARS):
        problem = "What a meter counts is billed in arrears."
    elif found is not None and terms.by_event and found.aggregation != Aggregation.SUM:
        problem = "Single events are priced by a meter that sums them."
    if problem:
        raise Invalid("The price cannot be saved.", fields={"meter": problem})
    return found


def _replace(public_id: str, new: Price) -> None:
    old: Price = lock_one(Price.objects.filter(public_id=public_id))
    if (old.plan_id, old.currency) != (new.plan_id, new.currency):
        problem = "A price is replaced by one of its own plan and currency."
        raise Invalid(problem, fields={"replaces": problem})
    if old.replaced_by_id is not None:
        raise Conflict("That price is replaced already; replace the newer one.")
    old.replaced_by = new
    old.retired_at = old.retired_at or clock.now()
    old.touch("replaced_by", "retired_at")


def _read(model: str, terms: Mapping[str, Any], problems: dict[str, str]) -> Terms | None:
    try:
        return terms_of(model, terms)
    except BadTerms as error:
        problems.update(error.fields)
        return None


def _plan_problems(name: str, code: str) -> dict[str, str]:
    if not _CODE.fullmatch(code):
        return {"code": "Letters, digits, dots and dashes."}
    if not name.strip() and not Plan.objects.filter(code=code).exists():
        return {"name": "A new plan needs a name."}
    return {}


def _idle_problems(unit: str, every: int, terms: Terms | None, currency: str, places: int) -> dict[str, str]:
    """What a price would say and no bill could do: come once again, or lie at a bound that no amount has."""
    problems = {}
    if unit == ONCE and every > 1:
        problems["every"] = "What is owed once does not come again: 1."
    for name in ("minimum", "maximum"):
        bound = getattr(terms, name, None)
        if bound is not None and bound != round(bound, places):
            has = f"{places} decimals" if places else "no decimals"
            problems[name] = f"{currency} has {has}."
    return problems


def _price_problems(unit: str, every: int, timing: str, tax_percent: Decimal | None) -> dict[str, str]:
    problems: dict[str, str] = {}
    if unit not in [*Unit, DATES, ONCE]:
        problems["unit"] = "Choose day, week, month, quarter, year, dates or once."
    if not 1 <= every <= MOST_EVERY:
        problems["every"] = f"An interval is 1 to {MOST_EVERY}."
    if timing not in list(Timing) or (unit == ONCE and timing != Timing.ADVANCE):
        problems["timing"] = "In advance, or in arrears for what comes again."
    if tax_percent is not None and not 0 <= tax_percent <= 100:  # noqa: PLR2004
        problems["tax_percent"] = "A tax is between 0 and 100 percent."
    return problems

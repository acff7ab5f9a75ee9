"""Why a line comes to its amount, in words and figures, from the steps stored with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from core.money import Money, exponent
from core.templatetags.fmt import money as money_text
from core.templatetags.fmt import quantity as quantity_text
from core.templatetags.fmt import shortdate
from invoicing.models import Line

_SHOWN_PLACES = 6
_MOST = Decimal(10) ** 18


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the explanation; `result` closes it."""

    label: str
    value: str = ""
    result: bool = False


@dataclass(frozen=True, slots=True)
class LineView:
    """A line as its page shows it."""

    line: Line
    amount: Money
    price: str
    steps: list[Step]

    @property
    def last_day(self) -> date | None:
        """The last day that the line is for; the stored end is the first that it is not."""
        return self.line.service_end - timedelta(days=1) if self.line.service_end else None


def price_text(price: Decimal, currency: str) -> str:
    """A unit price with the currency's decimals, or with its own where it has more: 14.50, 0.0012."""
    places = exponent(currency)
    exact = price.normalize()
    decimals = max(0, -int(exact.as_tuple().exponent))
    if decimals > places:
        return quantity_text(exact)
    return money_text(Money(int(exact.scaleb(places)), currency))


def line_view(line: Line, currency: str) -> LineView:
    """The line with its price as text and its explanation."""
    amount = Money(line.amount_minor, currency)
    return LineView(line, amount, price_text(line.unit_price, currency), steps(line.why, amount))


def steps(why: Iterable[Mapping[str, Any]], amount: Money) -> list[Step]:
    """The stored steps in words; a step of an unknown kind is left out."""
    found = [_step(each, amount) for each in why if isinstance(each, Mapping)]
    return [step for step in found if step is not None]


def _step(each: Mapping[str, Any], amount: Money) -> Step | None:
    if "text" in each:
        return Step(str(each["text"]))
    match each.get("step"):
        case "period":
            return _period(each)
        case "per_unit" | "flat":
            return _product(each, amount.currency)
        case "prorated":
            return _share(each)
        case "rounded":
            return Step(_("Rounded once, half away from zero"), money_text(amount), result=True)
    return None


def _period(each: Mapping[str, Any]) -> Step | None:
    try:
        start, end = date.fromisoformat(each["start"]), date.fromisoformat(each["end"])
    except (KeyError, TypeError, ValueError):
        return None
    last = end - timedelta(days=1)
    return Step(
        _("For %(first)s to %(last)s") % {"first": shortdate(start), "last": shortdate(last)},
        _("%(n)s days") % {"n": (end - start).days},
    )


def _share(each: Mapping[str, Any]) -> Step | None:
    """The part of a period that is billed, by its days."""
    try:
        days, whole = int(each["days"]), int(each["of"])
    except (KeyError, TypeError, ValueError):
        return None
    return Step(
        _("For %(days)s of the period's %(whole)s days") % {"days": days, "whole": whole}, f"× {days}/{whole}"
    )


def _product(each: Mapping[str, Any], currency: str) -> Step | None:
    try:
        amount, price = Decimal(str(each["quantity"])), Decimal(str(each["unit_price"]))
        product = amount * price
        if not abs(product) < _MOST:
            return None
        shown = product.quantize(Decimal(1).scaleb(-_SHOWN_PLACES)).normalize()
    except (KeyError, InvalidOperation):
        return None
    value = quantity_text(shown) + ("" if shown == product else "…")
    if each["step"] == "flat":
        return Step(_("Flat price"), value)
    return Step(f"{quantity_text(amount)} × {price_text(price, currency)}", value)

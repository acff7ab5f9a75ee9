"""Why a line comes to its amount, in words and figures, from the steps stored with it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
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
    told = _STEPS.get(str(each.get("step")))
    return told(each, amount) if told else None


def _rounded(_each: Mapping[str, Any], amount: Money) -> Step:
    return Step(_("Rounded once, half away from zero"), money_text(amount), result=True)


def _period(each: Mapping[str, Any], _amount: Money) -> Step | None:
    try:
        start, end = date.fromisoformat(each["start"]), date.fromisoformat(each["end"])
    except (KeyError, TypeError, ValueError):
        return None
    last = end - timedelta(days=1)
    return Step(
        _("For %(first)s to %(last)s") % {"first": shortdate(start), "last": shortdate(last)},
        _("%(n)s days") % {"n": (end - start).days},
    )


def _share(each: Mapping[str, Any], _amount: Money) -> Step | None:
    """The part of a period that is billed, by its days."""
    try:
        days, whole = int(each["days"]), int(each["of"])
    except (KeyError, TypeError, ValueError):
        return None
    return Step(
        _("For %(days)s of the period's %(whole)s days") % {"days": days, "whole": whole}, f"× {days}/{whole}"
    )


def _part(each: Mapping[str, Any], _amount: Money) -> Step | None:
    """The part of a period that is billed, by another convention than its days."""
    try:
        share = Fraction(str(each["share"]))
    except (KeyError, ValueError, ZeroDivisionError):
        return None
    if not share:
        return Step(_("A first part of a period is not billed"), "× 0")
    label = (
        _("In thirtieths of the period") if each.get("by") == "thirtieth" else _("For a part of the period")
    )
    return Step(label, f"× {share}")


def _for_part(each: Mapping[str, Any], _amount: Money) -> Step | None:
    """The share by which what is free and the bounds are counted in a part of a period."""
    try:
        share = Fraction(str(each["share"]))
    except (KeyError, ValueError, ZeroDivisionError):
        return None
    return Step(_("What is free and the bounds, for a part of the period"), f"× {share}")


def _seconds(each: Mapping[str, Any], _amount: Money) -> Step | None:
    """The part of a period that is billed, by its seconds."""
    try:
        seconds, whole = int(each["seconds"]), int(each["of"])
    except (KeyError, TypeError, ValueError):
        return None
    return Step(
        _("By the second, of the period's %(days)s days") % {"days": whole // 86400}, f"× {seconds}/{whole}"
    )


def _discount(each: Mapping[str, Any], amount: Money) -> Step | None:
    """What a discount takes off."""
    try:
        off = price_text(Decimal(str(each["amount"])), amount.currency)
    except (KeyError, InvalidOperation):
        return None
    name = str(each.get("name", ""))
    if "percent" in each:
        return Step(
            _("%(name)s: %(percent)s %% off") % {"name": name, "percent": each["percent"]}, f"− {off}"
        )
    try:
        of = price_text(Decimal(str(each["of"])), amount.currency)
    except (KeyError, InvalidOperation):
        return Step(_("%(name)s: an amount off") % {"name": name}, f"− {off}")
    return Step(
        _("%(name)s: its share of %(amount)s off the bill") % {"name": name, "amount": of}, f"− {off}"
    )


def _unused(each: Mapping[str, Any], _amount: Money) -> Step | None:
    """The days that are taken back of those that were billed."""
    try:
        days, of, start = int(each["days"]), int(each["of"]), date.fromisoformat(each["start"])
    except (KeyError, TypeError, ValueError):
        return None
    since = str(each.get("since", ""))  # a time of the day, where it is credited by the second
    return Step(
        _("Not used from %(day)s on") % {"day": " ".join(part for part in (shortdate(start), since) if part)},
        _("%(days)s of %(of)s billed days") % {"days": days, "of": of},
    )


def _recounted(each: Mapping[str, Any], _amount: Money) -> Step | None:
    """What a period was counted as when it was billed, and what it is counted as since."""
    try:
        start, end = date.fromisoformat(each["start"]), date.fromisoformat(each["end"])
        now = _figure(each["now"])
        before = _figure(each["before"]) if "before" in each else ""
    except (KeyError, TypeError, ValueError, InvalidOperation):
        return None
    days = {"first": shortdate(start), "last": shortdate(end - timedelta(days=1))}
    label = _("Counted anew after it was billed: %(first)s to %(last)s") % days
    return Step(label, _("%(now)s instead of %(before)s") % {"now": now, "before": before} if before else now)


def _billed_before(each: Mapping[str, Any], amount: Money) -> Step | None:
    try:
        return Step(_("Billed before"), f"− {price_text(Decimal(str(each['amount'])), amount.currency)}")
    except (KeyError, InvalidOperation):
        return None


def _priced(each: Mapping[str, Any], amount: Money) -> Step | None:
    """A step of a price that is more than a product: what it counts, and what that comes to."""
    try:
        said = {name: _figure(value) for name, value in each.items() if name not in {"step", "up_to"}}
        ends = _figure(each["up_to"]) if each.get("up_to") is not None else ""
        said["plain"] = str(each.get("unit_price", 0))
        for name in ("unit_price", "flat", "per_event", "amount", "instead_of"):
            if name in said:
                said[name] = price_text(Decimal(str(each[name])), amount.currency)
        return _PRICED[str(each["step"])](said, ends)
    except (KeyError, InvalidOperation):
        return None


def _figure(value: Any) -> str:
    return quantity_text(Decimal(str(value)))


def _tier(said: Mapping[str, str], ends: str) -> Step:
    place = _("Up to %(end)s") % {"end": ends} if ends else _("Above %(start)s") % {"start": said["above"]}
    parts = [said["flat"]] if "flat" in said else []
    if "percent" in said:
        parts = [f"{said['percent']} % × {said['quantity']}", *parts]
    elif Decimal(said["plain"]) or not parts:
        parts = [f"{said.get('lots', said['quantity'])} × {said['unit_price']}", *parts]
    return Step(f"{place}: {' + '.join(parts)}", said["amount"])


def _free(said: Mapping[str, str], _ends: str) -> Step:
    return Step(_("Free of charge"), said["quantity"])


def _package(said: Mapping[str, str], _ends: str) -> Step:
    lots = {"n": said["quantity"], "lots": said["lots"], "per": said["per"]}
    return Step(_("%(n)s in %(lots)s packages of %(per)s") % lots, f"{said['lots']} × {said['unit_price']}")


def _percent(said: Mapping[str, str], _ends: str) -> Step:
    return Step(_("%(percent)s %% of %(base)s") % {"percent": said["percent"], "base": said["quantity"]})


def _events(said: Mapping[str, str], _ends: str) -> Step:
    words = _("%(percent)s %% of %(base)s, and %(charged)s of %(events)s events at %(each)s") % {
        "percent": said["percent"], "base": said["quantity"], "charged": said["charged"],
        "events": said["events"], "each": said["per_event"],
    }  # fmt: skip
    return Step(words, said["amount"])


def _at_least(said: Mapping[str, str], _ends: str) -> Step:
    return Step(_("At least, instead of %(amount)s") % {"amount": said["instead_of"]}, said["amount"])


def _at_most(said: Mapping[str, str], _ends: str) -> Step:
    return Step(_("At most, instead of %(amount)s") % {"amount": said["instead_of"]}, said["amount"])


_PRICED = {
    "free": _free,
    "package": _package,
    "tier": _tier,
    "percent": _percent,
    "events": _events,
    "minimum": _at_least,
    "maximum": _at_most,
}


def _product(each: Mapping[str, Any], amount: Money) -> Step | None:
    try:
        count, price = Decimal(str(each["quantity"])), Decimal(str(each["unit_price"]))
        product = count * price
        if not abs(product) < _MOST:
            return None
        shown = product.quantize(Decimal(1).scaleb(-_SHOWN_PLACES)).normalize()
    except (KeyError, InvalidOperation):
        return None
    value = quantity_text(shown) + ("" if shown == product else "…")
    if each["step"] == "flat":
        return Step(_("Flat price"), value)
    return Step(f"{quantity_text(count)} × {price_text(price, amount.currency)}", value)


_STEPS: Mapping[str, Callable[[Mapping[str, Any], Money], Step | None]] = {
    "period": _period,
    "flat": _product,
    "per_unit": _product,
    "prorated": _share,
    "share": _part,
    "for_part": _for_part,
    "discount": _discount,
    "unused": _unused,
    "seconds": _seconds,
    "recounted": _recounted,
    "billed_before": _billed_before,
    "rounded": _rounded,
    **dict.fromkeys(_PRICED, _priced),
}

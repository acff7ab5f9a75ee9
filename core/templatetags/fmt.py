"""Figures and dates as people read them: exact decimals of the currency, the reader's grouping and order.

Amounts take `core.money.Money`; a `Money` knows its currency, so no filter ever guesses decimals. Nothing here
reads a clock: what "late" means is counted from the date the caller passes.
"""

import datetime as dt
import re
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time
from babel.lists import format_list
from babel.numbers import NumberPattern, get_decimal_symbol, parse_pattern
from django import template
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from core.money import Money, exponent

register = template.Library()

# A language without a country: English here writes day before month, as most of the world that is not the US does.
_COUNTRY = {"en": "en_GB"}
_MINUS = "\u2212"
_LEAP = 2000  # every day of a year is one of its days


class MoneyParts(NamedTuple):
    """One amount cut for typography; `whole + fraction + tail` is the figure, `code` stands before it."""

    code: str
    whole: str
    fraction: str
    tail: str
    is_zero: bool
    is_negative: bool


@lru_cache(maxsize=64)
def _parse_locale(language: str | None) -> Locale:
    try:
        return Locale.parse(
            _COUNTRY.get(language or "en", language or "en"), sep="-" if "-" in (language or "") else "_"
        )
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en_GB")


def current_locale() -> Locale:
    """Babel's locale for the language active in this request."""
    return _parse_locale(get_language())


@lru_cache(maxsize=64)
def _pattern(text: str) -> NumberPattern:
    return parse_pattern(text)


def _figure(amount: Decimal, places: int) -> str:
    """Magnitude grouped by the locale's rule with exactly `places` decimals."""
    decimals = f".{'0' * places}" if places else ""
    return _pattern(f"#,##0{decimals}").apply(abs(amount), current_locale(), decimal_quantization=True)


@register.filter
def money(value: Money | None) -> str:
    """`1,755.57`, `(50.00)` when negative, `` when there is none; the code is not printed."""
    if value is None:
        return ""
    figure = _figure(value.decimal, exponent(value.currency))
    return f"({figure})" if value.minor < 0 else figure


@register.filter
def money_doc(value: Money | None) -> str:
    """As documents print it: a minus sign instead of parentheses."""
    if value is None:
        return ""
    figure = _figure(value.decimal, exponent(value.currency))
    return f"{_MINUS}{figure}" if value.minor < 0 else figure


@register.filter
def money_code(value: Money | None) -> str:
    """`GBP 1,755.57` in one string, joined by a no-break space: for labels and sentences."""
    return "" if value is None else f"{value.currency}\u00a0{money(value)}"


@register.filter
def money_parts(value: Money) -> MoneyParts:
    """Cut an amount for the page: code, whole, fraction with its mark, closing parenthesis, zero and sign."""
    places = exponent(value.currency)
    figure = _figure(value.decimal, places)
    cut = len(figure) - places - len(get_decimal_symbol(current_locale())) if places else len(figure)
    negative = value.minor < 0
    return MoneyParts(
        code=value.currency,
        whole=f"({figure[:cut]}" if negative else figure[:cut],
        fraction=figure[cut:],
        tail=")" if negative else "",
        is_zero=value.minor == 0,
        is_negative=negative,
    )


@register.filter
def decimal_mark(_value: object = None) -> str:
    """The reader's decimal mark, for scripts that work in amount fields."""
    return get_decimal_symbol(current_locale())


@register.filter
def currency_places(code: str) -> int:
    """Decimals of a currency code: JPY 0, EUR 2, KWD 3."""
    return exponent(code)


def _as_date(value: dt.date | dt.datetime) -> dt.date:
    """The local calendar day of a moment; a plain date stays what it is."""
    if isinstance(value, dt.datetime):
        return (timezone.localtime(value) if timezone.is_aware(value) else value).date()
    return value


@register.filter
def longdate(value: dt.date | None) -> str:
    """`31 October 2026`."""
    return "" if value is None else format_date(_as_date(value), "long", locale=current_locale())


@register.filter
def daytime(value: dt.time) -> str:
    """A time that stands behind a day, ` 14:30`; nothing at midnight, where the day says all."""
    if value == dt.time.min:
        return ""
    return f" {value:%H:%M:%S}" if value.second else f" {value:%H:%M}"


@register.filter
def shortdate(value: dt.date | None, today: dt.date | None = None) -> str:
    """`31 Oct 2026`; with the reader's today as argument the year is left out while it is the same."""
    if value is None:
        return ""
    day = _as_date(value)
    if today is not None and _as_date(today).year == day.year:
        return format_skeleton("MMMd", day, locale=current_locale())
    return format_skeleton("yMMMd", day, locale=current_locale())


@register.filter
def monthname(value: dt.date | None) -> str:
    """`Oct 2026`."""
    return "" if value is None else format_skeleton("yMMM", _as_date(value), locale=current_locale())


@register.filter
def yeardays(value: Sequence[str], most: int | None = None) -> str:
    """Days of a year, kept as `03-25`: `25 Mar, 24 Jun and 25 Dec`; of more than `most` how many, `12 days a year`."""
    if most is not None and len(value) > most:
        return _("%(n)s days a year") % {"n": count(len(value))}
    days = [dt.date.fromisoformat(f"{_LEAP}-{each}") for each in value]
    shown = [format_skeleton("MMMd", day, locale=current_locale()) for day in days]
    return format_list(shown, locale=current_locale())


@register.filter
def daydate(value: dt.date | None) -> str:
    """`Monday, 23 November`: the head of a day's page."""
    return (
        ""
        if value is None
        else format_date(_as_date(value), _day_pattern(str(current_locale())), locale=current_locale())
    )


@lru_cache(maxsize=64)
def _day_pattern(locale: str) -> str:
    """The locale's full date without its year, with a comma after the weekday where it has one nowhere."""
    full = str(Locale.parse(locale).date_formats["full"].pattern)
    pattern = re.sub(r"[\s,./]*(?:'[^']*'\s*)*y+[\s.]*(?:'[^']*')?", "", full).strip(" ,")
    return re.sub(r"^EEEE (?=d)", "EEEE, ", pattern)


@register.filter
def local(value: dt.datetime | None, zone: str) -> dt.datetime | None:
    """A moment as a clock in `zone` shows it, for the filters of days and times."""
    return None if value is None else timezone.make_naive(value, ZoneInfo(zone))


@register.filter
def clocktime(value: dt.datetime | dt.time | None) -> str:
    """`09:41` in the active time zone."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime) and timezone.is_aware(value):
        value = timezone.localtime(value)
    return format_time(value, "short", locale=current_locale())


@register.filter
def isodate(value: dt.date | dt.datetime | None) -> str:
    """For `datetime=` attributes and date inputs, whatever the language."""
    return "" if value is None else value.isoformat()


@register.filter
def days_late(due: dt.date | int | None, today: dt.date | None = None) -> str:
    """`9 days late`, `due today`, `in 5 days`, from a due date and today, or from a number of days past due."""
    if due is None:
        return ""
    if isinstance(due, int):
        days = due
    elif today is None:
        raise ValueError("days_late needs today beside a due date.")
    else:
        days = (_as_date(today) - _as_date(due)).days
    if days > 0:
        return ngettext("%(n)s day late", "%(n)s days late", days) % {"n": count(days)}
    if days < 0:
        return ngettext("in %(n)s day", "in %(n)s days", -days) % {"n": count(-days)}
    return _("due today")


@register.filter
def count(value: int | str | None) -> str:
    """A whole number with the reader's grouping: `1,204`; text such as `99+` stays as it is."""
    if value is None or isinstance(value, str):
        return value or ""
    sign = _MINUS if value < 0 else ""
    return sign + _figure(Decimal(value), 0)


@register.filter
def quantity(value: Decimal | int | None) -> str:
    """Up to 12 decimals, none that say nothing: `482,300`, `0.0012`, `1.5`."""
    if value is None:
        return ""
    amount = Decimal(value)
    figure = _pattern("#,##0.############").apply(abs(amount), current_locale(), decimal_quantization=True)
    return f"{_MINUS}{figure}" if amount < 0 else figure


@register.filter
def percent(ratio: Decimal | None, places: int = 1) -> str:
    """A share as `42.2 %` (no-break space); trailing zeros go, so 0.78 is `78 %`."""
    if ratio is None:
        return ""
    optional = f".{'#' * places}" if places else ""
    figure = _pattern(f"#,##0{optional}").apply(abs(ratio) * 100, current_locale(), decimal_quantization=True)
    return f"{_MINUS}{figure}\u00a0%" if ratio < 0 and figure != "0" else f"{figure}\u00a0%"

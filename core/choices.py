"""Lists to choose from, in the reader's language: countries, currencies, time zones."""

from functools import lru_cache
from zoneinfo import available_timezones

from babel.numbers import list_currencies

from core.money import MoneyError, exponent
from core.templatetags.fmt import current_locale

Choices = list[tuple[str, str]]
_LETTERS = 2
# Not countries, or no longer there; an address is in none of them.
_NO_COUNTRY = frozenset("AC CP CQ DG EA EU EZ IC QO TA UN XA XB ZZ".split())
_USUAL = "EUR USD GBP CHF".split()


def countries() -> Choices:
    """Code and name of each country, by name."""
    return list(_countries(str(current_locale())))


@lru_cache(maxsize=16)
def _countries(_locale: str) -> tuple[tuple[str, str], ...]:
    names = current_locale().territories
    found = [
        (code, name)
        for code, name in names.items()
        if len(code) == _LETTERS and code.isalpha() and code not in _NO_COUNTRY
    ]
    return tuple(sorted(found, key=lambda each: each[1]))


def country_name(code: str) -> str:
    """Name of a country in the reader's language; an unknown code is shown as it is."""
    return str(current_locale().territories.get(code, code))


def currencies() -> Choices:
    """Code and name of each currency, the usual ones first."""
    return list(_currencies(str(current_locale())))


@lru_cache(maxsize=16)
def _currencies(_locale: str) -> tuple[tuple[str, str], ...]:
    names = current_locale().currencies
    codes = [code for code in sorted(list_currencies()) if _is_known(code) and code in names]
    ordered = [*_USUAL, *(code for code in codes if code not in _USUAL)]
    return tuple((code, f"{code} · {names.get(code, code)}") for code in ordered)


def _is_known(code: str) -> bool:
    try:
        exponent(code)
    except MoneyError:
        return False
    return not code.startswith("X")


@lru_cache(maxsize=1)
def zones() -> Choices:
    """The time zones named after a place, and UTC."""
    left_out = ("Etc/", "SystemV/", "US/", "posix/", "right/")
    places = sorted(name for name in available_timezones() if "/" in name and not name.startswith(left_out))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in places)]

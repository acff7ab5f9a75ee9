"""Exchange rates: the organization's own, else the published reference table. No rate, no sum.

Rates are units of `quote` for one `base`. Reference rates are kept per EUR, as published, and crossed here.
"""

from datetime import date
from decimal import Decimal
from fractions import Fraction

from django.db.models import F

from core.errors import AppError
from core.models import FxRate, ReferenceRate
from core.money import Money, exponent, from_decimal

REFERENCE = "EUR"


class NoRate(AppError):
    """No rate is known for the pair on or before the day; totals then stand per currency."""

    status = 409
    code = "no_rate"


def rate(base: str, quote: str, on: date) -> Fraction:
    """Units of `quote` for one `base`, newest on or before `on`; raises NoRate. Inside work()."""
    if base == quote:
        return Fraction(1)
    own = FxRate.objects.filter(base__in=(base, quote), quote__in=(base, quote), on__lte=on)
    if newest := own.exclude(base=F("quote")).order_by("-on", "-id").first():
        return Fraction(newest.rate) if newest.base == base else 1 / Fraction(newest.rate)
    return _per_reference(quote, on) / _per_reference(base, on)


def _per_reference(currency: str, on: date) -> Fraction:
    if currency == REFERENCE:
        return Fraction(1)
    row = ReferenceRate.objects.filter(quote=currency, on__lte=on).order_by("-on").first()
    if row is None:
        raise NoRate(f"No rate for {currency} on {on}.", currency=currency, on=str(on))
    return Fraction(row.rate)


def convert(money: Money, to: str, by: Fraction | Decimal) -> Money:
    """`money` in another currency at a given rate (units of `to` for one of its own), rounded half up once."""
    exponent(to)
    return from_decimal(Fraction(money.decimal) * Fraction(by), to)

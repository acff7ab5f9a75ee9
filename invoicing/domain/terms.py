"""When an invoice is due: all of it after some days, or a deposit on its own day and the rest then."""

from datetime import date, timedelta
from fractions import Fraction

from core.money import round_half_up

ALL = 100
"""Percent: of an invoice with such a deposit everything is due on its day."""


def due_day(issued_on: date, terms_days: int, deposit_percent: int) -> date:
    """The day on which nothing of an invoice is due later any more."""
    return issued_on if deposit_percent == ALL else issued_on + timedelta(days=terms_days)


def deposit_of(total_minor: int, deposit_percent: int, terms_days: int) -> int:
    """What of a total is due on the invoice's day where the rest is due later, minor units, rounded half up.

    0 where all of it is due on one day; also where the share rounds to nothing or to all.
    """
    minor = round_half_up(Fraction(total_minor * deposit_percent, 100)) if terms_days else 0
    return minor if minor < total_minor else 0

"""Days that people and programs may book: not so far away that they are a slip of the hand."""

from datetime import date

from django.utils.translation import gettext as _

from core import clock
from core.errors import Invalid
from tenants.selectors import entity

YEARS = 10


def is_near(day: date, today: date) -> bool:
    """Whether a day is within ten years of today."""
    return abs(day.year - today.year) <= YEARS


def require_near(**days: date) -> None:
    """Raise Invalid, naming the field, for a day more than ten years from today. One query, inside work()."""
    today = clock.today(entity().zone)
    if far := [name for name, day in days.items() if not is_near(day, today)]:
        raise Invalid(
            _("That date is too far away."), fields=dict.fromkeys(far, _("That date is too far away."))
        )

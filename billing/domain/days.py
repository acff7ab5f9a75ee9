"""The days that subscriptions begin and end on, and when one begins."""

from datetime import date, datetime

from core.periods import local_midnight

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2200, 12, 31)


def begun_for(day: date, *zones: str) -> datetime:
    """The instant from which on a day has begun in all of the zones; an empty one is none."""
    return max(local_midnight(day, zone) for zone in zones if zone)


def day_problem(day: date) -> str:
    """Why a subscription cannot begin or end on a day, or nothing."""
    return "" if FIRST_DAY <= day <= LAST_DAY else "That date is out of range."

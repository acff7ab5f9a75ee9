"""The days that subscriptions begin and end on."""

from datetime import date

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2200, 12, 31)


def day_problem(day: date) -> str:
    """Why a subscription cannot begin or end on a day, or nothing."""
    return "" if FIRST_DAY <= day <= LAST_DAY else "That date is out of range."

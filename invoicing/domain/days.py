"""The days on which a document may be issued."""

from datetime import date

FIRST_DAY = date(2000, 1, 1)


def issue_problem(day: date, today: date) -> str:
    """Why a document cannot be issued on a day, or nothing."""
    if day > today:
        return "An invoice is not dated in the future."
    if day < FIRST_DAY:
        return "That date is too early."
    return ""

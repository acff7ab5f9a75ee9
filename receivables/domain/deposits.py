"""A deposit: a part of what is owed that is due sooner than the rest. Minor units, days."""

from datetime import date


def due_by(open_minor: int, later_minor: int, due_on: date, rest_due_on: date | None, day: date) -> int:
    """What of an open amount is due by the end of a day: nothing before `due_on`, all but `later_minor` from then on,
    and all from `rest_due_on` on. Minor units.
    """
    if due_on > day:
        return 0
    return open_minor - later_minor if rest_due_on is not None and rest_due_on > day else open_minor

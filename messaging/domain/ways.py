"""How a member is told of a kind of happening, and when the next digest is due."""

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Way(StrEnum):
    """Each but the last shows it under the bell too."""

    MAIL = "mail"
    DIGEST = "digest"
    BELL = "bell"
    NONE = "none"


HOUR = time(8)
CLOSED = timedelta(minutes=10)
"""What is written so shortly before a digest waits for the next one: its transaction may end after that was made."""


def next_digest(now: datetime, zone: str) -> tuple[date, datetime]:
    """The local day and the moment of the first digest that what is written now still gets into."""
    local = ZoneInfo(zone)
    day = (now + CLOSED).astimezone(local).date()
    due = datetime.combine(day, HOUR, local)
    if due - now < CLOSED:
        day += timedelta(days=1)
        due = datetime.combine(day, HOUR, local)
    return day, due

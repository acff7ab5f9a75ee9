"""Days of a year on which periods begin, as they are said for a price. Pure."""

import re
from collections.abc import Iterator, Sequence
from datetime import date

from core.periods import DATES

MOST_DATES = 24
"""Two a month."""
_LEAP = 2000
_SHAPE = re.compile(r"\d\d-\d\d", re.ASCII)


def date_problem(text: str) -> str:
    """Why a month and day, as 03-25, is no day on which periods can begin each year, or nothing."""
    try:
        date.fromisoformat(f"{_LEAP}-{text}" if _SHAPE.fullmatch(text) else "")
    except ValueError:
        return "There is no such day in a year."
    return "Not every year has 29 February; 28 February and 1 March are there." if text == "02-29" else ""


def listed_problems(unit: str, every: int, dates: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What is wrong with the days listed for an interval, by field; `dates.1` is the second of them.

    They may be in any order.
    """
    if unit != DATES:
        if dates:
            yield "dates", "Only an interval of listed days has days."
        return
    if every != 1:
        yield "every", "Listed days are there once a year: 1."
    if not 1 <= len(dates) <= MOST_DATES:
        yield "dates", f"1 to {MOST_DATES} days."
        return
    for n, each in enumerate(dates):
        if problem := date_problem(each):
            yield f"dates.{n}", problem
        elif each in dates[:n]:
            yield f"dates.{n}", "This day is listed already."

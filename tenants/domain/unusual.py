"""What in an access log is unusual: plain rules, each with its reason."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

HOUR = timedelta(hours=1)
FAILURES, REFUSALS = 5, 10
"""So many within an hour are many."""
_BEGINS, _ENDS, _SATURDAY = 6, 22, 5


class Reason(StrEnum):
    """Why a line of the log deserves a look."""

    NEW_ADDRESS = "new_address"
    AFTER_FAILURES = "after_failures"
    MANY_REFUSALS = "many_refusals"
    ODD_HOUR = "odd_hour"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the log; `local` is its time by the organization's clock, `address` one address or an IPv6 network."""

    id: int
    kind: str
    user_id: int | None
    address: str
    local: datetime


@dataclass(frozen=True, slots=True)
class Before:
    """What came before: the first sign-in of each person at all and from each address, and what went wrong when."""

    first: Mapping[int, int]
    first_from: Mapping[tuple[int, str], int]
    failed: Mapping[int, tuple[datetime, ...]]
    refused: Mapping[int, tuple[datetime, ...]]


def reasons(line: Line, before: Before) -> list[Reason]:
    """Every rule that the line meets; none for most."""
    rules = {
        Reason.NEW_ADDRESS: _from_a_new_address,
        Reason.AFTER_FAILURES: _after_failures,
        Reason.MANY_REFUSALS: _one_of_many_refusals,
        Reason.ODD_HOUR: _at_an_odd_hour,
    }
    return [reason for reason, rule in rules.items() if rule(line, before)]


def _from_a_new_address(line: Line, before: Before) -> bool:
    """The first sign-in of all is new everywhere and says nothing."""
    if line.kind != "signed_in" or line.user_id is None:
        return False
    known = before.first_from.get((line.user_id, line.address))
    return known == line.id and before.first.get(line.user_id) != line.id


def _after_failures(line: Line, before: Before) -> bool:
    return line.kind == "signed_in" and _within(line, before.failed.get(line.user_id or 0, ())) >= FAILURES


def _one_of_many_refusals(line: Line, before: Before) -> bool:
    return line.kind == "refused" and _within(line, before.refused.get(line.user_id or 0, ())) >= REFUSALS


def _at_an_odd_hour(line: Line, before: Before) -> bool:
    at_night = not _BEGINS <= line.local.hour < _ENDS
    return line.kind == "exported" and (at_night or line.local.weekday() >= _SATURDAY)


def _within(line: Line, moments: Iterable[datetime]) -> int:
    return sum(line.local - HOUR <= moment <= line.local for moment in moments)

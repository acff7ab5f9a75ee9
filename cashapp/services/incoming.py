"""Bank lines as a program tells them: kept by the same rules, and under the same natural keys, as those of a file."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.db import IntegrityError, transaction

from cashapp.domain.states import LineState
from cashapp.models import BankLine
from cashapp.services import lines
from core.imports.base import Outcome, Planned, Problem, Row, Setup
from core.imports.cells import Habits
from core.money import Money
from customers.selectors import known

TRIES = 3
"""How often lines are planned when others bring the same in at that moment."""
_HABITS = Habits()


@dataclass(frozen=True, slots=True)
class Told:
    """A line as it is told: positive minor units received on a day; `customer` is a public id where it is known."""

    booked_on: date
    minor: int
    currency: str
    payer: str = ""
    account: str = ""
    memo: str = ""
    customer: str = ""
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a line: its public id unless it was refused, and why it was; columns as files name them."""

    outcome: Outcome
    line: str = ""
    problems: list[Problem] = field(default_factory=list)


def keep(told: Sequence[Told], *, key: str) -> list[Kept]:
    """Keep lines that are not here yet, each on its own, and have them matched. Inside work().

    Natural key: the line's `external_id`, or all that it says with a count of equal lines told together, so that
    what is sent twice is here once. One that cannot be is refused with its reason and holds up no other.
    """
    numbers = {
        row.public_id: row.number for row in known(ids=(), public_ids={each.customer for each in told})
    }
    tries = TRIES
    while True:
        rows = _rows(told, numbers)
        setup = Setup(key, _HABITS)
        planned = lines.plan([row for row in rows if not row.problems], setup)
        fresh = [each for each in planned if each.outcome is Outcome.CREATED]
        tries -= 1
        try:
            with transaction.atomic():
                if fresh:
                    lines.write(fresh, setup)
        except IntegrityError:  # somebody brought one of them in since they were looked for
            if not tries:
                raise
            continue
        return _kept(rows, planned)


def _rows(told: Sequence[Told], numbers: Mapping[str, str]) -> list[Row]:
    same: Counter[str] = Counter()
    rows = []
    for place, each in enumerate(told):
        cells = {
            "booked_on": each.booked_on,
            "amount": f"{Money(each.minor, each.currency).decimal:f}",
            "currency": each.currency,
            "payer": each.payer or None,
            "account": each.account or None,
            "memo": each.memo or None,
            "customer_number": numbers.get(each.customer),
            "external_id": each.external_id or None,
        }
        row = Row(place, cells)
        if each.customer and each.customer not in numbers:
            row.refuse("customer_number", "That customer is not here.", "customer")
        identity = lines.identity(row, _HABITS)
        same[identity] += 1
        row.occurrence = same[identity]
        rows.append(row)
    return rows


def _kept(rows: Sequence[Row], planned: Sequence[Planned]) -> list[Kept]:
    """What became of each row, the lines that are here found by their keys; two queries."""
    outcomes = {each.row.number: each.outcome for each in planned}
    keys = lines.keys_of(rows, _HABITS)
    there = BankLine.objects.filter(key__in=list(keys.values())).exclude(state=LineState.WITHDRAWN)
    ids = dict(there.values_list("key", "public_id"))
    return [
        Kept(Outcome.FAILED, problems=row.problems)
        if row.problems
        else Kept(outcomes[row.number], ids[keys[row.number]])
        for row in rows
    ]

"""How customers paid what was due in the last year. Pure reads, inside work()."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection

from core.money import Money
from receivables.domain.habits import DAYS, GRACE, Habits

# What was voided or credited in full was never to be paid: it says nothing.
_DUE = """
    FROM (SELECT i.*, coalesce(i.rest_due_on, i.due_on) AS last_due_on,
                 coalesce(i.settled_on, %(today)s) - coalesce(i.rest_due_on, i.due_on) AS days_late
          FROM receivables_openitem i
          WHERE i.customer_id = ANY(%(customers)s) AND i.kind IN ('invoice', 'opening')) i
    WHERE last_due_on >= %(since)s AND last_due_on < %(today)s
          AND (open_minor > 0
               OR (SELECT sum(a.minor) FROM receivables_allocation a
                   JOIN receivables_openitem c ON c.id = a.credit_item_id
                   WHERE a.debit_item_id = i.id AND c.kind IN ('payment', 'prepaid', 'write_off')) > 0)
"""
_SUMS = f"""
    SELECT customer_id, count(*), count(*) FILTER (WHERE days_late > %(grace)s),
           coalesce(sum(days_late) FILTER (WHERE days_late > %(grace)s), 0)
    {_DUE} GROUP BY 1
"""
_LATE = f"""
    SELECT public_id, source, label, currency, total_minor, last_due_on, settled_on, days_late
    {_DUE} AND days_late > %(grace)s ORDER BY last_due_on DESC, id DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class LateItem:
    """One that was paid late, or is late and open still; `source` is what it came from."""

    public_id: str
    source: str
    label: str
    total: Money
    due_on: date
    settled_on: date | None
    days_late: int


def habits_of(customer_ids: Iterable[int], *, today: date) -> dict[int, Habits]:
    """How customers, by id, paid what was due in the last year; who had nothing due is not in it. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, _said(customer_ids, today))
        return {pk: Habits(n, late, int(days)) for pk, n, late, days in cursor.fetchall()}


def late_items(customer_id: int, *, today: date, limit: int) -> list[LateItem]:
    """The evidence: what a customer paid late, the last due first. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_LATE, {**_said([customer_id], today), "limit": limit})
        return [
            LateItem(public_id, source, label, Money(minor, currency), due_on, settled_on, days)
            for public_id, source, label, currency, minor, due_on, settled_on, days in cursor.fetchall()
        ]


def _said(customer_ids: Iterable[int], today: date) -> dict[str, Any]:
    return {
        "customers": list(customer_ids),
        "today": today,
        "since": today - timedelta(days=DAYS),
        "grace": GRACE,
    }

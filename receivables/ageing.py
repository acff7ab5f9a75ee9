"""Who owed what, how late, as of any day: from the items and the allocations effective by then, inside work().

Corrections come later and under their own dates, so the answer for a past day changes only when something is
booked into that day.
"""

from dataclasses import dataclass
from datetime import date

from django.db import connection

from core.money import Money
from receivables.balances import LAST_BUCKET, bucket_days

_OPEN = """
    WITH used AS (
        SELECT item_id, sum(minor) AS minor FROM (
            SELECT debit_item_id AS item_id, minor FROM receivables_allocation WHERE effective_on <= %(on)s
            UNION ALL
            SELECT credit_item_id, minor FROM receivables_allocation WHERE effective_on <= %(on)s) sides
        GROUP BY 1)
    SELECT i.customer_id, i.currency, i.side,
           CASE WHEN i.due_on >= %(b0)s THEN 0 WHEN i.due_on >= %(b1)s THEN 1 WHEN i.due_on >= %(b2)s THEN 2
                WHEN i.due_on >= %(b3)s THEN 3 ELSE 4 END AS level,
           sum(i.total_minor - coalesce(u.minor, 0))
    FROM receivables_openitem i LEFT JOIN used u ON u.item_id = i.id
    WHERE i.effective_on <= %(on)s AND i.total_minor <> coalesce(u.minor, 0)
    GROUP BY 1, 2, 3, 4
"""


@dataclass(slots=True)
class Aged:
    """One customer in one currency: what is owed by lateness, and credit not used yet. Minor units."""

    customer_id: int
    currency: str
    owed: list[int]
    credit_minor: int = 0

    @property
    def buckets(self) -> list[Money]:
        return [Money(minor, self.currency) for minor in self.owed]

    @property
    def credit(self) -> Money:
        """Unused credit, as the figure that lowers what is owed."""
        return Money(-self.credit_minor, self.currency)

    @property
    def net(self) -> Money:
        return Money(sum(self.owed) - self.credit_minor, self.currency)

    @property
    def overdue_minor(self) -> int:
        return sum(self.owed[1:])


@dataclass(frozen=True, slots=True)
class Ageing:
    """All customers of a currency, the most overdue first, with their totals as a row of their own."""

    currency: str
    rows: tuple[Aged, ...]
    total: Aged


def ageing(on: date) -> list[Ageing]:
    """Open amounts by customer and lateness as of the end of a day, by currency; one query."""
    rows: dict[tuple[str, int], Aged] = {}
    starts = {f"b{level}": bucket_days(level, on)[0] for level in range(LAST_BUCKET)}
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, {"on": on, **starts})
        for customer_id, currency, side, level, minor in cursor.fetchall():
            row = rows.setdefault(
                (currency, customer_id), Aged(customer_id, currency, [0] * (LAST_BUCKET + 1))
            )
            if side == "debit":
                row.owed[level] += int(minor)
            else:
                row.credit_minor += int(minor)
    return [
        _summed(code, [row for (c, _), row in rows.items() if c == code])
        for code in sorted({c for c, _ in rows})
    ]


def _summed(currency: str, rows: list[Aged]) -> Ageing:
    owed = [sum(level) for level in zip(*(row.owed for row in rows), strict=True)]
    total = Aged(0, currency, owed, sum(row.credit_minor for row in rows))
    ranked = sorted(rows, key=lambda row: (-row.overdue_minor, -row.net.minor, row.customer_id))
    return Ageing(currency, tuple(ranked), total)

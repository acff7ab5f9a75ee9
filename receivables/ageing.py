"""Who owed what, how late, as of any day, inside work().

What is open now is the starting point, and the allocations that count from a later day are taken back: for today
there are next to none of them. Corrections come later and under their own dates, so the answer for a past day changes
only when something is booked into that day.
"""

from dataclasses import dataclass
from datetime import date

from django.db import connection

from core.money import Money
from receivables.balances import LAST_BUCKET, bucket_days

# All of an item stands under the day on which something of it is due next; of an item with a deposit, what was open on
# the day is then taken from there and put under the days of its two parts.
_RANKED = """
    WITH moved AS (
        SELECT customer_id, currency, side, due_on, open_minor AS minor
        FROM receivables_openitem WHERE open_minor > 0 AND effective_on <= %(on)s
        UNION ALL
        SELECT i.customer_id, i.currency, i.side, i.due_on, a.minor
        FROM receivables_allocation a JOIN receivables_openitem i ON i.id = a.debit_item_id
        WHERE a.effective_on > %(on)s AND i.effective_on <= %(on)s
        UNION ALL
        SELECT i.customer_id, i.currency, i.side, i.due_on, a.minor
        FROM receivables_allocation a JOIN receivables_openitem i ON i.id = a.credit_item_id
        WHERE a.effective_on > %(on)s AND i.effective_on <= %(on)s
        UNION ALL
        SELECT customer_id, currency, side, part.due_on, part.minor
        FROM (SELECT i.*, i.open_minor + coalesce(
                         (SELECT sum(a.minor) FROM receivables_allocation a
                          WHERE a.debit_item_id = i.id AND a.effective_on > %(on)s), 0) AS minor
              FROM receivables_openitem i
              WHERE i.deposit_minor > 0 AND i.effective_on <= %(on)s
                    AND (i.open_minor > 0 OR i.settled_on > %(on)s)) i
        CROSS JOIN LATERAL (VALUES (i.due_on, -i.minor),
                                   (i.rest_due_on, least(i.minor, i.total_minor - i.deposit_minor)),
                                   (i.deposit_due_on, greatest(i.minor - i.total_minor + i.deposit_minor, 0))
                           ) part(due_on, minor)),
    aged AS MATERIALIZED (
        SELECT customer_id, currency,
               coalesce(sum(minor) FILTER (WHERE level = 0), 0)::bigint AS o0,
               coalesce(sum(minor) FILTER (WHERE level = 1), 0)::bigint AS o1,
               coalesce(sum(minor) FILTER (WHERE level = 2), 0)::bigint AS o2,
               coalesce(sum(minor) FILTER (WHERE level = 3), 0)::bigint AS o3,
               coalesce(sum(minor) FILTER (WHERE level = 4), 0)::bigint AS o4,
               coalesce(sum(minor) FILTER (WHERE level = 5), 0)::bigint AS credit
        FROM (SELECT *, CASE WHEN side = 'credit' THEN 5 WHEN due_on >= %(b0)s THEN 0 WHEN due_on >= %(b1)s THEN 1
                             WHEN due_on >= %(b2)s THEN 2 WHEN due_on >= %(b3)s THEN 3 ELSE 4 END AS level
              FROM moved) levelled
        GROUP BY 1, 2),
    counted AS MATERIALIZED (
        SELECT currency, count(*) AS customers, sum(o0) AS o0, sum(o1) AS o1, sum(o2) AS o2, sum(o3) AS o3,
               sum(o4) AS o4, sum(credit) AS credit
        FROM aged WHERE (o0, o1, o2, o3, o4, credit) <> (0, 0, 0, 0, 0, 0) GROUP BY 1)
    SELECT 0, currency, customers, o0, o1, o2, o3, o4, credit FROM counted
    UNION ALL
    SELECT 1, r.currency, r.customer_id, r.o0, r.o1, r.o2, r.o3, r.o4, r.credit
    FROM counted c
    CROSS JOIN LATERAL (
        SELECT * FROM aged
        WHERE aged.currency = c.currency AND (o0, o1, o2, o3, o4, aged.credit) <> (0, 0, 0, 0, 0, 0)
        ORDER BY o1 + o2 + o3 + o4 DESC, o0 + o1 + o2 + o3 + o4 - aged.credit DESC, customer_id LIMIT %(limit)s) r
"""
_EVERY = 10**9


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
    """Customers of a currency, the most overdue first, how many there are, and the totals of all as one more row."""

    currency: str
    count: int
    rows: tuple[Aged, ...]
    total: Aged


def ageing(on: date, *, limit: int = _EVERY) -> list[Ageing]:
    """Open amounts by customer and lateness as of the end of a day, by currency; one query.

    At most `limit` customers of a currency are in its rows, all of them in its total.
    """
    starts = {f"b{level}": bucket_days(level, on)[0] for level in range(LAST_BUCKET)}
    totals: dict[str, tuple[int, Aged]] = {}
    rows: dict[str, list[Aged]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_RANKED, {"on": on, "limit": limit, **starts})
        for is_row, code, number, *minor in cursor.fetchall():
            *owed, credit = map(int, minor)
            if is_row:
                rows.setdefault(code, []).append(Aged(number, code, owed, credit))
            else:
                totals[code] = number, Aged(0, code, owed, credit)
    return [
        Ageing(code, count, tuple(sorted(rows.get(code, []), key=_urgency)), total)
        for code, (count, total) in sorted(totals.items())
    ]


def _urgency(row: Aged) -> tuple[int, int, int]:
    return -row.overdue_minor, -row.net.minor, row.customer_id

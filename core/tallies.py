"""Figures over everything, kept instead of counted: how many rows of a table there are and what they come to.

A trigger of the table runs what `tally_sql` of core/sql/tallies.sql makes of the rows that a statement added and took
away, so that a figure is true in the transaction that moves it and costs the same for a million rows as for ten. A
topic is one way to look at one table; what `kind`, `mark`, `day` and the two amounts mean is its own. `verify_books`
proves every topic by counting.
"""

from datetime import date
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.db.models.expressions import Combinable

from core.models import Tally

NO_DAY = date(1970, 1, 1)
"""The day of a topic that has none."""
_KEY = "currency, kind, mark, day"


def sums(
    topic: str, *by: str, where: Q | None = None, **named: Combinable
) -> "QuerySet[Any, dict[str, Any]]":
    """Rows with `n`, `sum` and `whole` for each of `by` and of the `named` expressions; one query. Inside work()."""
    return sums_where(Q(topic=topic) & (where or Q()), *by, **named)


def sums_where(where: Q, *by: str, **named: Combinable) -> "QuerySet[Any, dict[str, Any]]":
    """The same of several topics at once; one query. Inside work()."""
    rows = Tally.objects.filter(where).order_by().annotate(**named).values(*by, *named)
    return rows.annotate(n=Sum("count"), sum=Sum("minor"), whole=Sum("total"))


def proof(topic: str, counted: str) -> str:
    """A check for `core.registry.checks`: `counted` selects currency, kind, mark, day, count and the two amounts."""
    kept = f"SELECT {_KEY}, -count, -minor, -total FROM core_tally WHERE topic = '{topic}'"
    return (
        f"SELECT {_KEY}, sum(n), sum(minor), sum(total) FROM ("
        f"SELECT * FROM ({counted}) c({_KEY}, n, minor, total) UNION ALL {kept}) both_ways"
        f" GROUP BY {_KEY} HAVING sum(n) <> 0 OR sum(minor) <> 0 OR sum(total) <> 0"
    )

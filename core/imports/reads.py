"""What pages show of imports: the list, one of them, which rows failed and why, what was made."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection
from django.db.models import QuerySet

from core.imports.base import Outcome
from core.imports.rows import body_of
from core.models import Import, ImportRow
from core.paging import Order

NEWEST = Order("pk", int, descending=True)
IN_ORDER = Order("number", int)
_MOST_GROUPS = 50


def imports() -> "QuerySet[Import]":
    """The organization's imports with their files, in no order. Inside work()."""
    found: QuerySet[Import] = Import.objects.select_related("file")
    return found


def failed(source: Import, code: str = "") -> "QuerySet[ImportRow]":
    """Rows that cannot be, or those with a problem of one code. Inside work()."""
    found: QuerySet[ImportRow] = ImportRow.objects.filter(source=source, outcome=Outcome.FAILED)
    return found.filter(problems__contains=[{"code": code}]) if code else found


def made(source: Import) -> "QuerySet[ImportRow]":
    """Rows of which something was made. Inside work()."""
    found: QuerySet[ImportRow] = ImportRow.objects.filter(source=source, outcome=Outcome.CREATED)
    return found


@dataclass(frozen=True, slots=True)
class Group:
    """Problems of one kind in one column ("" for rows as a whole)."""

    code: str
    column: str
    rows: int


def groups(source: Import) -> list[Group]:
    """The kinds of problems of a file, the most frequent first, one query. Inside work()."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p->>'code', p->>'column', count(DISTINCT r.id) FROM core_importrow r,"
            " jsonb_array_elements(r.problems) p WHERE r.organization_id = %s AND r.source_id = %s"
            " AND r.outcome = 'failed' GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT %s",
            [source.organization_id, source.pk, _MOST_GROUPS],
        )
        return [Group(*row) for row in cursor.fetchall()]


def texts(source: Import, data: bytes, numbers: Iterable[int]) -> dict[int, list[str]]:
    """The cells of some rows as the file has them, by line."""
    wanted = set(numbers)
    last = max(wanted, default=0)
    found = {}
    for number, cells in body_of(source, data):
        if number > last:
            break
        if number in wanted:
            found[number] = cells
    return found

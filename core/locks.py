"""The only place that locks rows. Always in one order, so that two workers cannot wait for each other.

Order of kinds: organization, customer, item, payment; within a kind by id. A lock not had within the role's
lock_timeout (3 s) is answered with Busy by the edges.
"""

from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model, QuerySet

from core.errors import NotFound

M = TypeVar("M", bound=Model)


def lock(rows: "QuerySet[M]") -> list[M]:
    """The rows of the query set, locked by id order and freshly read. Does not block foreign-key checks."""
    return list(rows.order_by("pk").select_for_update(of=("self",), no_key=True))


def lock_one(rows: "QuerySet[M]") -> M:
    """The one row, locked and freshly read; raises NotFound when it is not there."""
    found = lock(rows)
    if len(found) != 1:
        raise NotFound("That is not here.")
    return found[0]


def claim(rows: "QuerySet[M]", limit: int) -> list[M]:
    """Up to `limit` rows that nobody else holds, in the query set's order; rows held elsewhere are passed over."""
    return list(rows.select_for_update(of=("self",), no_key=True, skip_locked=True)[:limit])


def keep(rows: "QuerySet[Any, Any]") -> list[Any]:
    """The rows of the query set as they are now and, to the end of the transaction, stay: whoever would change one
    waits, others that keep it do not."""
    sql, params = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} FOR SHARE", params)
        return cursor.fetchall()


def keep_free(rows: "QuerySet[Any, Any]") -> list[Any]:
    """The rows of the query set that nobody is changing; they stay as with `keep`. It waits for nobody."""
    sql, params = rows.query.sql_with_params()
    table = connection.ops.quote_name(rows.model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} FOR SHARE OF {table} SKIP LOCKED", params)
        return cursor.fetchall()

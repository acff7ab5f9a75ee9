"""The one raw-SQL writer: COPY into a temporary table, then INSERT … SELECT.

COPY straight into a table with row-level security is refused by the server; this way costs a fifth of the time
of the ORM's bulk_create and the policy still judges every row.
"""

import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import JSONField

from core import clock
from core.base import TenantRow
from core.scope import current

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def reserve_ids(model: type[TenantRow], count: int) -> list[int]:
    """`count` fresh primary keys, so that children can name their parents before either is written."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return [row[0] for row in cursor.fetchall()]


def plan_anew() -> None:
    """Have the session plan its foreign-key checks again; called once per batch of bulk work.

    The server keeps a check's plan for the session. One made while a table held next to nothing may read a whole
    index for each row, and nothing ends it before the table is analyzed: a run over an empty database was ten times
    slower after a minute than at its start.
    """
    with connection.cursor() as cursor:
        cursor.execute("DISCARD PLANS")


def _text(value: Any) -> str:
    kind = type(value)
    if kind is str:
        return value if value.isprintable() and "\\" not in value else value.translate(_ESCAPES)
    if value is None:
        return "\\N"
    if kind is bool:
        return "t" if value else "f"
    if isinstance(value, str):
        return str(value).translate(_ESCAPES)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, int | Decimal):
        return str(value)
    raise TypeError(f"bulk.insert cannot write {kind.__name__}")


def _json(value: Any) -> str:
    return _text(None if value is None else json.dumps(value))


@dataclass(frozen=True, slots=True)
class _Column:
    """How a row's cell is made: from its own value, by a default for each row, or one text for all rows."""

    name: str
    column: str
    written: Callable[[Any], str]
    default: Callable[[], Any] | None = None
    same: str | None = None

    def cell(self, row: dict[str, Any]) -> str:
        """The text of the cell."""
        if self.same is not None:
            return self.same
        return self.written(self.default() if self.default else row[self.name])


def _columns(model: type[TenantRow], given: set[str]) -> list[_Column]:
    """The columns to write, in order; unknown names raise TypeError."""
    fields = [field for field in model._meta.concrete_fields if not field.generated]
    if unknown := given - {field.attname for field in fields}:
        raise TypeError(f"{model.__name__} has no {', '.join(sorted(unknown))}")
    found = []
    for field in fields:
        name, column = field.attname, str(field.column)
        written = _json if isinstance(field, JSONField) else _text
        by_row = field.has_default() and callable(field.default) and field.default not in {dict, list}
        if name == "organization_id":
            found.append(_Column(name, column, written, same=str(current().organization_id)))
        elif name in given:
            found.append(_Column(name, column, written))
        elif by_row:
            found.append(_Column(name, column, written, default=field.get_default))
        elif not field.primary_key:
            found.append(_Column(name, column, written, same=written(field.get_default())))
    return found


def insert(model: type[TenantRow], rows: Sequence[dict[str, Any]]) -> None:
    """Write rows given as attribute -> value (foreign keys as `x_id`), inside work(), in one message.

    All rows have the same keys (else TypeError); columns left out get the field's default, the organization comes
    from the scope. Constraints, triggers and policies judge the rows like any others.
    """
    if not rows:
        return
    given = rows[0].keys()
    if any(row.keys() != given for row in rows):
        raise TypeError("All rows written at once have the same keys.")
    columns = _columns(model, set(given))
    buffer = io.StringIO()
    buffer.writelines("\t".join([column.cell(row) for column in columns]) + "\n" for row in rows)
    buffer.seek(0)
    _copy(model._meta.db_table, [column.column for column in columns], buffer)


def _copy(table: str, columns: list[str], buffer: io.StringIO) -> None:
    quote = connection.ops.quote_name
    names = ", ".join(quote(column) for column in columns)
    staging = quote(f"copy_{table}")
    # In one message, which saves two ways to the server and back.
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.copy_expert(
            f"CREATE TEMPORARY TABLE {staging} ON COMMIT DROP AS SELECT {names} FROM {quote(table)} WITH NO DATA;"
            f" COPY {staging} ({names}) FROM STDIN;"
            f" INSERT INTO {quote(table)} ({names}) SELECT {names} FROM {staging}; DROP TABLE {staging}",
            buffer,
        )


def update(model: type[TenantRow], rows: Sequence[dict[str, Any]]) -> None:
    """Set columns of many rows in one statement, each row's values its own; rows are named by `id`, inside work().

    All rows have the same keys. The version and time of change of Records move by themselves.
    """
    if not rows:
        return
    names = [name for name in rows[0] if name != "id"]
    fields = {field.attname: field for field in model._meta.concrete_fields}
    columns = ["id", *names]
    types = [str(fields[name].db_type(connection)) for name in columns]
    quote = connection.ops.quote_name
    sets = [f"{quote(str(fields[name].column))} = v.{quote(name)}" for name in names]
    if "version" in fields:
        sets.append("version = t.version + 1, updated_at = %s")
    arrays = ", ".join(f"%s::{_array_type(kind)}" for kind in types)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {quote(model._meta.db_table)} t SET {', '.join(sets)} FROM unnest({arrays})"
            # "+ 0" keeps the condition from choosing an index: by old statistics the server may believe that the
            # organization has next to no rows, and would then read all of them for each row to change.
            f" AS v({', '.join(map(quote, columns))}) WHERE t.organization_id + 0 = %s AND t.id = v.id",
            [
                *([clock.now()] if "version" in fields else []),
                *([row[name] for row in rows] for name in columns),
                current().organization_id,
            ],
        )


def _array_type(kind: str) -> str:
    """Array of a column's type; its length or precision says nothing about a value on its way."""
    return re.sub(r"\(.*\)", "", kind).removesuffix(" GENERATED BY DEFAULT AS IDENTITY") + "[]"

"""Lists as CSV files that a spreadsheet opens without harm.

Text cells that a spreadsheet would run as a formula get an apostrophe in front; figures stay figures. The file is
written in pieces inside the work() of its page, because nothing may be read after COMMIT.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from io import StringIO
from typing import Any
from urllib.parse import quote

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext as _

from core.errors import AppError
from core.money import Money
from core.templatetags.fmt import count

MAX_ROWS = 50_000
CHUNK = 2_000
_BOM = "\ufeff"
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the start of a formula, full-width forms included."""


class TooManyRows(AppError):
    """The list is longer than one file may be."""

    code = "too_many_rows"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, and how a row gives its cell (text, whole number, Decimal, Money, date or None)."""

    title: str
    cell: Callable[[Any], Any]


def in_chunks(rows: "QuerySet[Any]", *, size: int = CHUNK) -> Iterator[list[Any]]:
    """All rows by id, so many at a time. Raises TooManyRows beyond MAX_ROWS before it reads any. Inside work()."""
    if len(rows.order_by("pk").values_list("pk", flat=True)[: MAX_ROWS + 1]) > MAX_ROWS:
        raise TooManyRows(
            _("This list has more than %(limit)s rows. Set a filter and export in parts.")
            % {"limit": count(MAX_ROWS)}
        )
    last = 0
    while found := list(rows.filter(pk__gt=last).order_by("pk")[:size]):
        yield found
        last = found[-1].pk


def csv_file(name: str, columns: Sequence[Column], rows: Iterable[Any]) -> HttpResponse:
    """The rows as a download named `name`.csv: UTF-8 with its mark, one heading line, CRLF."""
    text = StringIO(newline="")
    text.write(_BOM)
    writer = csv.writer(text)
    writer.writerow([safe_cell(column.title) for column in columns])
    for row in rows:
        writer.writerow([safe_cell(column.cell(row)) for column in columns])
    response = HttpResponse(
        text.getvalue().encode("utf-8", "replace"), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}.csv"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def safe_cell(value: Any) -> str:
    """A value as a cell: figures plain with a decimal point, dates ISO, text that cannot become a formula."""
    if value is None:
        return ""
    if isinstance(value, Money):
        return f"{value.decimal:f}"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bool | int):
        return str(int(value)) if isinstance(value, bool) else str(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    text = str(value)
    return f"'{text}" if text.startswith(_RISKY) or text.lstrip(" \u00a0\"'").startswith(_RISKY) else text

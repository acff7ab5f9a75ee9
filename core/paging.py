"""Pages of a list by keyset: the next page starts after the last row seen, so rows added meanwhile move nothing.

A cursor is the last row's sort value and id, plainly encoded: it says nothing that the page did not show, and the
query it goes into is bounded by the organization like every other.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, Q, QuerySet

PAGE_SIZE = 50
CURSOR = "page"
M = TypeVar("M", bound=Model)
_MAX_CURSOR = 1000
_PARTS = 3


@dataclass(frozen=True, slots=True)
class Order:
    """A sorting that a list offers: the column or annotation (never NULL) that leads, and its direction.

    The id follows in the same direction, so that the order is total.
    """

    column: str
    kind: type = str
    descending: bool = False

    @property
    def columns(self) -> tuple[str, str]:
        sign = "-" if self.descending else ""
        return f"{sign}{self.column}", f"{sign}pk"


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """The rows of a page and the cursors of its neighbours; "" where there is none."""

    rows: list[M]
    newer: str = ""
    older: str = ""


def paged(rows: "QuerySet[M]", order: Order, cursor: str, *, size: int = PAGE_SIZE) -> Page[M]:
    """The page that the cursor names, one query; the first page when the cursor is none or not ours."""
    place = _decoded(cursor, order)
    if place is None:
        return _forward(rows, order, size, first=True)
    backward, value, row_id = place
    if not backward:
        return _forward(rows.filter(beyond(order, value, row_id, forward=True)), order, size, first=False)
    opposite = Order(order.column, order.kind, descending=not order.descending)
    before = rows.filter(beyond(order, value, row_id, forward=False)).order_by(*opposite.columns)
    found = list(before[: size + 1])
    if not found:
        return _forward(rows, order, size, first=True)
    shown = found[:size][::-1]
    return Page(
        shown,
        newer=_encoded(order, shown[0], backward=True) if len(found) > size else "",
        older=_encoded(order, shown[-1], backward=False),
    )


def _forward(rows: "QuerySet[M]", order: Order, size: int, *, first: bool) -> Page[M]:
    found = list(rows.order_by(*order.columns)[: size + 1])
    shown = found[:size]
    return Page(
        shown,
        newer="" if first or not shown else _encoded(order, shown[0], backward=True),
        older=_encoded(order, shown[-1], backward=False) if len(found) > size else "",
    )


def beyond(order: Order, value: Any, row_id: int, *, forward: bool) -> Q:
    """Rows after a place (its sort value and id) in the order, or before it, never the row itself.

    The first condition alone is what an index can bound the scan by.
    """
    side = "gt" if forward != order.descending else "lt"
    name = order.column
    if name == "pk":
        return Q(**{f"pk__{side}": row_id})
    return Q(**{f"{name}__{side}e": value}) & (Q(**{f"{name}__{side}": value}) | Q(**{f"pk__{side}": row_id}))


def _encoded(order: Order, row: Model, *, backward: bool) -> str:
    value = row.pk if order.column == "pk" else getattr(row, order.column)
    plain = value.isoformat() if isinstance(value, date) else value
    text = json.dumps([int(backward), plain, row.pk], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _decoded(cursor: str, order: Order) -> tuple[bool, Any, int] | None:
    if not cursor or len(cursor) > _MAX_CURSOR:
        return None
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True).decode())
        if not isinstance(parts, list) or len(parts) != _PARTS:
            return None
        value = order.kind.fromisoformat(parts[1]) if order.kind in {date, datetime} else parts[1]
    except (ValueError, TypeError, binascii.Error, RecursionError):
        return None
    if parts[0] not in (0, 1) or not _is_id(parts[2]) or not _is_value(value, order.kind):
        return None
    return bool(parts[0]), value, parts[2]


def _is_id(value: Any) -> bool:
    return type(value) is int and abs(value) < 2**63


def _is_value(value: Any, kind: type) -> bool:
    if kind is str:
        return (
            isinstance(value, str) and "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value)
        )
    if kind is datetime:
        return type(value) is kind and value.tzinfo is not None
    return _is_id(value) if kind is int else type(value) is kind


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is set, in words, with the address without it."""

    label: str
    href: str


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a list: the parameters it knows, as given. Unknown ones are dropped."""

    given: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, query: Mapping[str, str], known: Sequence[str]) -> "Address":
        return cls({name: query[name] for name in known if query.get(name)})

    def href(self, **changes: str) -> str:
        """This list with some parameters changed, "" to drop one; a change always leads to the first page."""
        wanted = {name: value for name, value in {**self.given, **changes}.items() if value}
        return f"?{urlencode(wanted)}"

    def page(self, cursor: str) -> str:
        """This list at a cursor, or "" when there is no such page."""
        return self.href(**{CURSOR: cursor}) if cursor else ""


def chosen(wanted: str, offered: Mapping[str, Order], default: str) -> tuple[str, Order]:
    """The sorting that was asked for when the list offers it, else its default."""
    name = wanted if wanted in offered else default
    return name, offered[name]

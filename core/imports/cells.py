"""What a cell of an imported file says, as the kinds of value that rows are made of."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from core import money
from core.fields import plain_address, visible_text

_YEAR_FIRST = re.compile(r"(\d{4})([-./]?)(\d{1,2})\2(\d{1,2})", re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})([-./ ])(\d{1,2})\2(\d{4})", re.ASCII)
_AT_MIDNIGHT = re.compile(r"[T ]00:00(:00(\.0+)?)?Z?$")
_WHOLE = re.compile(r"\d{1,6}", re.ASCII)
_MARKED = {
    ".": re.compile(r"-?(\d{1,3}(,\d{3})+|\d+)\.\d+", re.ASCII),
    ",": re.compile(r"-?(\d{1,3}(\.\d{3})+|\d+),\d+", re.ASCII),
}
_GROUPS = re.compile(r"-?\d{1,3}(,\d{3})+|-?\d{1,3}(\.\d{3})+", re.ASCII)
"""1,234 and 1.234.567: groups of thousands, or three decimals."""


class BadCell(ValueError):
    """A cell that cannot be what its column needs; the message is fit for a person. `code` sorts the problems."""

    def __init__(self, message: str, code: str = "bad") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Habits:
    """How the file writes figures and days.

    `day_first` None and `decimal_mark` "": the cells do not tell, or tell both, so what depends on it is refused.
    """

    decimal_mark: str = "."
    day_first: bool | None = None
    rounds: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A column that rows of a kind may have. `hints` are usual headings; `most` is the longest text in characters.

    `known` gives the values that are possible, as (value, label), when the file's own have to be translated.
    """

    name: str
    label: Any
    kind: str = "text"
    required: bool = False
    most: int = 200
    hints: tuple[str, ...] = ()
    example: str = ""
    known: Callable[[], list[tuple[str, str]]] | None = field(default=None, compare=False)


def read_cell(column: Column, text: str, habits: Habits) -> Any:
    """The cell's value: text, date, whole number, or for an amount its text (a currency makes it money).

    An empty cell is None. Raises BadCell.
    """
    try:
        text = visible_text(text).strip()
    except ValidationError as error:
        raise BadCell(_("There are characters here that cannot be shown.")) from error
    if not text:
        return None
    if len(text) > column.most:
        raise BadCell(_("This is longer than %(most)s characters.") % {"most": column.most})
    reader = _READERS.get(column.kind)
    return reader(text, habits) if reader else text


def read_day(text: str, habits: Habits) -> date:
    """A day written with the year first, or last where the order of day and month is known. Raises BadCell."""
    plain = _AT_MIDNIGHT.sub("", text)
    if found := _YEAR_FIRST.fullmatch(plain):
        year, month, day = int(found[1]), int(found[3]), int(found[4])
    elif found := _YEAR_LAST.fullmatch(plain):
        if habits.day_first is None:
            raise BadCell(
                _("Day or month first in “%(text)s”? Choose it.") % {"text": text[:40]}, "day_order"
            )
        first, second, year = int(found[1]), int(found[3]), int(found[4])
        day, month = (first, second) if habits.day_first else (second, first)
    else:
        raise BadCell(_("“%(text)s” is not a date.") % {"text": text[:40]})
    try:
        return date(year, month, day)
    except ValueError as error:
        raise BadCell(_("There is no such day: %(text)s.") % {"text": text[:40]}) from error


def read_money(text: str, currency: str, habits: Habits) -> money.Money:
    """An amount in the currency; one with more decimals than that has is rounded when the habits say so.

    Raises BadCell, with code "decimals" where rounding would help, "mark" where the mark has to be chosen.
    """
    if not habits.decimal_mark and ("," in text or "." in text):
        raise BadCell(
            _("Is “%(text)s” with a decimal point or comma? Choose it.") % {"text": text[:40]}, "mark"
        )
    try:
        return money.parse(text, currency, decimal_mark=habits.decimal_mark or ".", rounded=habits.rounds)
    except money.TooPrecise as error:
        raise BadCell(str(error), "decimals") from error
    except money.MoneyError as error:
        raise BadCell(str(error)) from error


def _email(text: str, _habits: Habits) -> str:
    text = plain_address(text)
    try:
        validate_email(text)
    except ValidationError as error:
        raise BadCell(_("This is not an e-mail address.")) from error
    return text


def _currency(text: str, _habits: Habits) -> str:
    code = text.upper()
    try:
        money.exponent(code)
    except money.MoneyError as error:
        raise BadCell(str(error)) from error
    return code


def _whole(text: str, _habits: Habits) -> int:
    if not _WHOLE.fullmatch(text):
        raise BadCell(_("“%(text)s” is not a whole number.") % {"text": text[:40]})
    return int(text)


_READERS: dict[str, Callable[[str, Habits], Any]] = {
    "day": read_day,
    "email": _email,
    "currency": _currency,
    "whole": _whole,
}


def day_order(cells: Iterable[str]) -> bool | None:
    """Whether days stand before months, judged from all cells of the day columns.

    None where they do not tell, and where some tell this and some that.
    """
    told = set()
    for text in cells:
        if found := _YEAR_LAST.fullmatch(_AT_MIDNIGHT.sub("", text.strip())):
            first, second = int(found[1]), int(found[3])
            if (first > 12) != (second > 12):  # noqa: PLR2004 - there are twelve months
                told.add(first > 12)  # noqa: PLR2004
    return told.pop() if len(told) == 1 else None


def decimal_mark(cells: Iterable[str]) -> str:
    """The mark before the decimals, judged from all cells of the amount columns.

    "" where some tell this and some that, or all there is could be groups of thousands as well; a point where no cell
    has a mark at all.
    """
    told, open_ones = set(), False
    for text in cells:
        plain = text.strip()
        if _GROUPS.fullmatch(plain):
            twice = plain.count(",") > 1 or plain.count(".") > 1  # two marks of a kind are groups for certain
            told |= {"." if "," in plain else ","} if twice else set()
            open_ones = True
        else:
            told |= {mark for mark, pattern in _MARKED.items() if pattern.fullmatch(plain)}
    if len(told) == 1:
        return told.pop()
    return "" if told or open_ones else "."

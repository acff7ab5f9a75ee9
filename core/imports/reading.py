"""A file of rows as text: its encoding, what separates its cells, and its records, one at a time."""

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from charset_normalizer import from_bytes
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from core.errors import AppError
from core.uploads import MAX_BYTES

MAX_ROWS = 200_000
MAX_COLUMNS = 200
MAX_HEADING = 200
SAMPLE_BYTES, SAMPLE_RECORDS = 65_536, 50
DELIMITERS = {",": _lazy("comma"), ";": _lazy("semicolon"), "\t": _lazy("tab"), "|": _lazy("bar")}
ENCODINGS = (
    "utf-8",
    "utf-16",
    "cp1252",
    "iso-8859-1",
    "iso-8859-2",
    "cp1250",
    "cp1251",
    "shift_jis",
    "gb18030",
)
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_MOST_IN_CELL = 20_000
_USUAL = "cp1252"


class Unreadable(AppError):
    """The file is no table of rows that can be read; nothing was taken from it."""

    status = 422
    code = "unreadable"


@dataclass(frozen=True, slots=True)
class Shape:
    """How the bytes are read. Sniffed, shown, and changeable by the person who knows the file."""

    encoding: str
    delimiter: str


def sniff(data: bytes) -> Shape:
    """The likely shape of the bytes. Raises Unreadable for nothing, too much, or no text."""
    if not data.strip():
        raise Unreadable(_("The file is empty."))
    if len(data) > MAX_BYTES:
        raise Unreadable(
            _("The file is larger than %(most)s MB. Cut it in parts.") % {"most": MAX_BYTES // 1024**2}
        )
    encoding = _encoding(data)
    text = data[:SAMPLE_BYTES].decode(encoding, "replace")
    return Shape(encoding, _delimiter(text))


def _encoding(data: bytes) -> str:
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    if (unmarked := _unmarked_utf16(data[:SAMPLE_BYTES])) is not None:
        return unmarked
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        start = max(0, error.start - SAMPLE_BYTES // 2) & ~1  # plain letters before it would say nothing
        return _legacy(data[start : start + SAMPLE_BYTES])
    return "utf-8"


def _unmarked_utf16(sample: bytes) -> str | None:
    """Two bytes to a letter without a mark at the start: every other byte of plain text is then zero."""
    first, second = sample[0::2].count(0), sample[1::2].count(0)
    if max(first, second) * 4 < len(sample) or min(first, second) * 20 > len(sample):
        return None
    return "utf-16-le" if second > first else "utf-16-be"


def _legacy(sample: bytes) -> str:
    """One of the encodings on offer; the most usual one where no other makes better words."""
    matches = list(from_bytes(sample, cp_isolation=[name for name in ENCODINGS if name != "utf-8"]))
    if not matches:
        return _USUAL
    best = matches[0]
    for each in matches:
        is_usual = _USUAL in {each.encoding, *each.could_be_from_charset}
        if is_usual and each.chaos <= best.chaos and each.coherence >= best.coherence:
            return _USUAL
    return best.encoding


def _delimiter(text: str) -> str:
    """The separator that cuts the first records into most cells, all into equally many where there is one such."""

    def cut(delimiter: str) -> tuple[bool, int]:
        found: list[list[str]] = []
        with suppress(csv.Error):  # a cell too long; reading all of it will say where
            found.extend(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
        found = found[:SAMPLE_RECORDS]
        # The last record of a sample may be cut off in the middle.
        widths = [len(record) for record in (found[:-1] if len(found) > 1 else found) if record]
        most = max(widths, default=1)
        return most > 1 and min(widths) == most, most

    return max(DELIMITERS, key=cut)


def records(data: bytes, shape: Shape) -> Iterator[tuple[int, list[str]]]:
    """(number, cells) of each record that is not blank, the heading first; numbers are lines of a spreadsheet.

    Raises Unreadable where the bytes are no text, or not of that encoding, or a quote is never closed.
    """
    number = 0
    try:
        text = io.TextIOWrapper(io.BytesIO(data), encoding=shape.encoding, newline="", errors="strict")
        reader = csv.reader(text, delimiter=shape.delimiter, strict=True)
        for cells in reader:
            number += 1
            if number == 1 and cells:
                cells[0] = cells[0].removeprefix("\ufeff")
            if any("\0" in cell for cell in cells):
                raise Unreadable(
                    _("Line %(line)s is not text. Is this a CSV file, and in this encoding?")
                    % {"line": number},
                    line=number,
                )
            if any(cell.strip() for cell in cells):
                yield number, cells
    except (UnicodeError, LookupError) as error:
        raise Unreadable(
            _("After line %(line)s the file is not text in %(encoding)s. Choose another encoding.")
            % {"line": number, "encoding": shape.encoding},
            line=number + 1,
        ) from error
    except csv.Error as error:
        raise Unreadable(
            _("After line %(line)s the file breaks off: %(why)s") % {"line": number, "why": error},
            line=number + 1,
        ) from error


@dataclass(frozen=True, slots=True)
class Outline:
    """What a whole look through the file finds: its headings, how many rows, and a few of them."""

    headers: list[str]
    rows: int
    samples: list[list[str]]


def outline(data: bytes, shape: Shape, *, samples: int = 5) -> Outline:
    """Read all of it once. Raises Unreadable for no heading, a heading twice, no rows or too many."""
    found = records(data, shape)
    first = next(found, None)
    if first is None:
        raise Unreadable(_("The file is empty."))
    headers = [plain(cell) for cell in first[1]]
    while headers and not headers[-1]:
        headers.pop()
    _judge(headers)
    shown: list[list[str]] = []
    rows = 0
    for _number, cells in found:
        rows += 1
        if rows > MAX_ROWS:
            raise Unreadable(_("The file has more than %(most)s rows. Cut it in parts.") % {"most": MAX_ROWS})
        if len(shown) < samples:
            shown.append([cell[:80] for cell in cells[: len(headers)]])
    if not rows:
        raise Unreadable(_("There are no rows under the heading."))
    return Outline(headers, rows, shown)


def plain(text: str) -> str:
    """The text on one line, as a form sends it back."""
    return " ".join(text.split())


def _judge(headers: list[str]) -> None:
    if not headers or len(headers) > MAX_COLUMNS:
        raise Unreadable(_("The first line must name the columns, at most %(most)s.") % {"most": MAX_COLUMNS})
    if not all(headers):
        raise Unreadable(
            _("Column %(place)s has no name in the first line.") % {"place": headers.index("") + 1},
            line=1,
            column=headers.index("") + 1,
        )
    if any(len(name) > MAX_HEADING for name in headers):
        raise Unreadable(
            _("A name in the first line is longer than %(most)s characters.") % {"most": MAX_HEADING}
        )
    twice = sorted({name for name in headers if headers.count(name) > 1})
    if twice:
        raise Unreadable(
            _("Two columns are called “%(name)s”.") % {"name": twice[0][:80]},
            line=1,
            column=headers.index(twice[0]) + 1,
        )


csv.field_size_limit(_MOST_IN_CELL)

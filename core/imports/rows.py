"""From the records of a file to rows of values, by what its columns were said to mean."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from core.imports.base import Importer, Problem, Row, Setup
from core.imports.cells import BadCell, Habits, day_order, decimal_mark, read_cell
from core.imports.reading import Shape, plain, records
from core.models import Import


def setup_of(source: Import, importer: Importer, data: bytes) -> Setup:
    """What holds for all rows of the file, the habits that nobody chose being read from the file itself."""
    chosen = source.choices
    days, amounts = _cells(source, importer, data)
    habits = Habits(
        decimal_mark=chosen.get("decimal_mark") or decimal_mark(amounts),
        day_first={"dmy": True, "mdy": False}.get(chosen.get("days", ""), day_order(days)),
        rounds=bool(chosen.get("rounds")),
    )
    return Setup(source.public_id, habits, chosen.get("values", {}))


def _cells(source: Import, importer: Importer, data: bytes) -> tuple[list[str], list[str]]:
    """All cells of the day columns, and of the amount columns."""
    places = places_of(source)
    wanted: dict[str, list[int]] = {"day": [], "amount": []}
    for column in importer.columns:
        if column.kind in wanted and column.name in places:
            wanted[column.kind].append(places[column.name])
    found: dict[str, list[str]] = {"day": [], "amount": []}
    for _number, cells in body_of(source, data):
        for kind, at in wanted.items():
            found[kind].extend(cells[place] for place in at if place < len(cells))
    return found["day"], found["amount"]


def places_of(source: Import) -> dict[str, int]:
    """Which cell of a record each named column is."""
    at = {header: place for place, header in enumerate(source.headers)}
    return {name: at[header] for name, header in source.mapping.items() if header in at}


def body_of(source: Import, data: bytes) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of each record under the heading."""
    found = records(data, Shape(source.reading["encoding"], source.reading["delimiter"]))
    next(found, None)
    return found


def read_rows(source: Import, importer: Importer, data: bytes, setup: Setup) -> Iterator[Row]:
    """Every row of the file in order, what is wrong with its cells already noted."""
    places = places_of(source)
    same: Counter[str] = Counter()
    for number, cells in body_of(source, data):
        row = _row(importer, number, cells, places, setup)
        if any(cell.strip() for cell in cells[len(source.headers) :]):
            row.problems.append(
                Problem(
                    "",
                    _("This row has %(cells)s cells, the heading %(headers)s.")
                    % {"cells": len(cells), "headers": len(source.headers)},
                    "width",
                )
            )
        if importer.identity:
            identity = importer.identity(row, setup.habits)
            same[identity] += 1
            row.occurrence = same[identity]
        yield row


def _row(importer: Importer, number: int, cells: list[str], places: Mapping[str, int], setup: Setup) -> Row:
    row = Row(number, {})
    for column in importer.columns:
        place = places.get(column.name, -1)
        text = cells[place] if 0 <= place < len(cells) else ""
        text = setup.values.get(column.name, {}).get(plain(text), text)
        try:
            value: Any = read_cell(column, text, setup.habits)
        except BadCell as error:
            row.refuse(column.name, str(error), error.code)
            continue
        if value is None and column.required:
            row.refuse(column.name, _("%(column)s is missing.") % {"column": column.label}, "missing")
        row.cells[column.name] = value
    return row


def distinct(source: Import, data: bytes, header: str, *, most: int = 50) -> list[str]:
    """The different values of a column, in order of their first row, at most so many."""
    place = source.headers.index(header)
    found: dict[str, None] = {}
    for _number, cells in body_of(source, data):
        if place < len(cells) and cells[place].strip():
            found[plain(cells[place])] = None
        if len(found) >= most:
            break
    return list(found)


def suggested(importer: Importer, headers: list[str]) -> dict[str, str]:
    """Which header each column most likely is, by its name and usual headings; each header at most once."""
    plain = {_plain(header): header for header in reversed(headers)}
    found: dict[str, str] = {}
    for column in importer.columns:
        for hint in (column.name, str(column.label), *column.hints):
            header = plain.get(_plain(hint))
            if header is not None and header not in found.values():
                found[column.name] = header
                break
    return found


def _plain(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())

"""What an app registers so that rows of a kind can be brought in from a file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core import registry
from core.imports.cells import BadCell, Column, Habits, read_money
from core.money import Money


class Outcome(StrEnum):
    """What becomes of a row: something is made of it, it is here already, or it cannot be."""

    CREATED = "created"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row cannot be: the column it lies in ("" for the row as a whole), a sentence, and a code to count by."""

    column: str
    message: str
    code: str = "bad"


@dataclass(slots=True)
class Row:
    """A row as values by column name. `number` is its line; `occurrence` counts rows of the file that are the same."""

    number: int
    cells: dict[str, Any]
    problems: list[Problem] = field(default_factory=list)
    occurrence: int = 1

    def __getitem__(self, column: str) -> Any:
        return self.cells.get(column)

    def refuse(self, column: str, message: str, code: str = "bad") -> None:
        """Say what is wrong with a cell."""
        self.problems.append(Problem(column, message, code))

    def money(self, column: str, currency: str | None, habits: Habits) -> Money | None:
        """An amount cell as money; None, with the problem noted, when it is none or its currency is not known."""
        if self[column] is None or currency is None:
            return None
        try:
            return read_money(self[column], currency, habits)
        except BadCell as error:
            self.refuse(column, str(error), error.code)
            return None


@dataclass(slots=True)
class Planned:
    """What a row will become; `draft` is the importer's own."""

    row: Row
    outcome: Outcome
    draft: Any = None


@dataclass(slots=True)
class Setup:
    """What holds for all rows of one file. `seen` remembers, while a file is checked, what earlier rows would make."""

    source: str
    habits: Habits
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    seen: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Importer:
    """How rows of a kind are brought in.

    `plan` reads and decides for a chunk of rows, in order, and writes nothing; `write` makes what was planned, all
    or nothing, and returns the public ids in order. A dry run is `plan` alone. `undo` takes back what
    was made, by public id, or raises Conflict when anything of it was used since. All inside work(). `identity` gives
    the text by which rows of a file count as the same, however their values are written; `page` and `listing` name the
    addresses of what a row made and of all such things.
    """

    kind: str
    title: Any
    permission: str
    columns: tuple[Column, ...]
    plan: Callable[[Sequence[Row], Setup], list[Planned]]
    write: Callable[[Sequence[Planned], Setup], list[str]]
    undo: Callable[[Sequence[str]], None]
    page: str
    listing: str = ""
    hint: Any = ""
    identity: Callable[[Row, Habits], str] | None = None


def register(importer: Importer) -> None:
    """Offer an importer; called from an app's `importing` module."""
    registry.importers[importer.kind] = importer

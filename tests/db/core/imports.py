"""Short ways to bring files in, for the tests of what becomes of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.imports import opening
from core.imports import work as imports
from core.models import Import, ImportRow
from core.scope import work
from invoicing.models import Document

Cells = Sequence[str]
INVOICES = ("Invoice number", "Customer number", "Customer name", "Currency", "Amount", "Issued on", "Due on")


def csv(heading: Cells, rows: Sequence[Cells]) -> bytes:
    """A file of cells that need no quotes."""
    return "".join(";".join(row) + "\n" for row in (heading, *rows)).encode()


def uploaded(kind: str, data: bytes, *, name: str = "file.csv") -> Import:
    """The import of the file as it stands; a run that was cut off stays so."""
    return opening.upload(kind, data=data, name=name)


def checked(
    kind: str,
    data: bytes,
    *,
    chunk: int = imports.CHUNK,
    mapping: Mapping[str, str] | None = None,
    **choices: Any,
) -> Import:
    """The file, checked as far as it can be."""
    source = uploaded(kind, data)
    with work():
        imports.prepare(
            source.public_id,
            mapping=mapping or source.mapping,
            choices={**source.choices, **choices},
            queued=False,
        )
    imports.work_off(source.public_id, chunk=chunk)
    return now(source)


def brought_in(kind: str, data: bytes, *, chunk: int = imports.CHUNK, **choices: Any) -> Import:
    """The file, checked and run."""
    return run(checked(kind, data, **choices), chunk=chunk)


def run(source: Import, *, chunk: int = imports.CHUNK) -> Import:
    if source.created:
        with work():
            imports.start(source.public_id, queued=False)
        imports.work_off(source.public_id, chunk=chunk)
    return now(source)


def undone(source: Import) -> Import:
    with work():
        imports.undo(source.public_id, queued=False)
    imports.work_off(source.public_id)
    return now(source)


def now(source: Import) -> Import:
    with work():
        return imports.by_public_id(source.public_id)


def counts(source: Import) -> tuple[int, int, int]:
    return source.created, source.unchanged, source.failed


def problems(source: Import) -> dict[int, list[Any]]:
    """What is wrong with each failed row, by line."""
    with work():
        return {row.number: row.problems for row in ImportRow.objects.filter(source=source, outcome="failed")}


TODAY = "2026-11-02"
PEOPLE = ("Number", "Name", "Country")


def invoice(n: int, *, customer: str = "C1", name: str = "Kestrel", amount: str = "10.00") -> tuple[str, ...]:
    return (f"A-{n}", customer, name, "EUR", amount, TODAY, "")


def documents() -> list[tuple[Any, ...]]:
    with work():
        rows = Document.objects.filter(kind="opening").order_by("number", "id")
        return list(
            rows.values_list("number", "customer__number", "total_minor", "issued_on", "due_on", "state")
        )

"""The files that imports give out: a template to fill in, and the rows that failed."""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from arapp.permissions import IMPORTS_VIEW
from core import files, registry
from core.errors import NotFound
from core.exports import MAX_ROWS, Column, TooManyRows, csv_file
from core.imports import reads
from core.imports.base import Importer
from core.imports.rows import body_of
from core.imports.work import by_public_id
from core.models import Import
from core.scope import work
from core.templatetags.fmt import count
from core.web import page


@page(IMPORTS_VIEW)
@require_GET
def template(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """Headings and one row to overwrite."""
    importer: Importer | None = registry.importers.get(kind)
    if importer is None:
        raise NotFound("There is no such import.")
    columns = [Column(str(column.label), itemgetter(column.name)) for column in importer.columns]
    return csv_file(f"{kind}-template", columns, [{each.name: each.example for each in importer.columns}])


@page(IMPORTS_VIEW, phased=True)
@require_GET
def failed_rows(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """The rows that failed as the file has them, each with what is wrong, to be mended and brought in again."""
    with work():
        failed = failed_of(public_id)
    return failed.file()


@dataclass(frozen=True, slots=True)
class FailedRows:
    """An import and what is wrong with each failed row, by line."""

    source: Import
    problems: dict[int, str]

    @property
    def name(self) -> str:
        return f"failed-rows-{self.source.public_id}"

    def file(self) -> HttpResponse:
        """The rows with what is wrong; reads the import's file, outside any work()."""
        source, data = self.source, files.read(self.source.file)
        told = Column(_("Problem"), itemgetter(-1))
        columns = [
            Column(heading, itemgetter(place))
            for place, heading in enumerate(source.headers)
            if heading != told.title
            or heading in source.mapping.values()  # what failed before has such a column
        ]
        return csv_file(self.name, [*columns, told], _rows(source, data, self.problems))


def failed_of(public_id: str) -> FailedRows:
    """What failed of an import; raises NotFound, TooManyRows. Inside work()."""
    source = by_public_id(public_id)
    if source.failed > MAX_ROWS:
        raise TooManyRows(
            _("More than %(limit)s rows cannot be brought in. Mend what they have in common first.")
            % {"limit": count(MAX_ROWS)}
        )
    return FailedRows(source, {row.number: _said(row.problems) for row in reads.failed(source).iterator()})


def _said(problems: list[dict[str, Any]]) -> str:
    return " ".join(problem["message"] for problem in problems)


def _rows(source: Import, data: bytes, problems: dict[int, str]) -> Iterator[list[Any]]:
    width = len(source.headers)
    for number, cells in body_of(source, data):
        if number in problems:
            yield [*(cells + [""] * width)[:width], problems[number]]

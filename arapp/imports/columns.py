"""The first steps of an import: the file, how it is read, and what its columns mean."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from arapp.imports import words
from arapp.imports.forms import DAYS, MARKS, MOST_VALUES, Named, ShapeForm, UploadForm, named
from arapp.permissions import IMPORTS_RUN
from core import clock, files, limits, registry
from core.errors import AppError
from core.imports import opening
from core.imports import work as imports
from core.imports.base import Importer
from core.imports.cells import Column
from core.imports.reading import Shape
from core.imports.rows import distinct
from core.imports.states import State
from core.models import Import
from core.pages import attempt
from core.scope import current, require, work
from core.uploads import MAX_BYTES, sent_too_much
from core.web import page
from tenants.selectors import entity

UPLOADS, UPLOADS_SECONDS = 120, 3600
OPEN = {State.UPLOADED, State.CHECKING, State.READY}
SAMPLES = 3
SEVERAL = ("theirs_", "ours_")
"""Fields of the tables of values, which come once for each value."""


@page(IMPORTS_RUN, phased=True)
@require_http_methods(["GET", "HEAD", "POST"])
def import_new(request: HttpRequest, slug: str) -> HttpResponse:
    """Choose a kind and a file. The file is kept outside the transaction."""
    if request.method != "POST":
        wanted = request.GET.get("kind", "")
        return _new(request, slug, UploadForm(initial={"kind": wanted or words.kinds()[0].kind}))
    form = UploadForm(request.POST, request.FILES)
    if sent_too_much(request):
        form.errors.pop("file", None)  # it is not missing, it was left out
        form.add_error("file", _("The file is larger than %(most)s MB. Cut it in parts.") % {"most": MAX_MB})
    if not form.is_valid():
        return _new(request, slug, form, status=422)
    importer: Importer = registry.importers[form.cleaned_data["kind"]]
    require(importer.permission)
    try:
        spend_upload()
        sent = form.cleaned_data["file"]
        source = opening.upload(importer.kind, data=sent.read(), name=sent.name)
    except AppError as error:
        form.add_error("file", error.message)
        return _new(request, slug, form, status=error.status)
    return redirect("import", slug, source.public_id)


def spend_upload() -> None:
    """One file of those that a person or key may send; raises TooMany."""
    who = f"{current().organization_id}:{current().actor.id}"
    limits.spend("import", who, limit=UPLOADS, seconds=UPLOADS_SECONDS)


MAX_MB = MAX_BYTES // 1024**2


def _new(request: HttpRequest, slug: str, form: UploadForm, *, status: int = 200) -> HttpResponse:
    with work():
        context = {
            "slug": slug,
            "form": form,
            "chosen": form["kind"].value(),
            "kinds": [{"importer": each, "lacks": words.lacks(each)} for each in words.kinds()],
            "steps": words.steps(),
            "most_bytes": MAX_BYTES,
            "most_mb": MAX_MB,
            "crumbs": _crumbs(slug),
        }
        return render(request, "imports/new.html", context, status=status)


def _crumbs(slug: str) -> list[dict[str, str]]:
    return [{"label": _("Imports"), "href": reverse("imports", args=[slug])}]


@page(IMPORTS_RUN, phased=True, several=SEVERAL)
@require_http_methods(["GET", "HEAD", "POST"])
def import_columns(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Name the columns, and have every row checked."""
    with work():
        source = imports.permitted(public_id)
        if source.state not in OPEN:
            return redirect("import", slug, public_id)
        if request.method != "POST":
            said, outcome = Named(source.mapping, source.choices), None
        else:
            said = named(request.POST, imports.importer_of(source))
            with attempt() as outcome:
                imports.prepare(public_id, mapping=said.mapping, choices=said.choices)
    if outcome is None or outcome.error:
        return _columns(request, slug, public_id, said, error=outcome.error if outcome else None)
    return redirect("import", slug, public_id)


@page(IMPORTS_RUN, phased=True)
@require_POST
def import_reread(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Read the file in another encoding or with another separator."""
    with work():
        source = imports.permitted(public_id)
    form = ShapeForm(request.POST, own=source.reading["encoding"])
    if form.is_valid():
        try:
            imports.reread(public_id, Shape(form.cleaned_data["encoding"], form.cleaned_data["delimiter"]))
        except AppError as error:
            form.add_error("encoding", error.message)
    if form.errors:
        return _columns(request, slug, public_id, Named(source.mapping, source.choices), shape=form)
    return redirect("import-columns", slug, public_id)


@page(IMPORTS_RUN, phased=True, several=SEVERAL)
@require_POST
def import_values(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """The values of one column that need a meaning here, asked for when its heading changes."""
    with work():
        source = imports.permitted(public_id)
        said = named(request.POST, imports.importer_of(source))
    data = files.read(source.file)
    with work():
        tables = value_tables(source, said.mapping, said.choices, data)
        return render(request, "imports/parts/values.html", {"slug": slug, "values": tables})


def _columns(
    request: HttpRequest,
    slug: str,
    public_id: str,
    said: Named,
    *,
    error: AppError | None = None,
    shape: ShapeForm | None = None,
) -> HttpResponse:
    with work():
        source = imports.by_public_id(public_id)
    data = files.read(source.file)
    with work():
        importer = imports.importer_of(source)
        first_rows = imports.samples_of(source)
        samples = {heading: _sample(source, heading, first_rows) for heading in source.headers}
        fields = error.fields if error else {}
        context = {
            "slug": slug,
            "today": clock.today(entity().zone),
            "source": source,
            "title": str(importer.title),
            "read_as": words.read_as(source),
            "steps": words.steps(),
            "columns": [_column(samples, each, said.mapping, fields) for each in importer.columns],
            "first_rows": first_rows,
            "samples": [{"heading": heading, "text": text} for heading, text in samples.items()],
            "unused": [heading for heading in source.headers if heading not in said.mapping.values()],
            "values": value_tables(source, said.mapping, said.choices, data),
            "days": DAYS.items(),
            "marks": MARKS.items(),
            "choices": said.choices,
            "has_days": any(each.kind == "day" for each in importer.columns),
            "has_amounts": any(each.kind == "amount" for each in importer.columns),
            "encodings": words.encodings(source),
            "delimiters": words.delimiters(),
            "shape": shape,
            "error": error,
            "crumbs": _crumbs(slug),
        }
        status = error.status if error else 422 if shape else 200
        return render(request, "imports/columns.html", context, status=status)


def _column(
    samples: Mapping[str, str], column: Column, mapping: Mapping[str, str], fields: Mapping[str, str]
) -> dict[str, Any]:
    heading = mapping.get(column.name, "")
    return {
        "name": column.name,
        "label": str(column.label),
        "required": column.required,
        "known": column.known is not None,
        "heading": heading,
        "sample": samples.get(heading, ""),
        "example": column.example,
        "error": fields.get(column.name, ""),
    }


def _sample(source: Import, heading: str, first_rows: Sequence[Sequence[str]]) -> str:
    """The first different values under a heading."""
    place = source.headers.index(heading)
    found = dict.fromkeys(row[place].strip() for row in first_rows if place < len(row))
    return " · ".join([text[:40] for text in found if text][:SAMPLES])


def value_tables(
    source: Import, mapping: Mapping[str, str], choices: Mapping[str, Any], data: bytes
) -> list[dict[str, Any]]:
    """For each column whose values the product must know: the file's values, and what each means here."""
    tables = []
    for column in imports.importer_of(source).columns:
        heading = mapping.get(column.name, "")
        known = column.known() if column.known and heading in source.headers else []
        if len(known) < 2:  # noqa: PLR2004 - where there is only one, every value means it
            continue
        before = choices.get("values", {}).get(column.name, {})
        ours = {value for value, _label in known}
        found = distinct(source, data, heading, most=MOST_VALUES)
        tables.append(
            {
                "name": column.name,
                "label": str(column.label),
                "known": known,
                "rows": [(text, before.get(text, text if text in ours else "")) for text in found],
                "cut": len(found) >= MOST_VALUES,
            }
        )
    return tables

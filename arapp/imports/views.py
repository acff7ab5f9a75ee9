"""Imports: their list, and one of them from its check to what it made."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from arapp.imports import words
from arapp.permissions import IMPORTS_RUN, IMPORTS_VIEW
from core import clock, files, timeline
from core.errors import AppError, NotFound
from core.imports import reads
from core.imports.base import Importer
from core.imports.rows import places_of
from core.imports.states import State
from core.imports.work import by_public_id, importer_of
from core.models import Import, ImportRow
from core.pages import missing
from core.paging import Address, paged
from core.scope import work
from core.web import page
from tenants.selectors import entity

FAST, SLOW, FAST_POLLS, LAST_POLL = 1, 5, 30, 99_999
"""A poll a second at first, then one in five."""
REPAIRED = ("decimals", "day_order", "mark")
"""Problems that one choice repairs in all rows."""
SHOWN = 40
CELL = 80


@page(IMPORTS_VIEW)
@require_GET
def imports_page(request: HttpRequest, slug: str) -> HttpResponse:
    part = paged(reads.imports(), reads.NEWEST, request.GET.get("page", ""))
    zone = entity().zone
    context = {
        "slug": slug,
        "today": clock.today(zone),
        "zone": zone,
        "rows": [{"source": each, "title": importer_of(each).title} for each in part.rows],
        "newer": f"?page={part.newer}" if part.newer else "",
        "older": f"?page={part.older}" if part.older else "",
        "kinds": words.kinds(),
        "no_run": missing(IMPORTS_RUN),
    }
    return TemplateResponse(request, "imports/list.html", context)


@page(IMPORTS_VIEW, phased=True)
@require_GET
def import_page(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """One import. The rows that are shown are read from the file, outside the transaction."""
    return shown(request, slug, public_id)


def shown(request: HttpRequest, slug: str, public_id: str, *, error: AppError | None = None) -> HttpResponse:
    """The page, or the page after a refusal. Opens its own work()."""
    with work():
        source = by_public_id(public_id)
        if source.state == State.UPLOADED and error is None:
            return redirect("import-columns", slug, public_id)
        found = _rows(request, source)
    cells = _cells(source, [row.number for row in found["part"].rows])
    with work():
        context = {
            **progress_context(source, slug, polls=0),
            **_listed(source, slug, found, cells),
            "crumbs": [{"label": _("Imports"), "href": reverse("imports", args=[slug])}],
            "error": error,
        }
        status = error.status if error else 200
        return render(request, "imports/import.html", context, status=status)


def _rows(request: HttpRequest, source: Import) -> dict[str, Any]:
    """The page of failed rows, or of rows that something was made of."""
    groups = reads.groups(source) if source.failed else []
    address = Address.of(request.GET, ("rows", "problem"))
    code = request.GET.get("problem", "")
    if code not in {group.code for group in groups}:
        code = ""
    over = source.state in {State.DONE, State.STOPPED, State.UNDOING}
    wants_made = over and (not source.failed or request.GET.get("rows", "") == "made")
    rows = reads.made(source) if wants_made else reads.failed(source, code)
    return {
        "groups": groups,
        "code": code,
        "wants_made": wants_made,
        "over": over,
        "address": address,
        "part": paged(rows, reads.IN_ORDER, request.GET.get("page", ""), size=SHOWN),
    }


def _cells(source: Import, numbers: list[int]) -> dict[int, list[str]]:
    """The rows' cells; none where the file is gone."""
    try:
        return reads.texts(source, files.read(source.file), numbers) if numbers else {}
    except AppError:
        return {}


def _listed(source: Import, slug: str, found: dict[str, Any], cells: dict[int, list[str]]) -> dict[str, Any]:
    importer, address, part = importer_of(source), found["address"], found["part"]
    code, groups = found["code"], found["groups"]
    return {
        "wants_made": found["wants_made"],
        "show_failed": not found["wants_made"],
        "over": found["over"],
        "failed_href": address.href(rows=""),
        "made_href": address.href(rows="made", problem=""),
        "headings": [
            {"word": str(column.label), "num": column.kind == "amount"}
            for column in _telling(source, importer)
        ],
        "rows": [_row(source, importer, slug, row, cells.get(row.number, [])) for row in part.rows],
        "newer": address.page(part.newer),
        "older": address.page(part.older),
        "chips": [
            {
                "label": words.group_word(importer, group),
                "n": group.rows,
                "on": group.code == code,
                "href": address.href(problem="" if group.code == code else group.code),
            }
            for group in groups
        ],
        **{code: sum(group.rows for group in groups if group.code == code) for code in REPAIRED},
        "listing": timeline.link(importer.listing, slug) if importer.listing else "",
    }


def _telling(source: Import, importer: Importer) -> list[Any]:
    """The columns by which a person knows a row again: the first four that are needed and in the file."""
    places = places_of(source)
    return [column for column in importer.columns if column.required and column.name in places][:4]


def _row(source: Import, importer: Importer, slug: str, row: ImportRow, cells: list[str]) -> dict[str, Any]:
    places = places_of(source)

    def text(name: str) -> str:
        place = places.get(name, -1)
        return cells[place].strip()[:CELL] if 0 <= place < len(cells) else ""

    wrong = {problem["column"] for problem in row.problems}
    telling = _telling(source, importer)
    return {
        "number": row.number,
        "href": timeline.link(importer.page, slug, row.made) if row.made else "",
        "cells": [
            {
                "text": text(column.name),
                "wrong": column.name in wrong,
                "num": column.kind == "amount",
                "mark": "abcd"[place],
            }
            for place, column in enumerate(telling)
        ],
        "problems": [
            {
                "column": words.column_word(importer, problem["column"]),
                "message": problem["message"],
                "text": text(problem["column"])
                if problem["column"] not in {column.name for column in telling}
                else "",
            }
            for problem in row.problems
        ],
    }


@page(IMPORTS_VIEW)
@require_GET
def import_progress(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """How far it is, polled while it goes on; when it is over the whole page is loaded once more."""
    source = reads.imports().filter(public_id=public_id).first()
    if source is None:
        raise NotFound("That import is not here.")
    polls = request.GET.get("polls", "")
    number = min(int(polls), LAST_POLL) + 1 if polls.isascii() and polls.isdigit() and len(polls) < 6 else 1  # noqa: PLR2004
    answer = TemplateResponse(
        request, "imports/parts/progress.html", progress_context(source, slug, polls=number)
    )
    if source.state not in words.BUSY:
        answer["HX-Refresh"] = "true"
    return answer


def progress_context(source: Import, slug: str, *, polls: int) -> dict[str, Any]:
    """What the head of the page and its progress need. Inside work()."""
    importer, zone = importer_of(source), entity().zone
    return {
        "slug": slug,
        "today": clock.today(zone),
        "zone": zone,
        "source": source,
        "title": str(importer.title),
        "read_as": words.read_as(source),
        "steps": words.steps(),
        "step": words.step_of(source),
        "busy": source.state in words.BUSY,
        "polls": polls,
        "pause": FAST if polls < FAST_POLLS else SLOW,
        "parts": words.parts(source),
        "tally": words.tally(source),
        "to_go": source.rows - source.worked,
        "run_word": words.run_word(source),
        "cannot_run": words.cannot_run(source),
        "lacks": words.lacks(importer),
    }

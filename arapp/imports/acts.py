"""What is done with an import once its columns are named: check again, run, stop, undo, give up."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from arapp.imports.views import shown
from arapp.permissions import IMPORTS_RUN
from core.errors import Invalid
from core.imports import work as imports
from core.models import Import
from core.pages import attempt
from core.scope import work
from core.web import page

DAYS, MARKS = {"dmy", "mdy"}, {".", ","}


def _act(request: HttpRequest, slug: str, public_id: str, act: Callable[[Import], object]) -> HttpResponse:
    with work():
        source = imports.permitted(public_id)
        with attempt() as outcome:
            act(source)
    if outcome.error:
        return shown(request, slug, public_id, error=outcome.error)
    return redirect("import", slug, public_id)


@page(IMPORTS_RUN, phased=True)
@require_POST
def import_choose(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Check again with amounts rounded, a decimal mark, or an order of day and month."""
    chosen: dict[str, object] = {}
    if request.POST.get("rounds") == "1":
        chosen["rounds"] = True
    if request.POST.get("days") in DAYS:
        chosen["days"] = request.POST["days"]
    if request.POST.get("decimal_mark") in MARKS:
        chosen["decimal_mark"] = request.POST["decimal_mark"]

    def choose(source: Import) -> None:
        if not chosen:
            raise Invalid(_("Say what to choose."))
        imports.prepare(public_id, mapping=source.mapping, choices={**source.choices, **chosen})

    return _act(request, slug, public_id, choose)


@page(IMPORTS_RUN, phased=True)
@require_POST
def import_run(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    return _act(request, slug, public_id, lambda _source: imports.start(public_id))


@page(IMPORTS_RUN, phased=True)
@require_POST
def import_stop(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    return _act(request, slug, public_id, lambda _source: imports.stop(public_id))


@page(IMPORTS_RUN, phased=True)
@require_POST
def import_undo(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    return _act(request, slug, public_id, lambda _source: imports.undo(public_id))


@page(IMPORTS_RUN, phased=True)
@require_POST
def import_discard(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    return _act(request, slug, public_id, lambda _source: imports.discard(public_id))

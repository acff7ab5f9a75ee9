"""What is public of the API: its OpenAPI document, the reference, and what its refusals mean."""

from functools import cache

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from arapp.api.reference import parts, refusals
from arapp.management.commands.openapi import written
from core.api.schema import document
from core.web import open_page


@open_page("says what the API can do, nothing of anybody")
@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_document(), content_type="application/json")


@cache
def _document() -> str:
    return written(document())


@open_page("says what the API can do, nothing of anybody")
@require_safe
def reference_page(request: HttpRequest) -> HttpResponse:
    return render(request, "api/reference.html", {"parts": parts()})


@open_page("says what the API can do, nothing of anybody")
@require_safe
def part_page(request: HttpRequest, part: str) -> HttpResponse:
    shown = next((each for each in parts() if each.slug == part), None)
    if shown is None:
        raise Http404
    return render(request, "api/part.html", {"parts": parts(), "shown": shown})


@open_page("says what refusals mean, nothing of anybody")
@require_safe
def errors_page(request: HttpRequest) -> HttpResponse:
    return render(request, "api/errors.html", {"refusals": refusals()})

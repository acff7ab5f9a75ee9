"""What is public of the API: its OpenAPI document."""

from functools import cache

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

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

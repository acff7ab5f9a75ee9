from datetime import date
from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse

from core import clock
from tenants.selectors import entity


def business_today() -> date:
    """Today in the legal entity's zone."""
    return clock.today(entity().zone)


def respond(
    request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200
) -> TemplateResponse:
    return TemplateResponse(request, template, context, status=status)

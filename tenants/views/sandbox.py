"""The sandbox: made from the live organization, opened from the header, and its settings."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core.errors import AppError
from core.pages import missing
from core.sandbox import is_sandbox
from core.scope import work
from core.web import page
from tenants.permissions import SANDBOX_MANAGE, SANDBOX_USE
from tenants.services.sandbox import make_sandbox
from tenants.twins import other_side


@page(SANDBOX_USE, phased=True)
@require_safe
def sandbox_page(request: HttpRequest, slug: str) -> HttpResponse:
    return _page(request, slug)


@page(SANDBOX_USE, phased=True)
@require_safe
def sandbox_switch(request: HttpRequest, slug: str) -> HttpResponse:
    """To the other side; to the page that makes the sandbox while there is none."""
    other = other_side()
    return redirect("home", other.slug) if other else redirect("sandbox", slug)


@page(SANDBOX_MANAGE, phased=True)
@require_POST
def sandbox_make(request: HttpRequest, slug: str) -> HttpResponse:
    try:
        made = make_sandbox()
    except AppError as error:
        return _page(request, slug, error=error)
    messages.success(request, _("This is your sandbox. Nothing here is real."))
    return redirect("sandbox", made.slug)


def _page(
    request: HttpRequest,
    slug: str,
    *,
    error: AppError | None = None,
    status: int = 200,
) -> HttpResponse:
    other = other_side()
    with work():
        context: dict[str, Any] = {
            "slug": slug,
            "crumbs": [{"label": _("Settings"), "href": reverse("settings", args=[slug])}],
            "here": is_sandbox(),
            "other": other,
            "error": error,
            "no_manage": missing(SANDBOX_MANAGE),
        }
        answer = TemplateResponse(
            request, "tenants/sandbox.html", context, status=error.status if error else status
        )
        return answer.render()

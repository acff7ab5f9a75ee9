"""What the palette finds: hits of every kind that the apps offer and the person may see, as a piece of HTML."""

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from core.search import search
from core.web import page
from tenants.permissions import HOME_VIEW


@page(HOME_VIEW)
@require_safe
def hits(request: HttpRequest, slug: str) -> HttpResponse:
    """Read by the palette while somebody types; it knows no app's rows."""
    return TemplateResponse(request, "parts/hits.html", {"answer": search(request.GET.get("q", ""), slug)})

"""A subscription's history on its page: what was agreed and what came of it, past and to come."""

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from billing.permissions import SUBSCRIPTIONS_VIEW
from billing.standing import state_of
from billing.timeline import timeline
from billing.timeline_words import rows
from core.web import page


@page(SUBSCRIPTIONS_VIEW)
@require_safe
def timeline_page(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    found = timeline(public_id, before=_day(request.GET.get("before", "")))
    coming, past = rows(found)
    context = {
        "slug": slug,
        "today": found.today,
        "crumbs": [{"label": _("Subscriptions"), "href": reverse("subscriptions", args=[slug])}],
        "row": found.subscription,
        "state": state_of(found.subscription),
        "coming": coming,
        "past": past,
        "earlier": found.earlier,
        "newest": "before" not in request.GET,
    }
    return TemplateResponse(request, "billing/history.html", context)


def _day(text: str) -> date | None:
    """A day of the address; what is none is left out."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None

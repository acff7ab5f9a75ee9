"""Webhooks: the list, one with what it was told, its secret, tests and replays."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.errors import AppError
from core.pages import at_fields, attempt, missing
from core.paging import CURSOR, Address
from core.web import page
from integrations import selectors
from integrations.forms import EndpointForm
from integrations.models import Endpoint
from integrations.permissions import WEBHOOKS_EDIT, WEBHOOKS_VIEW
from integrations.services import endpoints
from integrations.services.deliver import body_of
from tenants.selectors import entity


def _crumbs(slug: str, *, inside: bool = False) -> list[dict[str, str]]:
    crumbs = [{"label": _("Settings"), "href": reverse("settings", args=[slug])}]
    if inside:
        crumbs.append({"label": _("Webhooks"), "href": reverse("webhooks", args=[slug])})
    return crumbs


@page(WEBHOOKS_VIEW)
@require_safe
def webhooks_page(request: HttpRequest, slug: str) -> HttpResponse:
    context = {
        "slug": slug,
        "crumbs": _crumbs(slug),
        "rows": selectors.webhooks(),
        "no_edit": missing(WEBHOOKS_EDIT),
    }
    return TemplateResponse(request, "integrations/webhooks.html", context)


@page(WEBHOOKS_EDIT, several=("events",))
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def webhook_new(request: HttpRequest, slug: str) -> HttpResponse:
    if request.method != "POST":
        return _form(request, slug, EndpointForm())
    form = EndpointForm(request.POST)
    if not form.is_valid():
        return _form(request, slug, form, status=422)
    with attempt() as outcome:
        fresh = endpoints.add(**form.given())
    if outcome.error:
        return _refused(request, slug, form, outcome.error)
    return _page(request, slug, fresh.endpoint, secret=fresh.secret)


@page(WEBHOOKS_EDIT, several=("events",))
@require_http_methods(["GET", "HEAD", "POST"])
def webhook_edit(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    row = selectors.webhook(public_id)
    if request.method != "POST":
        return _form(request, slug, EndpointForm(initial=EndpointForm.of(row)), row=row)
    form = EndpointForm(request.POST)
    if not form.is_valid():
        return _form(request, slug, form, row=row, status=422)
    with attempt() as outcome:
        endpoints.change(public_id, version=form.cleaned_data["version"] or 0, **form.given())
        messages.success(request, _("Saved"))
    if outcome.error:
        return _refused(request, slug, form, outcome.error, row=row)
    return redirect("webhook", slug, public_id)


def _refused(
    request: HttpRequest, slug: str, form: EndpointForm, error: AppError, *, row: Endpoint | None = None
) -> HttpResponse:
    if not at_fields(form, error):
        form.add_error(None, error.message)
    return _form(request, slug, form, row=row, status=error.status)


def _form(
    request: HttpRequest, slug: str, form: EndpointForm, *, row: Endpoint | None = None, status: int = 200
) -> TemplateResponse:
    context = {"slug": slug, "crumbs": _crumbs(slug, inside=True), "form": form, "row": row}
    return TemplateResponse(request, "integrations/form.html", context, status=status)


@page(WEBHOOKS_VIEW)
@require_safe
def webhook_page(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    return _page(request, slug, selectors.webhook(public_id))


def _page(
    request: HttpRequest, slug: str, row: Endpoint, *, secret: str = "", error: AppError | None = None
) -> TemplateResponse:
    address = Address.of(request.GET, ["state"])
    part, told = selectors.deliveries(
        row, state=address.given.get("state", ""), cursor=request.GET.get(CURSOR, "")
    )
    context: dict[str, Any] = {
        "slug": slug,
        "crumbs": _crumbs(slug, inside=True),
        "row": row,
        "secret": secret,
        "error": error,
        "told": [{"each": each, "sent": body_of(each.row.event, thin=row.thin).decode()} for each in told],
        "state": address.given.get("state", ""),
        "zone": entity().zone,
        "newer": address.page(part.newer),
        "older": address.page(part.older),
        "no_edit": missing(WEBHOOKS_EDIT),
    }
    return TemplateResponse(
        request, "integrations/webhook.html", context, status=error.status if error else 200
    )


@page(WEBHOOKS_EDIT)
@never_cache
@require_POST
def webhook_roll(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    fresh = endpoints.roll_secret(public_id)
    return _page(request, slug, fresh.endpoint, secret=fresh.secret)


@page(WEBHOOKS_EDIT)
@require_POST
def webhook_off(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    endpoints.set_off(public_id, off=True)
    messages.success(request, _("It is told nothing any more"))
    return redirect("webhook", slug, public_id)


@page(WEBHOOKS_EDIT)
@require_POST
def webhook_on(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    endpoints.set_off(public_id, off=False)
    messages.success(request, _("It is on again"))
    return redirect("webhook", slug, public_id)


@page(WEBHOOKS_EDIT)
@require_POST
def webhook_ping(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    endpoints.ping(public_id)
    messages.success(request, _("A test is on its way; reload to see what was answered"))
    return redirect("webhook", slug, public_id)


@page(WEBHOOKS_EDIT)
@require_POST
def webhook_drop(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    messages.success(request, _("%(url)s is taken away") % {"url": endpoints.drop(public_id)})
    return redirect("webhooks", slug)


@page(WEBHOOKS_EDIT)
@require_POST
def delivery_replay(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    row = selectors.delivery(public_id).endpoint
    with attempt() as outcome:
        endpoints.replay(public_id)
        messages.success(request, _("It is told once more"))
    if outcome.error:
        return _page(request, slug, row, error=outcome.error)
    return redirect("webhook", slug, row.public_id)

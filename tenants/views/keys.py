"""API keys and the log of their requests."""

import json
from datetime import timedelta
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core import clock
from core.errors import AppError
from core.pages import at_fields, attempt, missing
from core.paging import CURSOR, Address
from core.web import page
from tenants import selectors
from tenants.forms import KeyForm, RequestFilterForm
from tenants.permissions import KEYS_EDIT, KEYS_VIEW
from tenants.services import keys
from tenants.views.rights import HEADS, rights_table

OLD, UNUSED = timedelta(days=180), timedelta(days=90)
"""After so long a key should be rolled, or asked whether it is still needed."""
FILTERS = ("key", "outcome", "path", "request")


@page(KEYS_VIEW)
@require_safe
def keys_page(request: HttpRequest, slug: str) -> HttpResponse:
    return _page(request, slug)


def _page(
    request: HttpRequest, slug: str, *, fresh: keys.Fresh | None = None, error: AppError | None = None
) -> TemplateResponse:
    now = clock.wall()
    rows = [
        {
            "row": row,
            "over": row.revoked_at or (row.expires_at and row.expires_at <= now),
            "advice": _advice(row, now),
            "used": row.used_at,
        }
        for row in cast("list[Any]", selectors.api_keys())
    ]
    context = {
        "slug": slug,
        "crumbs": [{"label": _("Settings"), "href": reverse("settings", args=[slug])}],
        "rows": sorted(rows, key=lambda each: bool(each["over"])),
        "fresh": fresh,
        "error": error,
        "no_edit": missing(KEYS_EDIT),
    }
    return TemplateResponse(request, "tenants/keys.html", context, status=error.status if error else 200)


def _advice(row: Any, now: Any) -> str:
    """What should be done about a key that is alive."""
    last = row.used_at or row.created_at
    if now - last > UNUSED:
        return _("not used for long: still needed?")
    if now - row.created_at > OLD:
        return _("old: time to roll it")
    return ""


@page(KEYS_EDIT, several=("rights",))
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def key_new(request: HttpRequest, slug: str) -> HttpResponse:
    if request.method != "POST":
        return _form(request, slug, KeyForm(), rights=frozenset())
    form = KeyForm(request.POST)
    rights = frozenset(request.POST.getlist("rights"))
    if not form.is_valid():
        return _form(request, slug, form, rights=rights, status=422)
    with attempt() as outcome:
        fresh = keys.make(**form.given(selectors.entity().zone))
    if outcome.error:
        if not at_fields(form, outcome.error):
            form.add_error(None, outcome.error.message)
        return _form(request, slug, form, rights=rights, status=outcome.status)
    return _page(request, slug, fresh=fresh)


def _form(
    request: HttpRequest, slug: str, form: KeyForm, *, rights: frozenset[str], status: int = 200
) -> TemplateResponse:
    settings_crumb = {"label": _("Settings"), "href": reverse("settings", args=[slug])}
    context = {
        "slug": slug,
        "crumbs": [settings_crumb, {"label": _("API keys"), "href": reverse("keys", args=[slug])}],
        "form": form,
        "heads": HEADS,
        "table": rights_table(rights, fixed=False),
    }
    return TemplateResponse(request, "tenants/key_new.html", context, status=status)


@page(KEYS_EDIT)
@never_cache
@require_POST
def key_roll(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    with attempt() as outcome:
        fresh = keys.roll(public_id)
    if outcome.error:
        return _page(request, slug, error=outcome.error)
    return _page(request, slug, fresh=fresh)


@page(KEYS_EDIT)
@require_POST
def key_revoke(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    with attempt() as outcome:
        messages.success(
            request, _("%(name)s opens nothing any more") % {"name": keys.revoke(public_id).name}
        )
    return _page(request, slug, error=outcome.error) if outcome.error else redirect("keys", slug)


def _pretty(value: Any) -> str:
    return "" if value is None else json.dumps(value, indent=2, ensure_ascii=False)


@page(KEYS_VIEW)
@require_safe
def requests_page(request: HttpRequest, slug: str) -> HttpResponse:
    form = RequestFilterForm(request.GET)
    address = Address.of(request.GET, FILTERS)
    part = selectors.api_requests(form.wanted(), request.GET.get(CURSOR, ""))
    settings_crumb = {"label": _("Settings"), "href": reverse("settings", args=[slug])}
    context = {
        "slug": slug,
        "crumbs": [settings_crumb, {"label": _("API keys"), "href": reverse("keys", args=[slug])}],
        "rows": [
            {"row": row, "sent": _pretty(row.body), "answered": _pretty(row.problem)} for row in part.rows
        ],
        "keys": selectors.api_keys(),
        "wanted": form.wanted(),
        "zone": selectors.entity().zone,
        "filtered": bool(address.given),
        "newer": address.page(part.newer),
        "older": address.page(part.older),
    }
    return TemplateResponse(request, "tenants/requests.html", context)

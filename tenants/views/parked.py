"""Work that keeps failing: what is parked, why, and having it tried again."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from core import clock
from core.errors import Invalid
from core.pages import missing
from core.parked import EFFECT, EVENT, Parked, parked, retry
from core.templatetags.fmt import clocktime, count, shortdate
from core.timeline import Named, link, named
from core.web import page
from tenants.permissions import SYSTEM_RETRY, SYSTEM_VIEW
from tenants.selectors import entity

_LARGEST_ID = 2**63


@page(SYSTEM_VIEW)
@require_safe
def parked_page(request: HttpRequest, slug: str) -> TemplateResponse:
    zone = ZoneInfo(entity().zone)
    found = parked()
    names = named(slug, (row.about for kind in found for row in kind.rows if row.about))
    context = {
        "slug": slug,
        "kinds": [{"kind": kind, "rows": [_row(row, names, zone) for row in kind.rows]} for kind in found],
        "crumbs": [{"label": _("Settings"), "href": link("settings", slug)}],
        "no_retry": missing(SYSTEM_RETRY),
    }
    return TemplateResponse(request, "tenants/parked.html", context)


def _row(row: Parked, names: dict[str, Named], zone: ZoneInfo) -> dict[str, Any]:
    known = names.get(row.about)
    return {
        "row": row,
        "about": known.label if known else row.about,
        "href": known.href if known else "",
        "since": _when(row.since, zone),
        "retried": [{"who": move.actor, "when": _when(move.at, zone)} for move in row.retried],
    }


def _when(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{shortdate(local.date(), clock.today(str(zone)))} {clocktime(local.time())}"


@page(SYSTEM_RETRY)
@require_POST
def parked_retry(request: HttpRequest, slug: str) -> HttpResponse:
    """`one` names a row, `all` a kind; what is parked no longer is left alone."""
    done = _retried(request.POST.get("one", ""), request.POST.get("all", ""))
    if done:
        sentence = ngettext("%(n)s is tried again", "%(n)s are tried again", done)
        messages.success(request, sentence % {"n": count(done)})
    else:
        messages.info(request, _("Nothing of that is parked any more."))
    return redirect("parked", slug)


def _retried(one: str, every: str) -> int:
    what, _colon, rest = (one or every).partition(":")
    if what not in {EVENT, EFFECT}:
        raise Invalid(_("Say what is to be tried again."))
    if every and not one:
        return retry(what, kind=rest[:80].replace("\0", ""))
    if not rest.isascii() or not rest.isdigit() or int(rest[:20]) >= _LARGEST_ID:
        raise Invalid(_("Say what is to be tried again."))
    return retry(what, row_id=int(rest))

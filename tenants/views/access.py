"""The access log on its page and as a file."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from core import clock
from core.exports import Column, TooManyRows, csv_file, in_chunks
from core.pages import missing
from core.paging import CURSOR, Address, paged
from core.web import page
from tenants.access import KINDS, LOOKED_AT, NEWEST, Shown, events, shown, unusual
from tenants.forms import AccessFilterForm
from tenants.permissions import AUDIT_EXPORT, AUDIT_VIEW
from tenants.selectors import entity, members

FILTERS = ("who", "kind", "address", "start", "end", "unusual")


@page(AUDIT_VIEW)
@require_safe
def access_page(request: HttpRequest, slug: str) -> HttpResponse:
    zone = entity().zone
    wanted = AccessFilterForm(request.GET).wanted(zone)
    address = Address.of(request.GET, FILTERS)
    part = None if wanted.unusual else paged(events(wanted), NEWEST, request.GET.get(CURSOR, ""))
    people = [(member.public_id, member.name) for member in members()]
    context = {
        "slug": slug,
        "crumbs": [{"label": _("Settings"), "href": reverse("settings", args=[slug])}],
        "rows": shown(part.rows, zone) if part else unusual(wanted, zone),
        "wanted": wanted,
        "start": address.given.get("start", ""),
        "end": address.given.get("end", ""),
        "selects": [
            ("who", _("Anybody"), wanted.who, people),
            ("kind", _("Anything"), wanted.kind, list(KINDS.items())),
        ],
        "looked_at": LOOKED_AT,
        "filtered": bool(address.given),
        "query": address.href().removeprefix("?"),
        "all_href": address.href(unusual=""),
        "unusual_href": address.href(unusual="1"),
        "newer": address.page(part.newer) if part else "",
        "older": address.page(part.older) if part else "",
        "no_export": missing(AUDIT_EXPORT),
    }
    return TemplateResponse(request, "tenants/access.html", context)


@page(AUDIT_EXPORT)
@require_safe
def access_csv(request: HttpRequest, slug: str) -> HttpResponse:
    zone = entity().zone
    wanted = AccessFilterForm(request.GET).wanted(zone)
    try:
        lines = (
            unusual(wanted, zone)
            if wanted.unusual
            else [line for chunk in in_chunks(events(wanted)) for line in shown(chunk, zone)]
        )
    except TooManyRows as error:
        messages.warning(request, error.message)
        return redirect(f"{reverse('access', args=[slug])}{Address.of(request.GET, FILTERS).href()}")
    return csv_file(f"access-{clock.today(zone).isoformat()}", _columns(), lines)


def _columns() -> list[Column]:
    def why(line: Shown) -> str:
        return "; ".join(line.why)

    return [
        Column(_("When"), lambda line: line.row.at),
        Column(_("Who"), lambda line: line.row.who),
        Column(_("What"), lambda line: line.what),
        Column(_("Page"), lambda line: line.row.detail),
        Column(_("Address"), lambda line: line.row.address),
        Column(_("Program"), lambda line: line.row.agent),
        Column(_("Request"), lambda line: line.row.request_id),
        Column(_("Unusual"), why),
    ]

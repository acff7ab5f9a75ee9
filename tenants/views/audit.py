"""The audit: of one record, of everything, and as a file."""

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from core import clock, seals
from core.exports import Column, TooManyRows, csv_file, in_chunks
from core.pages import missing
from core.paging import CURSOR, Address, paged
from core.scope import require
from core.templatetags.fmt import clocktime, longdate
from core.timeline import link, named
from core.trail import ACTIONS, NEWEST, ORIGINS, Wanted, audited, entries, of_record, record, subject_of
from core.trail_words import FieldChange, Told, tell
from core.web import page
from tenants.forms import AuditFilterForm
from tenants.permissions import AUDIT_EXPORT, AUDIT_VIEW
from tenants.selectors import entity, members

FILTERS = ("who", "kind", "action", "origin", "start", "end", "record")


@page(AUDIT_VIEW)
@require_safe
def audit_page(request: HttpRequest, slug: str) -> HttpResponse:
    zone = entity().zone
    wanted = AuditFilterForm(request.GET).wanted(zone)
    address = Address.of(request.GET, FILTERS)
    part = paged(entries(wanted), NEWEST, request.GET.get(CURSOR, ""))
    context = {
        "slug": slug,
        "crumbs": [{"label": _("Settings"), "href": reverse("settings", args=[slug])}],
        "rows": tell(part.rows, slug, zone),
        "wanted": wanted,
        "start": address.given.get("start", ""),
        "end": address.given.get("end", ""),
        "selects": _selects(wanted),
        "filtered": bool(address.given),
        "query": address.href().removeprefix("?"),
        "sealed": _sealed(zone),
        "newer": address.page(part.newer),
        "older": address.page(part.older),
        "no_export": missing(AUDIT_EXPORT),
    }
    return TemplateResponse(request, "tenants/audit.html", context)


def _selects(wanted: Wanted) -> list[tuple[str, str, str, list[tuple[str, Any]]]]:
    """Name, label, what is chosen and what can be, of each list of choices."""
    people = [(member.public_id, member.name) for member in members()]
    programs = [("key", _("API keys")), ("link", _("Links")), ("system", _("The product itself"))]
    kinds = sorted((str(subject_of(model).label), name) for name, model in audited().items())
    return [
        ("who", _("Anybody"), wanted.who, [*people, *programs, ("owner", _("The database's owner"))]),
        ("kind", _("Any record"), wanted.kind, [(name, word) for word, name in kinds]),
        ("action", _("Any change"), wanted.action, list(ACTIONS.values())),
        ("origin", _("From anywhere"), wanted.origin, list(ORIGINS.items())),
    ]


def _sealed(zone: str) -> dict[str, Any] | None:
    found = seals.last_seal()
    if found is None:
        return None
    number, at = found
    local = at.astimezone(ZoneInfo(zone))
    return {"number": number, "when": f"{longdate(local.date())} {clocktime(local.time())}"}


@page(AUDIT_VIEW)
@require_safe
def record_page(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    row, subject = record(public_id)
    require(subject.permission)
    part = paged(of_record(row, subject), NEWEST, request.GET.get(CURSOR, ""))
    place = named(slug, [public_id]).get(public_id)
    told = tell(part.rows, slug, entity().zone)
    about = next((each.about for each in told if each.public_id == public_id), "")
    name = (place.label if place else "") or str(getattr(row, "name", "")) or about or public_id
    href = link(subject.url_name, slug, public_id) or link(subject.url_name, slug)
    context = {
        "slug": slug,
        "crumbs": [{"label": name, "href": href}],
        "name": name,
        "kind": subject.label,
        "href": href,
        "rows": told,
        "newer": Address().page(part.newer),
        "older": Address().page(part.older),
    }
    return TemplateResponse(request, "tenants/record_audit.html", context)


@page(AUDIT_EXPORT)
@require_safe
def audit_csv(request: HttpRequest, slug: str) -> HttpResponse:
    """What the filters mean as a file, one line for each changed field, oldest first."""
    zone = entity().zone
    found = entries(AuditFilterForm(request.GET).wanted(zone))
    try:
        lines = [line for chunk in in_chunks(found) for line in _lines(tell(chunk, slug, zone))]
    except TooManyRows as error:
        messages.warning(request, error.message)
        return redirect(f"{reverse('audit', args=[slug])}{Address.of(request.GET, FILTERS).href()}")
    return csv_file(f"audit-{clock.today(zone).isoformat()}", _columns(), lines)


def _lines(rows: list[Told]) -> Iterator[tuple[Told, FieldChange]]:
    for each in rows:
        for change in each.fields or [FieldChange("", "", "")]:
            yield each, change


def _columns() -> list[Column]:
    return [
        Column(_("When"), lambda line: line[0].at),
        Column(_("Who"), lambda line: line[0].who),
        Column(_("From"), lambda line: line[0].origin),
        Column(_("Request"), lambda line: line[0].request),
        Column(_("Record"), lambda line: line[0].kind),
        Column(_("Name"), lambda line: line[0].about),
        Column(_("Id"), lambda line: line[0].public_id),
        Column(_("Change"), lambda line: line[0].word),
        Column(_("Records"), lambda line: line[0].count),
        Column(_("Field"), lambda line: line[1].label),
        Column(_("Before"), lambda line: line[1].old),
        Column(_("After"), lambda line: line[1].new),
    ]

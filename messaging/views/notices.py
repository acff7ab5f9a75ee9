"""What a member is told: the bell, its panel, the whole list, and how they want to be told."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages as flash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from core import clock
from core.pages import attempt
from core.paging import CURSOR, Address, Chip, Order, paged
from core.scope import current
from core.templatetags.fmt import clocktime, shortdate
from core.web import page
from messaging import bell
from messaging.domain.ways import HOUR, Way
from messaging.models import Notification
from messaging.notices import GROUPS, PRODUCT, kinds, may_see, way_of
from messaging.services import seen
from messaging.services.notify import KEPT
from tenants.permissions import HOME_VIEW
from tenants.rights import acting_member
from tenants.selectors import entity

NEWEST = Order("pk", int, descending=True)
FILTERS = ("show", "group")
IN_PANEL = 8
WAYS = {
    Way.MAIL: gettext_lazy("Bell and a mail at once"),
    Way.DIGEST: gettext_lazy("Bell and the daily digest"),
    Way.BELL: gettext_lazy("Bell"),
    Way.NONE: gettext_lazy("Not at all"),
}


def _rows(rows: list[Notification], slug: str) -> list[dict[str, Any]]:
    zone = entity().zone
    local, today = ZoneInfo(zone), clock.today(zone)
    found = []
    for line in bell.lines(rows, slug):
        at = line.at.astimezone(local)
        when = clocktime(at.time())
        if at.date() != today:
            when = f"{shortdate(at.date(), today)} {when}"
        found.append({"line": line, "when": when, "iso": at.isoformat()})
    return found


@page(HOME_VIEW)
@require_safe
def bell_count(request: HttpRequest, slug: str) -> TemplateResponse:
    """How many are new; said aloud when they are more than the page knew of (`n`)."""
    known = request.GET.get("n", "")
    n = bell.unread(acting_member().pk)
    more = known.isascii() and known.isdigit() and len(known) <= 3 and n > int(known)  # noqa: PLR2004
    context = {"slug": slug, "n": n, "shown": min(n, bell.MOST), "said": bell.counted(n), "more": more}
    return TemplateResponse(request, "messaging/parts/bell.html", {**context, "over": n > bell.MOST})


@page(HOME_VIEW)
@require_safe
def panel(request: HttpRequest, slug: str) -> TemplateResponse:
    """The newest, for the panel under the bell."""
    return _panel(request, slug)


def _panel(request: HttpRequest, slug: str) -> TemplateResponse:
    found = list(bell.mine(acting_member().pk).order_by("-pk")[:IN_PANEL])
    context = {"slug": slug, "rows": _rows(found, slug), "any_new": any(row.read_at is None for row in found)}
    return TemplateResponse(request, "messaging/parts/panel.html", context)


@page(HOME_VIEW)
@require_safe
def notifications_page(request: HttpRequest, slug: str) -> TemplateResponse:
    return _list(request, slug)


def _list(request: HttpRequest, slug: str) -> TemplateResponse:
    address = Address.of(request.GET, FILTERS)
    every = address.given.get("show") == "all"
    groups = {str(number): group for number, group in enumerate(GROUPS) if group is not PRODUCT}
    wanted = address.given.get("group", "")
    found = bell.mine(acting_member().pk)
    if not every:
        found = found.filter(read_at=None)
    if wanted in groups:
        found = found.filter(kind__in=[kind.name for kind in kinds.values() if kind.group == groups[wanted]])
    part = paged(found, NEWEST, request.GET.get(CURSOR, ""))
    context = {
        "slug": slug,
        "rows": _rows(part.rows, slug),
        "tabs": [
            {"label": _("New"), "href": address.href(show=""), "current": not every},
            {"label": _("All"), "href": address.href(show="all"), "current": every},
        ],
        "chips": [
            Chip(str(label), address.href(group=number))
            for number, label in groups.items()
            if number != wanted
        ],
        "on": [Chip(str(groups[wanted]), address.href(group=""))] if wanted in groups else [],
        "every": every,
        "here": request.get_full_path(),
        "days": KEPT.days,
        "newer": address.page(part.newer),
        "older": address.page(part.older),
    }
    return TemplateResponse(request, "messaging/notifications.html", context)


def _back(request: HttpRequest, slug: str) -> HttpResponse:
    """To where the member was; nowhere else than in this house."""
    to = request.POST.get("next", "")
    own = to.startswith(f"/o/{slug}/") and url_has_allowed_host_and_scheme(to, allowed_hosts=None)
    return redirect(to) if own else redirect("notifications", slug)


@page(HOME_VIEW)
@require_POST
def notification_read(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Mark one as read; a script that asks gets no page."""
    seen.read(public_id)
    if request.headers.get("X-Requested-With") == "fetch":
        return HttpResponse(status=204)
    return _back(request, slug)


@page(HOME_VIEW)
@require_POST
def notifications_read(request: HttpRequest, slug: str) -> HttpResponse:
    """Mark what was on the screen, and what is older, as read."""
    seen.read_all(request.POST.get("upto", "")[:40].replace("\0", ""))
    if request.headers.get("HX-Request"):
        answer = _panel(request, slug)
        answer.headers["HX-Trigger"] = "bell"
        return answer
    return _back(request, slug)


@page(HOME_VIEW)
@require_safe
def choices_page(request: HttpRequest, slug: str) -> TemplateResponse:
    return _choices(request, slug)


def _choices(
    request: HttpRequest, slug: str, *, errors: dict[str, Any] | None = None, status: int = 200
) -> TemplateResponse:
    chosen = bell.chosen_by(acting_member().pk) | ({} if errors is None else request.POST.dict())
    rights = current().permissions
    sections = [
        {
            "label": group,
            "rows": [
                {
                    "kind": kind,
                    "ways": [(str(way), WAYS[way]) for way in kind.ways],
                    "chosen": str(way_of(kind, chosen.get(kind.name))),
                    "always": WAYS[kind.way],
                    "error": (errors or {}).get(kind.name, ""),
                }
                for kind in kinds.values()
                if kind.group == group and may_see(kind, rights)
            ],
        }
        for group in GROUPS
    ]
    context = {
        "slug": slug,
        "sections": [each for each in sections if each["rows"]],
        "errors": errors,
        "hour": clocktime(HOUR),
        "zone": entity().zone,
        "days": KEPT.days,
        "crumbs": [{"label": _("Notifications"), "href": redirect("notifications", slug).url}],
    }
    return TemplateResponse(request, "messaging/choices.html", context, status=status)


@page(HOME_VIEW)
@require_POST
def choices_save(request: HttpRequest, slug: str) -> HttpResponse:
    """All choices of the form, or none with the reasons."""
    given = {name: str(way) for name, way in request.POST.items() if name != "csrfmiddlewaretoken"}
    with attempt() as outcome:
        seen.choose(given)
    if outcome.error:
        fields = getattr(outcome.error, "fields", {}) or {"": outcome.error.message}
        return _choices(request, slug, errors=fields, status=outcome.status)
    flash.success(request, _("Saved"))
    return redirect("notification-choices", slug)

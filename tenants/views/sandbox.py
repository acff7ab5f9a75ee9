"""The sandbox: made from the live organization, opened from the header, and its settings."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core import jobs
from core.errors import AppError
from core.pages import attempt, missing
from core.sandbox import is_sandbox
from core.scope import work
from core.templatetags.fmt import clocktime, longdate
from core.web import page
from tenants.forms import AdvanceForm
from tenants.permissions import SANDBOX_MANAGE, SANDBOX_USE
from tenants.selectors import entity, organization
from tenants.services import copying, sandbox_clock
from tenants.services.sandbox import begin_anew, make_sandbox
from tenants.twins import other_side

FAST, SLOW, FAST_POLLS = 1, 5, 60


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


@page(SANDBOX_USE)
@require_safe
def clock_part(request: HttpRequest, slug: str) -> HttpResponse:
    """How far the clock is, polled while it is moved; when it is over the whole page is loaded once more."""
    context = {"slug": slug, **_clock(polled(request))}
    answer = TemplateResponse(request, "tenants/parts/sandbox_clock.html", context)
    if not context["moving"]:
        answer["HX-Refresh"] = "true"
    return answer


def polled(request: HttpRequest) -> int:
    """Which poll of a part of a page this is."""
    polls = request.GET.get("polls", "")
    return int(polls) + 1 if polls.isascii() and polls.isdigit() and len(polls) < 6 else 1  # noqa: PLR2004


@page(SANDBOX_MANAGE, phased=True)
@require_POST
def clock_advance(request: HttpRequest, slug: str) -> HttpResponse:
    form = AdvanceForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data
        with work(), attempt() as outcome:
            if said["to"]:
                sandbox_clock.advance_to_day(said["to"])
            else:
                sandbox_clock.advance(by=timedelta(days=said["days"]))
        if not outcome.error:
            return redirect("sandbox", slug)
        fields = getattr(outcome.error, "fields", None) or {None: outcome.error.message}
        for name, message in fields.items():
            form.add_error(name, message)
        return _page(request, slug, form=form, status=outcome.status)
    return _page(request, slug, form=form, status=422)


@page(SANDBOX_MANAGE)
@require_POST
def clock_stop(request: HttpRequest, slug: str) -> HttpResponse:
    """The clock stays where it is after its step."""
    moving = sandbox_clock.clock().job
    if moving:
        jobs.cancel(moving.public_id)
    return redirect("sandbox", slug)


@page(SANDBOX_MANAGE, phased=True)
@require_POST
def copy_in(request: HttpRequest, slug: str) -> HttpResponse:
    with work(), attempt() as outcome:
        copying.start(customers=request.POST.get("customers") == "on")
        messages.success(request, _("The live organization is being copied in"))
    return _page(request, slug, error=outcome.error) if outcome.error else redirect("sandbox", slug)


@page(SANDBOX_MANAGE, phased=True)
@require_POST
def sandbox_anew(request: HttpRequest, slug: str) -> HttpResponse:
    """Test data goes with the sandbox it is in; another one begins, under the same address."""
    try:
        made = begin_anew(request.POST.get("sandbox", ""))
    except AppError as error:
        return _page(request, slug, error=error)
    messages.success(request, _("This is another sandbox. The old one, with its data and keys, is put away."))
    return redirect("sandbox", made.slug)


def _clock(polls: int = 0) -> dict[str, Any]:
    """What the page says of the clock. Inside work()."""
    found, zone = sandbox_clock.clock(), ZoneInfo(entity().zone)
    job = found.job or sandbox_clock.last_move()
    return {
        "shown": _when(found.now, zone),
        "ahead_days": found.ahead.days,
        "moving": found.target is not None,
        "target": _when(found.target, zone) if found.target else "",
        "job": job,
        "parts": [
            {"share": job.done, "tone": "ok"},
            {"share": job.total - job.done, "tone": "none"},
        ]
        if job
        else [],
        "polls": polls,
        "pause": FAST if polls < FAST_POLLS else SLOW,
    }


def _when(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{longdate(local.date())} {clocktime(local.time())}"


def _page(
    request: HttpRequest,
    slug: str,
    *,
    error: AppError | None = None,
    form: AdvanceForm | None = None,
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
            "form": form or AdvanceForm(),
            "no_manage": missing(SANDBOX_MANAGE),
        }
        if context["here"]:
            context |= _clock()
            context |= {"copied": copying.last(), "own": organization(), "no_people": copying.missing_right()}
        answer = TemplateResponse(
            request, "tenants/sandbox.html", context, status=error.status if error else status
        )
        return answer.render()

"""Billing runs: their list, one run while it goes on, and starting one after a preview."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.timezone import make_naive
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from billing.counted import corrected_by
from billing.forms import RunForm
from billing.listing import NEWEST, billed_by, held_by, run, run_figures, runs
from billing.permissions import RUNS_START, RUNS_VIEW
from billing.previews import run_preview
from billing.services.start import start_run
from core import clock
from core.money import Money
from core.pages import Outcome, at_fields, attempt, missing
from core.paging import paged
from core.web import page
from tenants.selectors import entity

FAST, SLOW = 1, 5
FAST_POLLS = 30
"""A poll a second at first, then one in five: a run of a minute looks alive, a long one costs little."""


@page(RUNS_VIEW)
@require_GET
def runs_page(request: HttpRequest, slug: str) -> HttpResponse:
    today = clock.today(entity().zone)
    return _runs(request, slug, RunForm(today=today))


def _runs(request: HttpRequest, slug: str, form: RunForm, outcome: Outcome | None = None) -> HttpResponse:
    part = paged(runs(), NEWEST, request.GET.get("page", ""))
    context = {
        "slug": slug,
        "today": form.today,
        "rows": part.rows,
        "newer": f"?page={part.newer}" if part.newer else "",
        "older": f"?page={part.older}" if part.older else "",
        "form": form,
        "reopen": form.is_bound,
        "error": outcome.error if outcome else None,
        "no_start": missing(RUNS_START),
    }
    status = outcome.status if outcome and outcome.error else 422 if form.errors else 200
    return TemplateResponse(request, "billing/runs.html", context, status=status)


@page(RUNS_START)
@require_POST
def run_start(request: HttpRequest, slug: str) -> HttpResponse:
    """Put the run on the worker's list and show its page; nothing waits for it here."""
    today = clock.today(entity().zone)
    form = RunForm(request.POST, today=today)
    if not form.is_valid():
        return _runs(request, slug, form)
    with attempt() as outcome:
        started = start_run(form.cleaned_data["as_of"], today=today, key=form.cleaned_data["key"])
    if outcome.error:
        at_fields(form, outcome.error)
        return _runs(request, slug, form, outcome)
    return redirect("run", slug, started.public_id)


@page(RUNS_START)
@require_POST
def preview_of_run(request: HttpRequest, slug: str) -> HttpResponse:
    """What a run for the day would bill, by the run's own function; writes nothing."""
    form = RunForm(request.POST, today=clock.today(entity().zone))
    form.fields["key"].required = False
    context: dict[str, Any] = {"slug": slug, "form": form}
    if form.is_valid():
        context["preview"] = run_preview(form.cleaned_data["as_of"])
    return TemplateResponse(request, "billing/parts/preview.html", context)


@page(RUNS_VIEW)
@require_GET
def run_page(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    row = run(public_id)
    part = paged(billed_by(row), NEWEST, request.GET.get("page", ""))
    context = {
        **_progress(row, slug, polls=0),
        "crumbs": [{"label": _("Billing runs"), "href": reverse("runs", args=[slug])}],
        "billed": [
            {
                "row": each,
                "amount": Money(each.amount_minor, each.document.currency),
                "last_day": each.period_end - timedelta(days=1),
            }
            for each in part.rows
        ],
        "corrected": [
            {
                "row": each,
                "amount": Money(each.amount_minor, each.item.price.currency),
                "last_day": each.period.period_end - timedelta(days=1),
            }
            for each in corrected_by(row)
        ],
        "newer": f"?page={part.newer}" if part.newer else "",
        "older": f"?page={part.older}" if part.older else "",
    }
    return TemplateResponse(request, "billing/run.html", context)


@page(RUNS_VIEW)
@require_GET
def run_progress(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """How far the run is, polled while it goes on; when it is over the whole page is loaded once more."""
    row = run(public_id)
    polls = request.GET.get("polls", "")
    number = int(polls) + 1 if polls.isascii() and polls.isdigit() and len(polls) < 6 else 1  # noqa: PLR2004
    answer = TemplateResponse(request, "billing/parts/progress.html", _progress(row, slug, polls=number))
    if row.state != "running":
        answer["HX-Refresh"] = "true"
    return answer


def _progress(row: Any, slug: str, *, polls: int) -> dict[str, Any]:
    figures = run_figures(row)
    zone = entity().zone
    return {
        "slug": slug,
        "today": clock.today(zone),
        "finished": make_naive(row.finished_at, ZoneInfo(zone)) if row.finished_at else None,
        "run": row,
        "running": row.state == "running",
        "polls": polls,
        "pause": FAST if polls < FAST_POLLS else SLOW,
        "figures": figures,
        "held": held_by(row),
        "parts": [
            {"share": row.documents, "tone": "ok"},
            {"share": row.held, "tone": "warn"},
            {"share": figures.to_go, "tone": "none"},
        ],
        "no_start": missing(RUNS_START),
    }

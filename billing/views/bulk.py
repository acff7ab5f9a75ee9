"""Changing many subscriptions at once: asked, looked at without writing anything, confirmed, and told of each."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from billing.bulk_forms import BulkChangeForm
from billing.bulk_listing import (
    IN_ORDER,
    OUTCOMES,
    BulkFigures,
    bulk_change,
    bulk_changes,
    bulk_items,
    figures,
    job_of,
    state_of,
)
from billing.bulk_words import OUTCOME_LOOKS, becomes_text, columns, title_of
from billing.forms import SubscriptionFilterForm
from billing.listing import NEWEST, prices, subscriptions
from billing.models import DONE, FITS, ONCE, REFUSED, UNFIT, BulkChange, BulkChangeItem
from billing.permissions import SUBSCRIPTIONS_EDIT, SUBSCRIPTIONS_VIEW
from billing.services import bulk_jobs
from billing.views.runs import FAST, FAST_POLLS, SLOW
from billing.words import amount_text
from core import clock
from core.errors import AppError, Invalid
from core.exports import csv_file, in_chunks
from core.fields import FormKey, fresh_key
from core.money import Money
from core.pages import at_fields, attempt, missing
from core.paging import paged
from core.web import page
from tenants.selectors import entity

MAX_CHOSEN = 200
"""As many as can be ticked; more are found by the filter."""


def _today() -> date:
    return clock.today(entity().zone)


def _crumbs(slug: str, *, several: bool = False) -> list[dict[str, str]]:
    found = [{"label": _("Subscriptions"), "href": reverse("subscriptions", args=[slug])}]
    return (
        [*found, {"label": _("Bulk changes"), "href": reverse("bulk-changes", args=[slug])}]
        if several
        else found
    )


@page(SUBSCRIPTIONS_VIEW)
@require_GET
def bulk_changes_page(request: HttpRequest, slug: str) -> HttpResponse:
    part = paged(bulk_changes(), NEWEST, request.GET.get("page", ""))
    context = {
        "slug": slug,
        "today": _today(),
        "crumbs": _crumbs(slug),
        "rows": [
            {"row": each, "title": title_of(each), "state": state_of(each), "job": job_of(each)}
            for each in part.rows
        ],
        "newer": f"?page={part.newer}" if part.newer else "",
        "older": f"?page={part.older}" if part.older else "",
    }
    return TemplateResponse(request, "billing/bulk_changes.html", context)


@page(SUBSCRIPTIONS_EDIT, several=("chosen",))
@require_POST
def bulk_new(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask what is to be done to those that were ticked, or to all that the filter finds; then have them looked at."""
    wanted = _wanted(request)
    count = _count(wanted)
    if not count:
        messages.warning(request, _("Choose subscriptions first."))
        return redirect(f"{reverse('subscriptions', args=[slug])}?{_back(request).urlencode()}")
    offered = [each for each in prices() if each.unit != ONCE]
    asked = request.POST.get("asked") == "1"
    form = BulkChangeForm(request.POST if asked else None, prices=offered)
    error: AppError | None = None
    if asked and form.is_valid():
        with attempt() as outcome:
            made = bulk_jobs.start(form.wish, wanted, today=_today(), key=form.cleaned_data["key"])
        if outcome.error is None:
            return redirect("bulk-change", slug, made)
        error = None if at_fields(form, outcome.error) else outcome.error
    context = {
        "slug": slug,
        "form": form,
        "error": error,
        "count": count,
        "every": "ids" not in wanted,
        "chosen": wanted.get("ids", []),
        "back": _back(request).urlencode(),
        "crumbs": _crumbs(slug),
    }
    status = 422 if asked else 200
    return TemplateResponse(request, "billing/bulk_new.html", context, status=status)


def _back(request: HttpRequest) -> QueryDict:
    """The list's own parameters."""
    return QueryDict(request.POST.get("back", "")[:2000].replace("\x00", ""))


def _wanted(request: HttpRequest) -> dict[str, Any]:
    """The filters of the list, or the ids that were ticked. Raises Invalid for a filter that is not understood."""
    if request.POST.get("every") != "1":
        ids = [each.replace("\x00", "")[:40] for each in request.POST.getlist("chosen")]
        return {"ids": list(dict.fromkeys(ids))[:MAX_CHOSEN]}
    form = SubscriptionFilterForm(_back(request))
    if not form.is_valid() or form.cleaned_data.get("customer_name"):
        raise Invalid(_("A filter was not understood, so nothing was done."))
    return {name: form.cleaned_data.get(name) or "" for name in bulk_jobs.FILTERS}


def _count(wanted: dict[str, Any]) -> int:
    if "ids" in wanted:
        return subscriptions().filter(public_id__in=wanted["ids"]).count()
    return subscriptions(today=_today(), **wanted).count()


@page(SUBSCRIPTIONS_VIEW)
@require_GET
def bulk_change_page(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    return _shown(request, slug, bulk_change(public_id))


def _shown(
    request: HttpRequest, slug: str, row: BulkChange, *, error: AppError | None = None
) -> HttpResponse:
    outcome = request.GET.get("outcome", "")
    outcome = outcome if outcome in OUTCOMES else ""
    part = paged(bulk_items(row, outcome=outcome), IN_ORDER, request.GET.get("page", ""))
    context = {
        **_progress(row, slug, polls=0),
        "crumbs": _crumbs(slug, several=True),
        "rows": [_item(row, each) for each in part.rows],
        "tabs": _tabs(outcome, figures(row)),
        "newer": f"?outcome={outcome}&page={part.newer}" if part.newer else "",
        "older": f"?outcome={outcome}&page={part.older}" if part.older else "",
        "key": fresh_key(),
        "error": error,
    }
    return TemplateResponse(
        request, "billing/bulk_change.html", context, status=error.status if error else 200
    )


def _item(row: BulkChange, each: BulkChangeItem) -> dict[str, Any]:
    code = each.currency
    return {
        "row": each,
        "look": OUTCOME_LOOKS[each.outcome][0],
        "word": OUTCOME_LOOKS[each.outcome][1],
        "now": amount_text(each.price),
        "then": becomes_text(row) if each.day else "",
        "charge": Money(each.charge_minor, code),
        "credit": Money(-each.credit_minor, code),
    }


def _tabs(outcome: str, found: BulkFigures) -> list[dict[str, Any]]:
    tabs = [{"label": _("All"), "href": "?", "current": not outcome, "count": sum(found.counts.values())}]
    return tabs + [
        {
            "label": OUTCOME_LOOKS[name][1],
            "href": f"?outcome={name}",
            "current": name == outcome,
            "count": found.counts[name],
        }
        for name in OUTCOMES
        if found.counts[name]
    ]


@page(SUBSCRIPTIONS_VIEW)
@require_GET
def bulk_progress(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """How far it is, polled while it goes on; when it is over the whole page is loaded once more."""
    polls = request.GET.get("polls", "")
    number = int(polls) + 1 if polls.isascii() and polls.isdigit() and len(polls) < 6 else 1  # noqa: PLR2004
    context = _progress(bulk_change(public_id), slug, polls=number)
    answer = TemplateResponse(request, "billing/parts/bulk_progress.html", context)
    if not context["running"]:
        answer["HX-Refresh"] = "true"
    return answer


def _progress(row: BulkChange, slug: str, *, polls: int) -> dict[str, Any]:
    found, job, state = figures(row), job_of(row), state_of(row)
    left_out = found.counts[REFUSED] if row.run else found.counts[UNFIT]
    good = found.counts[DONE] if row.run else found.counts[FITS]
    to_go = 0 if job.state == "done" else max(0, job.total - job.done)
    return {
        "slug": slug,
        "today": _today(),
        "bulk": row,
        "title": title_of(row),
        "price_text": amount_text(row.price) if row.price else "",
        "job": job,
        "state": state,
        "running": state in {"checking", "running"},
        "polls": polls,
        "pause": FAST if polls < FAST_POLLS else SLOW,
        "found": found,
        "good": good,
        "left_out": left_out,
        "to_go": to_go,
        "fitting": found.counts[FITS],
        "parts": [
            {"share": good, "tone": "ok"},
            {"share": left_out, "tone": "warn"},
            {"share": to_go, "tone": "none"},
        ],
        "stale": state == "ready" and row.today != _today(),
        "no_edit": missing(SUBSCRIPTIONS_EDIT),
    }


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def bulk_confirm(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Have done what was seen."""
    row = bulk_change(public_id)
    with attempt() as outcome:
        bulk_jobs.confirm(public_id, today=_today())
    if outcome.error:
        return _shown(request, slug, row, error=outcome.error)
    return redirect("bulk-change", slug, public_id)


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def bulk_again(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Have the same looked at anew, as it is today."""
    row = bulk_change(public_id)
    try:
        key = str(FormKey().clean(request.POST.get("key", "")))
    except ValidationError as problem:
        raise Invalid(problem.messages[0]) from problem
    with attempt() as outcome:
        made = bulk_jobs.again(public_id, today=_today(), key=key)
    if outcome.error:
        return _shown(request, slug, row, error=outcome.error)
    return redirect("bulk-change", slug, made)


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def bulk_cancel(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Stop after the step under way; what was done stays done."""
    bulk_change(public_id)
    with attempt():
        bulk_jobs.cancel(public_id)
    return redirect("bulk-change", slug, public_id)


@page(SUBSCRIPTIONS_EDIT)
@require_safe
def bulk_csv(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """What becomes of each, as a file."""
    row = bulk_change(public_id)
    rows = (each for chunk in in_chunks(bulk_items(row)) for each in chunk)
    return csv_file(f"bulk-change-{row.today}-{row.public_id}", columns(row), rows)

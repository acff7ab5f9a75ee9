"""What is done to many documents at once: those that were ticked, or all that the list's filter finds."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from core.errors import Invalid, NotFound
from core.fields import FormKey
from core.models import Job
from core.pages import attempt, missing
from core.templatetags.fmt import count
from core.web import page
from invoicing.domain.states import State
from invoicing.forms import FilterForm
from invoicing.listing import documents
from invoicing.permissions import INVOICES_ISSUE, INVOICES_VIEW
from invoicing.selectors import bulk_job, document
from invoicing.services import bulk as everything
from invoicing.services.issue import issue
from invoicing.services.send import send
from invoicing.views.common import business_today, respond

MAX_CHOSEN = 200
"""More than this is left to a worker."""
REPORT = "documents_report"
FAST, SLOW = 1, 5
FAST_POLLS = 30


@page(INVOICES_ISSUE, several=("chosen",))
@require_POST
def bulk(request: HttpRequest, slug: str) -> HttpResponse:
    """Issue or send what was chosen, each on its own; says how many were done and why the others were not."""
    act = request.POST.get("act", "")
    if request.POST.get("every") == "1" and act in everything.ACTS:
        return _every(request, slug, act)
    chosen = list(dict.fromkeys(request.POST.getlist("chosen")))[:MAX_CHOSEN]
    return _done(request, slug, act, chosen)


def _done(request: HttpRequest, slug: str, name: str, chosen: list[str]) -> HttpResponse:
    today = business_today()
    acts: dict[str, Callable[[str], object]] = {
        "issue": lambda public_id: issue([document(public_id).pk], issued_on=today),
        "send": lambda public_id: send(public_id, key=request.POST.get("key", "")[:60]),
    }
    act = acts.get(name)
    if act is not None and chosen:
        done, failed = _each(chosen, act)
        if done:
            messages.success(request, _said(name, done))
        if failed:
            request.session[REPORT] = {"act": name, "done": done, "failed": failed}
    return redirect(f"{reverse('invoices', args=[slug])}?{_back(request).urlencode()}")


def _back(request: HttpRequest) -> QueryDict:
    """The list's own parameters."""
    return QueryDict(request.POST.get("back", "")[:2000].replace("\x00", ""))


def _every(request: HttpRequest, slug: str, act: str) -> HttpResponse:
    """All that the filter finds now: asked for once more with the exact number, then done, or left to a worker."""
    today, back = business_today(), _back(request)
    form = FilterForm(back)
    wanted = form.wanted(today)
    if form.errors or form.cleaned_data.get("customer_name"):
        raise Invalid(_("A filter was not understood, so nothing was done."))
    found = documents(wanted, today=today)
    if request.POST.get("confirmed") != "1":
        fitting = found.filter(state=State.DRAFT if act == "issue" else State.ISSUED)
        context = {
            "slug": slug,
            "act": act,
            "back": back.urlencode(),
            "key": _key(request),
            "total": found.count(),
            "fitting": fitting.count(),
            "crumbs": [{"label": _("Invoices"), "href": reverse("invoices", args=[slug])}],
        }
        return respond(request, "invoicing/bulk_confirm.html", context)
    few = list(found.order_by("pk").values_list("public_id", flat=True)[: MAX_CHOSEN + 1])
    if len(few) <= MAX_CHOSEN:
        return _done(request, slug, act, few)
    job = everything.start(act, wanted, today=today, key=_key(request))
    return redirect("invoices-job", slug, job)


def _key(request: HttpRequest) -> str:
    try:
        return str(FormKey().clean(request.POST.get("key", "")))
    except ValidationError as error:
        raise Invalid(error.messages[0]) from error


@page(INVOICES_VIEW)
@require_GET
def bulk_page(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    return respond(request, "invoicing/bulk_job.html", _progress(bulk_job(public_id), slug, polls=0))


@page(INVOICES_VIEW)
@require_GET
def bulk_progress(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """How far it is, polled while it goes on; when it is over the whole page is loaded once more."""
    job = bulk_job(public_id)
    polls = request.GET.get("polls", "")
    number = int(polls) + 1 if polls.isascii() and polls.isdigit() and len(polls) < 6 else 1  # noqa: PLR2004
    context = _progress(job, slug, polls=number)
    answer = TemplateResponse(request, "invoicing/parts/bulk_progress.html", context)
    if not context["running"]:
        answer["HX-Refresh"] = "true"
    return answer


@page(INVOICES_ISSUE)
@require_POST
def bulk_cancel(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Stop after the step under way; what was done stays done."""
    bulk_job(public_id)
    with attempt():
        everything.cancel(public_id)
    return redirect("invoices-job", slug, public_id)


def _progress(job: Job, slug: str, *, polls: int) -> dict[str, Any]:
    reasons: dict[str, int] = job.payload["reasons"]
    left_out = sum(reasons.values())
    to_go = 0 if job.state == "done" else max(0, job.total - job.done)  # some may be gone meanwhile
    return {
        "slug": slug,
        "job": job,
        "act": job.payload["act"],
        "running": job.state in ("queued", "running"),
        "polls": polls,
        "pause": FAST if polls < FAST_POLLS else SLOW,
        "done": job.done - left_out,
        "left_out": left_out,
        "to_go": to_go,
        "reasons": sorted(reasons.items(), key=lambda pair: -pair[1]),
        "named": [
            dict(zip(("public_id", "number", "customer", "reason"), each, strict=True))
            for each in job.payload["left_out"]
        ],
        "parts": [
            {"share": job.done - left_out, "tone": "ok"},
            {"share": left_out, "tone": "warn"},
            {"share": to_go, "tone": "none"},
        ],
        "no_stop": missing(INVOICES_ISSUE),
        "crumbs": [{"label": _("Invoices"), "href": reverse("invoices", args=[slug])}],
    }


def _said(act: str, done: int) -> str:
    if act == "issue":
        return ngettext("%(n)s invoice issued", "%(n)s invoices issued", done) % {"n": count(done)}
    return ngettext("%(n)s document is on its way", "%(n)s documents are on their way", done) % {
        "n": count(done)
    }


def _each(chosen: list[str], act: Callable[[str], object]) -> tuple[int, list[dict[str, str]]]:
    done, failed = 0, []
    for public_id in chosen:
        try:
            row = document(public_id.replace("\x00", "")[:40])
        except NotFound:
            continue  # another organization's, or deleted meanwhile
        with attempt() as outcome:
            act(public_id)
        if outcome.error is None:
            done += 1
        else:
            failed.append(
                {
                    "public_id": public_id,
                    "label": row.number or _("Draft"),
                    "customer": row.customer.name,
                    "reason": outcome.error.message,
                }
            )
    return done, failed

"""The editor of drafts: new, change, delete, issue, and live totals that never block typing."""

from dataclasses import replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from core.errors import AppError
from core.pages import attempt, missing
from core.scope import require
from core.web import page
from customers.selectors import customer as customer_of
from invoicing.domain.states import State
from invoicing.models import Document
from invoicing.permissions import (
    INVOICES_CREATE,
    INVOICES_DELETE,
    INVOICES_EDIT,
    INVOICES_ISSUE,
    INVOICES_VIEW,
)
from invoicing.selectors import view
from invoicing.services.edit import (
    DraftContent,
    Stale,
    create_draft,
    delete_draft,
    replaced_lines,
    save_draft,
)
from invoicing.services.issue import issue
from invoicing.views.common import business_today, respond
from invoicing.views.draft import CELLS, Typed, blank, read, stored


def _editor(
    request: HttpRequest,
    slug: str,
    typed: Typed,
    *,
    public_id: str = "",
    error: AppError | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "slug": slug,
        "crumbs": [{"label": _("Invoices"), "href": reverse("invoices", args=[slug])}],
        "typed": typed,
        "public_id": public_id,
        "error": error,
        "stale": isinstance(error, Stale),
        "newest": error.extra.get("version") if error else None,
        "default_tax": f"{typed.seller.tax_percent.normalize():f}",
        "today": typed.form.today,
        "no_issue": missing(INVOICES_ISSUE),
    }
    return respond(request, "invoicing/editor.html", context, status=status)


@page(INVOICES_CREATE, several=CELLS)
@require_http_methods(["GET", "POST"])
def invoice_new(request: HttpRequest, slug: str) -> HttpResponse:
    today = business_today()
    if request.method == "GET":
        public_id = request.GET.get("customer", "").replace("\x00", "")[:40]
        return _editor(request, slug, blank(customer_of(public_id) if public_id else None, today=today))
    typed = read(request.POST, today=today)
    content = typed.content
    if content is None:
        return _editor(request, slug, typed, status=422)
    with attempt() as outcome:
        row = create_draft(content, key=typed.form.cleaned_data["key"])
        if row.state == State.DRAFT:
            row = _finish(request, row, typed)
    if outcome.error:
        return _editor(request, slug, typed, error=outcome.error, status=outcome.status)
    return redirect("invoice", slug, row.public_id)


@page(INVOICES_EDIT, several=CELLS)
@require_http_methods(["GET", "POST"])
def invoice_edit(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    today = business_today()
    shown = view(public_id)
    if request.method == "GET":
        if shown.document.state != State.DRAFT:
            messages.info(request, _("It is issued and does not change any more."))
            return redirect("invoice", slug, public_id)
        return _editor(request, slug, stored(shown, today=today), public_id=public_id)
    typed = read(request.POST, today=today)
    content = typed.content
    if content is None:
        return _editor(request, slug, typed, public_id=public_id, status=422)
    with attempt() as outcome:
        row = save_draft(public_id, _kept(public_id, content, typed), version=_version(request, typed))
        row = _finish(request, row, typed)
    if outcome.error:
        return _editor(request, slug, typed, public_id=public_id, error=outcome.error, status=outcome.status)
    return redirect("invoice", slug, row.public_id)


def _kept(public_id: str, content: DraftContent, typed: Typed) -> DraftContent:
    pairs = list(zip(content.lines, typed.positions, strict=True))
    return replace(content, lines=replaced_lines(public_id, pairs))


def _version(request: HttpRequest, typed: Typed) -> int:
    """The version the person saw; `overwrite` names a newer one that they chose to write over."""
    over = request.POST.get("overwrite", "")
    if over.isascii() and over.isdigit() and len(over) < 10:  # noqa: PLR2004
        return int(over)
    return typed.form.cleaned_data.get("version") or 0


def _finish(request: HttpRequest, row: Document, typed: Typed) -> Document:
    """Issue the saved draft when that was the button, and say what was done."""
    if request.POST.get("act") != "issue":
        messages.success(request, _("Draft saved"))
        return row
    require(INVOICES_ISSUE)
    (issued,) = issue([row.pk], issued_on=typed.form.cleaned_data["issued_on"])
    messages.success(request, _("%(number)s issued") % {"number": issued.number})
    return issued


@page(INVOICES_VIEW, several=CELLS)
@require_POST
def invoice_totals(request: HttpRequest, slug: str) -> HttpResponse:
    """What the lines come to as they stand, for the editor while somebody types; writes nothing."""
    typed = read(request.POST, today=business_today())
    return respond(request, "invoicing/parts/totals.html", {"typed": typed, "live": True})


@page(INVOICES_DELETE)
@require_POST
def invoice_delete(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    version = request.POST.get("version", "")
    shown = view(public_id)
    with attempt() as outcome:
        seen = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0  # noqa: PLR2004
        delete_draft(public_id, version=seen)
        messages.success(request, _("Draft deleted"))
    if outcome.error:
        typed = stored(shown, today=business_today())
        return _editor(request, slug, typed, public_id=public_id, error=outcome.error, status=outcome.status)
    return redirect("invoices", slug)

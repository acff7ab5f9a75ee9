"""What is done to one document. Each act is a POST that redirects; a refusal shows the page with the input kept."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.errors import Invalid
from core.pages import attempt
from core.web import page
from invoicing.forms import CreditForm, IssueForm, VoidForm, WriteOffForm
from invoicing.permissions import INVOICES_CREDIT, INVOICES_ISSUE, INVOICES_WRITE_OFF
from invoicing.previews import Preview, preview_credit, preview_void, preview_write_off
from invoicing.selectors import document, lines_left
from invoicing.services.correct import give_up, void
from invoicing.services.credit import credit
from invoicing.services.issue import issue
from invoicing.services.send import send
from invoicing.views.common import business_today, respond
from invoicing.views.document import document_page
from receivables.selectors import ItemState, item_states


def _item(public_id: str) -> ItemState | None:
    return item_states([public_id]).get(public_id)


def _credit_form(request: HttpRequest, public_id: str) -> CreditForm:
    row = document(public_id)
    return CreditForm(request.POST, currency=row.currency, left=lines_left(row))


def _write_off_form(request: HttpRequest, public_id: str) -> WriteOffForm:
    item = _item(public_id)
    return WriteOffForm(
        request.POST, currency=document(public_id).currency, open_minor=item.available_minor if item else 0
    )


def _again(
    request: HttpRequest, slug: str, public_id: str, name: str, form: Any, error: Any = None
) -> HttpResponse:
    if isinstance(error, Invalid):
        for field, message in error.fields.items():
            if field in form.fields:
                form.add_error(field, message)
    return document_page(request, slug, public_id, error=error, forms={name: form}, reopen=name)


@page(INVOICES_ISSUE)
@require_POST
def invoice_issue(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    form = IssueForm(request.POST, today=business_today())
    if not form.is_valid():
        return _again(request, slug, public_id, "issue", form)
    with attempt() as outcome:
        (row,) = issue([document(public_id).pk], issued_on=form.cleaned_data["issued_on"])
        messages.success(request, _("%(number)s issued") % {"number": row.number})
    if outcome.error:
        return document_page(request, slug, public_id, error=outcome.error)
    return redirect("invoice", slug, public_id)


@page(INVOICES_CREDIT)
@require_POST
def invoice_void(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    form = VoidForm(request.POST)
    if not form.is_valid():
        return _again(request, slug, public_id, "void", form)
    with attempt() as outcome:
        row = void(public_id, on=business_today(), reason=form.cleaned_data["reason"])
        messages.success(request, _("%(number)s is void") % {"number": row.number})
    if outcome.error:
        return _again(request, slug, public_id, "void", form, outcome.error)
    return redirect("invoice", slug, public_id)


@page(INVOICES_CREDIT)
@require_POST
def invoice_credit(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    form = _credit_form(request, public_id)
    if not form.is_valid():
        return _again(request, slug, public_id, "credit", form)
    with attempt() as outcome:
        note = credit(
            public_id,
            on=business_today(),
            reason=form.cleaned_data["reason"],
            key=form.cleaned_data["key"],
            amounts=form.amounts(),
        )
        messages.success(request, _("Credit note %(number)s issued") % {"number": note.number})
    if outcome.error:
        return _again(request, slug, public_id, "credit", form, outcome.error)
    return redirect("invoice", slug, note.public_id)


@page(INVOICES_WRITE_OFF)
@require_POST
def invoice_write_off(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    form = _write_off_form(request, public_id)
    if not form.is_valid():
        return _again(request, slug, public_id, "write_off", form)
    with attempt() as outcome:
        give_up(
            public_id,
            minor=form.cleaned_data["amount"],
            on=business_today(),
            reason=form.cleaned_data["reason"],
            key=form.cleaned_data["key"],
        )
        messages.success(request, _("Written off"))
    if outcome.error:
        return _again(request, slug, public_id, "write_off", form, outcome.error)
    return redirect("invoice", slug, public_id)


@page(INVOICES_ISSUE)
@require_POST
def invoice_send(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    document(public_id)
    with attempt() as outcome:
        send(public_id, key=request.POST.get("key", "")[:60].replace("\x00", ""))
        messages.success(request, _("The mail is on its way"))
    if outcome.error:
        return document_page(request, slug, public_id, error=outcome.error)
    return redirect("invoice", slug, public_id)


def _previewed(request: HttpRequest, make: Any, form: Any = None) -> HttpResponse:
    """The entries that would be posted, or why nothing would; shown inside the dialog."""
    preview: Preview | None = None
    with attempt() as outcome:
        preview = make()
    context = {"preview": preview, "error": outcome.error, "form": form, "today": business_today()}
    return respond(request, "invoicing/parts/preview.html", context)


@page(INVOICES_CREDIT)
@require_POST
def preview_of_void(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    return _previewed(request, lambda: preview_void(public_id, on=business_today()))


@page(INVOICES_CREDIT)
@require_POST
def preview_of_credit(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    form = _credit_form(request, public_id)
    form.fields["reason"].required = form.fields["key"].required = False
    if not form.is_valid():
        return respond(request, "invoicing/parts/preview.html", {"form": form})
    return _previewed(
        request, lambda: preview_credit(public_id, on=business_today(), amounts=form.amounts()), form
    )


@page(INVOICES_WRITE_OFF)
@require_POST
def preview_of_write_off(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    form = _write_off_form(request, public_id)
    form.fields["reason"].required = form.fields["key"].required = False
    if not form.is_valid() or _item(public_id) is None:
        return respond(request, "invoicing/parts/preview.html", {"form": form})
    return _previewed(
        request,
        lambda: preview_write_off(public_id, minor=form.cleaned_data["amount"], on=business_today()),
        form,
    )

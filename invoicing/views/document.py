"""One document: everything about it on a page, and its PDF."""

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from core import files, timeline
from core.errors import AppError, NotFound
from core.fields import fresh_key
from core.imports import reads as imports
from core.money import Money
from core.pages import APPLY_CREDIT, RECORD_PAYMENT, missing
from core.scope import work
from core.web import page
from invoicing.domain.states import State
from invoicing.explain import line_view
from invoicing.forms import CreditForm, IssueForm, VoidForm, WriteOffForm
from invoicing.history import history
from invoicing.models import Document
from invoicing.permissions import (
    INVOICES_CREDIT,
    INVOICES_DELETE,
    INVOICES_EDIT,
    INVOICES_ISSUE,
    INVOICES_VIEW,
    INVOICES_WRITE_OFF,
)
from invoicing.prepaid import drawn_of, top_up_of
from invoicing.selectors import DocumentView, document, view
from invoicing.services.opening import KIND as OPENING
from invoicing.services.send import can_send
from invoicing.views.common import business_today, respond
from ledger.selectors import entries_about, sums_of
from messaging.permissions import MESSAGES_VIEW
from receivables.domain.items import Kind, why_final
from receivables.selectors import allocations_of, references_of

FEW = 3
"""Subscriptions that are named above the lines; each line names its own."""


@page(INVOICES_VIEW)
@require_GET
def invoice(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    return document_page(request, slug, public_id)


def document_page(
    request: HttpRequest,
    slug: str,
    public_id: str,
    *,
    error: AppError | None = None,
    forms: dict[str, Any] | None = None,
    reopen: str = "",
) -> HttpResponse:
    """The page, or the page after a refusal: `forms` keep what was typed, `reopen` names the dialog to show."""
    shown = view(public_id, billing=True)
    today = business_today()
    row = shown.document
    states = shown.states(today)
    kept = {**_forms(shown, today), **(forms or {})}
    context = {
        "slug": slug,
        "today": today,
        "document": row,
        "crumbs": [{"label": _("Invoices"), "href": reverse("invoices", args=[slug])}],
        "is_invoice": row.kind in {"invoice", OPENING},
        "brought_in": _brought_in(row, slug) if row.kind == OPENING else None,
        "states": states,
        "days_late": (today - shown.due_on).days if "overdue" in states and shown.due_on else 0,
        "deposit": _deposit(shown, today),
        **_figures(shown),
        **_billed(shown, slug),
        **_connections(shown),
        **_controls(shown),
        "top_up": top_up_of(row.pk) if row.prepays and row.kind == "invoice" else None,
        "forms": kept,
        "credit_lines": _credit_lines(shown, kept.get("credit")),
        "error": error,
        "reopen": reopen,
        "key": fresh_key(),
    }
    status = error.status if error else 422 if reopen else 200
    return respond(request, "invoicing/detail.html", context, status=status)


def _brought_in(row: Document, slug: str) -> dict[str, Any]:
    """The file and line that a document of another system came from, and the address of its import."""
    public_id, _mark, line = row.source.partition(":")
    source = imports.imports().filter(public_id=public_id).first()
    return {
        "file": source.file.name if source else "",
        "line": line,
        "href": timeline.link("import", slug, public_id) if source else "",
        "references": references_of(row.public_id),
    }


def _figures(shown: DocumentView) -> dict[str, Any]:
    code = shown.document.currency
    sign = -1 if shown.document.kind == "credit_note" else 1
    draft = shown.document.state == State.DRAFT
    return {
        "taxes": [
            {
                "percent": tax.percent / 100,
                "base": Money(tax.base_minor, code),
                "tax": Money(tax.tax_minor, code),
            }
            for tax in shown.taxes
        ],
        "net": Money(shown.document.net_minor, code),
        "total": Money(shown.document.total_minor, code),
        "settled": Money(-shown.paid_minor, code) if shown.paid_minor else None,
        "open": Money(shown.open_minor, code),
        "big": Money(sign * (shown.document.total_minor if draft else shown.open_minor), code),
        "of": "" if draft or not shown.item else Money(shown.document.total_minor, code),
    }


def _billed(shown: DocumentView, slug: str) -> dict[str, Any]:
    """The lines with the subscription that each bills, and those of all: the first few, and how many more."""
    named = {
        position: timeline.known(slug, each["id"], each["name"]) for position, each in shown.billed.items()
    }
    found = list(dict.fromkeys(named.values()))
    code = shown.document.currency
    return {
        "lines": [(line_view(line, code), named.get(line.position)) for line in shown.lines],
        "subscriptions": found[:FEW],
        "more_subscriptions": len(found[FEW:]),
        "many_subscriptions": len(found) > 1,
    }


def _deposit(shown: DocumentView, today: date) -> dict[str, Any] | None:
    """What of the document is due on its own day, if it is open still and the rest late; None where there is none."""
    row, item = shown.document, shown.item
    if not row.deposit_minor:
        return None
    return {
        "amount": Money(row.deposit_minor, row.currency),
        "open": bool(item and item.later_minor),
        "rest_late": bool(item and item.open_minor and item.last_due_on < today),
        "due_on": row.issued_on,
    }


def _connections(shown: DocumentView) -> dict[str, Any]:
    """Allocations, entries, credit notes and the timeline."""
    item = shown.item
    allocations = list(allocations_of(item.item_id)) if item else []
    undone = {each.reverses_id for each in allocations if each.reverses_id}
    others = [
        each.credit_item if each.debit_item_id == (item.item_id if item else 0) else each.debit_item
        for each in allocations
    ]
    own = [each.source for each in others if each.kind in {Kind.VOID, Kind.WRITE_OFF, Kind.PREPAID}]
    entries = (
        entries_about([shown.document.public_id, *own], [item.item_id] if item else [])
        if shown.document.state != State.DRAFT
        else []
    )
    sums = sums_of(entries)
    return {
        "allocations": [
            {
                "row": each,
                "other": other,
                "top_up": drawn_of(other.source) if other.kind == Kind.PREPAID else "",
                "amount": Money(each.minor, shown.document.currency),
                "stands": each.reverses_id is None and each.pk not in undone,
                "why_not": missing(APPLY_CREDIT) or why_final(each.debit_item.kind, each.credit_item.kind),
            }
            for each, other in zip(allocations, others, strict=True)
        ],
        "entries": entries,
        "sums": sums,
        "balanced": all(each.balanced for each in sums),
        "notes": shown.notes if shown.document.kind == "invoice" else [],
        "history": history(shown.document, item.public_id if item else ""),
    }


def _controls(shown: DocumentView) -> dict[str, Any]:
    """Which acts the document allows, and why a control is greyed for this person."""
    row, item = shown.document, shown.item
    issued = row.state == State.ISSUED
    owed = issued and row.kind in {"invoice", OPENING}
    untouched = item is None or item.available_minor == item.total_minor
    return {
        "can_issue": row.state == State.DRAFT,
        "can_void": owed and untouched,
        "can_credit": issued and row.kind == "invoice",
        "can_write_off": owed and item is not None and item.available_minor > 0,
        "can_apply": row.kind == "credit_note" and item is not None and item.available_minor > 0,
        "can_send": issued and row.kind != OPENING,
        "may_see_mail": not missing(MESSAGES_VIEW),
        "no_record": missing(RECORD_PAYMENT),
        "no_apply": missing(APPLY_CREDIT),
        "no_edit": missing(INVOICES_EDIT),
        "no_delete": missing(INVOICES_DELETE),
        "no_issue": missing(INVOICES_ISSUE),
        "no_credit": missing(INVOICES_CREDIT),
        "no_write_off": missing(INVOICES_WRITE_OFF),
        "no_send": missing(INVOICES_ISSUE) or ("" if can_send() else _("sending mail is not set up")),
    }


def _forms(shown: DocumentView, today: Any) -> dict[str, Any]:
    row = shown.document
    if row.state == State.DRAFT:
        return {"issue": IssueForm(today=today)}
    if row.state != State.ISSUED or row.kind == "credit_note":
        return {}
    credit = CreditForm(currency=row.currency, left=shown.left) if row.kind == "invoice" else None
    return {
        "void": VoidForm(),
        **({"credit": credit} if credit else {}),
        "write_off": WriteOffForm(
            currency=row.currency, open_minor=shown.item.available_minor if shown.item else 0
        ),
    }


def _credit_lines(shown: DocumentView, form: CreditForm | None) -> list[dict[str, Any]]:
    """Each line that has something left to credit, with its field."""
    if form is None:
        return []
    return [
        {
            "line": each,
            "left": Money(form.left[each.position], shown.document.currency),
            "field": form[f"line_{each.position}"],
        }
        for each in shown.lines
        if form.left.get(each.position)
    ]


@page(INVOICES_VIEW, phased=True)
@require_GET
def invoice_pdf(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """The stored PDF; the bytes are read outside the transaction."""
    with work():
        row = document(public_id)
    if row.pdf is None:
        raise NotFound(_("The PDF is not made yet."))
    answer = HttpResponse(files.read(row.pdf), content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{row.number}.pdf"'
    return answer

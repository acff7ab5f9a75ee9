"""Payments: the list, one payment with what it was put against, recording, applying, taking back."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cashapp.forms import METHOD_LABELS, PaymentFilterForm, RecordForm, TakeBackForm, parts_of
from cashapp.models import Payment
from cashapp.permissions import PAYMENTS_APPLY, PAYMENTS_RECORD, PAYMENTS_REVERSE, PAYMENTS_VIEW
from cashapp.selectors import NEWEST, PaymentFilter, applied_to, payments, received, standing
from cashapp.services.payments import apply_credit, apply_rest, credit_of, payment_row, record
from cashapp.services.payments import reverse as take_back
from core import clock
from core.errors import AppError, Invalid, NotFound
from core.fields import fresh_key
from core.money import Money
from core.pages import at_fields, attempt, missing
from core.paging import CURSOR, Address, Chip, paged
from core.templatetags.fmt import shortdate
from core.web import page
from customers.selectors import customer as customer_of
from receivables.domain.items import Side, why_final
from receivables.selectors import (
    ItemState,
    allocation,
    currencies_of,
    debit_ids,
    item_states,
    open_currencies_of,
    open_items_of,
)
from receivables.services.reverse import take_back as undo
from tenants.selectors import entity


def _today() -> Any:
    return clock.today(entity().zone)


@page(PAYMENTS_VIEW)
@require_GET
def payments_page(request: HttpRequest, slug: str) -> HttpResponse:
    address = Address.of(request.GET, list(PaymentFilterForm.base_fields))
    wanted = PaymentFilterForm(request.GET).wanted()
    found = payments(wanted)
    part = paged(found, NEWEST, request.GET.get(CURSOR, ""))
    items = item_states([row.public_id for row in part.rows])
    rows = [
        {
            "row": row,
            "amount": Money(row.minor, row.currency),
            "rest": Money(items[row.public_id].open_minor, row.currency),
            "state": _look(row, items[row.public_id]),
        }
        for row in part.rows
    ]
    chips = _chips(wanted, address)
    context = {
        "slug": slug,
        "today": _today(),
        "rows": rows,
        "chips": chips,
        "clear": address.href(**dict.fromkeys(PaymentFilterForm.base_fields, "")) if chips else "",
        "sums": received(found) if chips else [],
        "newer": address.page(part.newer),
        "older": address.page(part.older),
    }
    return TemplateResponse(request, "cashapp/payments.html", context)


def _chips(wanted: PaymentFilter, address: Address) -> list[Chip]:
    said = [
        ("currency", _("Currency is %(code)s") % {"code": wanted.currency}, wanted.currency),
        (
            "received_from",
            _("Received from %(day)s") % {"day": shortdate(wanted.received_from)},
            wanted.received_from,
        ),
        (
            "received_to",
            _("Received to %(day)s") % {"day": shortdate(wanted.received_to)},
            wanted.received_to,
        ),
    ]
    return [Chip(label, address.href(**{name: ""})) for name, label, value in said if value]


def _look(payment: Payment, item: ItemState) -> str:
    """The pill of a payment."""
    found = standing(payment, item)
    return "void" if found == "reversed" else found


@page(PAYMENTS_RECORD)
@require_http_methods(["GET", "POST"])
def payment_new(request: HttpRequest, slug: str, customer: str) -> HttpResponse:
    owner = customer_of(customer)
    today = _today()
    currency = _currency(request, owner)
    if request.method == "GET":
        start = {"amount": request.GET.get("amount", "")}
        return _record_page(request, slug, owner, RecordForm(currency=currency, today=today, initial=start))
    form = RecordForm(request.POST, currency=currency, today=today)
    parts, problems = parts_of(request.POST, currency)
    if not form.is_valid() or problems:
        return _record_page(request, slug, owner, form, problems=problems)
    said = form.cleaned_data
    with attempt() as outcome:
        made = record(
            customer=customer,
            minor=said["amount"],
            received_on=said["received_on"],
            method=said["method"],
            memo=said["memo"],
            key=said["key"],
            currency=currency,
            parts=_by_id(owner.pk, currency, parts) if parts else None,
        )
        messages.success(request, _("Payment recorded"))
    if outcome.error:
        return _record_page(request, slug, owner, form, error=outcome.error)
    return redirect("payment", slug, made.public_id)


def _currency(request: HttpRequest, owner: Any) -> str:
    """The currency that was received: the one asked for, or the customer's own, or the first in which they owe."""
    if said := request.POST.get("currency", "") or request.GET.get("currency", ""):
        if said == owner.currency or said in currencies_of(owner.pk):
            return said
        raise NotFound("The customer never owed in that currency.")
    owed = open_currencies_of(owner.pk, Side.DEBIT)
    return owed[0] if owed and owner.currency not in owed else str(owner.currency)


def _by_id(customer_id: int, currency: str, parts: Mapping[str, int]) -> dict[int, int]:
    """The parts by the id of the customer's item; an id of anything else is nobody's, and is refused."""
    items = debit_ids(customer_id, currency, parts)
    return {items.get(public_id, 0): minor for public_id, minor in parts.items()}


def _record_page(
    request: HttpRequest,
    slug: str,
    owner: Any,
    form: RecordForm,
    *,
    problems: Mapping[str, str] | None = None,
    error: AppError | None = None,
) -> HttpResponse:
    at_fields(form, error)
    context = {
        "slug": slug,
        "today": _today(),
        "customer": owner,
        "currency": form.currency,
        "currencies": sorted({form.currency, owner.currency, *open_currencies_of(owner.pk, Side.DEBIT)}),
        "form": form,
        "items": _rows(open_items_of(owner.pk, form.currency, Side.DEBIT), request.POST, problems or {}),
        "error": error,
        "crumbs": [{"label": _("Payments"), "href": reverse("payments", args=[slug])}],
    }
    status = error.status if error else 422 if form.errors or problems else 200
    return TemplateResponse(request, "cashapp/payment_new.html", context, status=status)


def _rows(items: list[ItemState], typed: Any, problems: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "item": item,
            "open": Money(item.available_minor, item.currency),
            "field": f"part-{item.public_id}",
            "typed": typed.get(f"part-{item.public_id}", ""),
            "problem": problems.get(item.public_id, ""),
        }
        for item in items
        if item.available_minor
    ]


@page(PAYMENTS_VIEW)
@require_GET
def payment_page(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    return _payment_page(request, slug, public_id)


def _payment_page(
    request: HttpRequest, slug: str, public_id: str, *, error: AppError | None = None, form: Any = None
) -> HttpResponse:
    payment = payment_row(public_id)
    item = item_states([public_id])[public_id]
    today = _today()
    open_items = open_items_of(payment.customer_id, payment.currency, Side.DEBIT) if item.open_minor else []
    context = {
        "slug": slug,
        "today": today,
        "payment": payment,
        "amount": Money(payment.minor, payment.currency),
        "rest": Money(item.open_minor, payment.currency),
        "state": _look(payment, item),
        "name": payment.memo or METHOD_LABELS.get(payment.method, payment.method),
        "through": _("By hand") if payment.provider == "manual" else payment.provider,
        "applied": applied_to(item.item_id),
        "items": _rows(open_items, request.POST, {}) if payment.state == "received" else [],
        "key": fresh_key(),
        "form": form or TakeBackForm(today=today),
        "error": error,
        "reopen": form is not None,
        "no_apply": missing(PAYMENTS_APPLY),
        "no_reverse": missing(PAYMENTS_REVERSE),
        "crumbs": [{"label": _("Payments"), "href": reverse("payments", args=[slug])}],
    }
    status = error.status if error else 422 if form is not None else 200
    return TemplateResponse(request, "cashapp/payment.html", context, status=status)


@page(PAYMENTS_APPLY)
@require_POST
def payment_apply(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    payment = payment_row(public_id)
    parts, problems = parts_of(request.POST, payment.currency)
    with attempt() as outcome:
        _some(parts, problems)
        apply_rest(
            public_id,
            parts=_by_id(payment.customer_id, payment.currency, parts),
            on=_today(),
            key=_key(request),
        )
        messages.success(request, _("Applied"))
    if outcome.error:
        return _payment_page(request, slug, public_id, error=outcome.error)
    return redirect("payment", slug, public_id)


@page(PAYMENTS_APPLY)
@require_http_methods(["GET", "POST"])
def credit_apply(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Put what is open of a credit note against what the same customer owes."""
    credit = credit_of(public_id)
    error = None
    if request.method == "POST":
        parts, problems = parts_of(request.POST, credit.currency)
        with attempt() as outcome:
            _some(parts, problems)
            apply_credit(
                public_id,
                parts=_by_id(credit.customer_id, credit.currency, parts),
                on=max(credit.effective_on, _today()),
                key=_key(request),
            )
            messages.success(request, _("Applied"))
        if outcome.error is None:
            return redirect("invoice", slug, public_id)
        error = outcome.error
    owed = open_items_of(credit.customer_id, credit.currency, Side.DEBIT)
    context = {
        "slug": slug,
        "today": _today(),
        "credit": credit,
        "rest": Money(credit.available_minor, credit.currency),
        "items": _rows([each for each in owed if each.entity_id == credit.entity_id], request.POST, {}),
        "key": fresh_key(),
        "error": error,
        "crumbs": [{"label": credit.label, "href": reverse("invoice", args=[slug, public_id])}],
    }
    status = error.status if error else 200
    return TemplateResponse(request, "cashapp/credit_apply.html", context, status=status)


def _some(parts: Mapping[str, int], problems: Mapping[str, str]) -> None:
    if problems or not parts:
        raise Invalid(next(iter(problems.values()), _("Say how much goes where.")))


def _key(request: HttpRequest) -> str:
    return request.POST.get("key", "").replace("\x00", "")[:60] or fresh_key()


@page(PAYMENTS_REVERSE)
@require_POST
def payment_reverse(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    form = TakeBackForm(request.POST, today=_today())
    if not form.is_valid():
        return _payment_page(request, slug, public_id, form=form)
    with attempt() as outcome:
        take_back(public_id, on=form.cleaned_data["on"], reason=form.cleaned_data["reason"])
        messages.success(request, _("Taken back. What it had settled is open again."))
    if outcome.error:
        return _payment_page(request, slug, public_id, error=outcome.error, form=form)
    return redirect("payment", slug, public_id)


@page(PAYMENTS_APPLY)
@require_http_methods(["GET", "POST"])
def allocation_undo(request: HttpRequest, slug: str, allocation_id: int) -> HttpResponse:
    """Ask for the reason, show what opens again, and take one allocation back."""
    row = allocation(allocation_id)
    form = TakeBackForm(request.POST or None, today=_today())
    error = None
    if request.method == "POST" and form.is_valid():
        with attempt() as outcome:
            undo(row.pk, on=form.cleaned_data["on"], reason=form.cleaned_data["reason"])
            messages.success(request, _("Taken back"))
        if outcome.error is None:
            return redirect(_back(slug, row))
        error = outcome.error
    context = {
        "slug": slug,
        "today": _today(),
        "row": row,
        "final": why_final(row.debit_item.kind, row.credit_item.kind),
        "amount": Money(row.minor, row.debit_item.currency),
        "form": form,
        "error": error,
        "back": _back(slug, row),
        "crumbs": [{"label": _("Payments"), "href": reverse("payments", args=[slug])}],
    }
    status = error.status if error else 422 if form.errors else 200
    return TemplateResponse(request, "cashapp/undo.html", context, status=status)


def _back(slug: str, row: Any) -> str:
    if row.credit_item.kind == "payment":
        return reverse("payment", args=[slug, row.credit_item.source])
    if row.debit_item.source.startswith("doc_"):
        return reverse("invoice", args=[slug, row.debit_item.source])
    return reverse("customer", args=[slug, row.debit_item.customer.public_id])

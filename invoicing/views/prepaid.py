"""Prepaid balances: what is left of all, one top-up with what became of it, a customer's, and topping up."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core import timeline
from core.errors import AppError
from core.money import Money
from core.pages import at_fields, attempt, missing
from core.paging import CURSOR, Address, paged
from core.web import page
from customers.selectors import customer as customer_of
from invoicing import prepaid
from invoicing.forms import TopUpForm
from invoicing.permissions import INVOICES_ISSUE, INVOICES_VIEW
from invoicing.services.prepaid import top_up
from invoicing.views.common import business_today, respond

SHOWN = 8


@page(INVOICES_VIEW)
@require_safe
def top_ups_page(request: HttpRequest, slug: str) -> HttpResponse:
    address = Address.of(request.GET, ["all"])
    every = bool(address.given.get("all"))
    part = paged(prepaid.top_ups(left=None if every else True), prepaid.NEWEST, request.GET.get(CURSOR, ""))
    today = business_today()
    context = {
        "slug": slug,
        "today": today,
        "rows": prepaid.shown(part.rows, today=today),
        "every": every,
        "sums": prepaid.left_by_currency(),
        "newer": address.page(part.newer),
        "older": address.page(part.older),
    }
    return respond(request, "invoicing/top_ups.html", context)


@page(INVOICES_VIEW)
@require_safe
def top_up_page(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    row = prepaid.top_up(public_id)
    address = Address()
    part = paged(prepaid.moves(row), prepaid.NEWEST, request.GET.get(CURSOR, ""))
    today = business_today()
    (shown,) = prepaid.shown([row], today=today)
    context = {
        "slug": slug,
        "today": today,
        "each": shown,
        "crumbs": [{"label": _("Prepaid balances"), "href": reverse("top-ups", args=[slug])}],
        "moves": [{"row": move, "amount": Money(-move.minor, row.currency)} for move in part.rows],
        "newer": address.page(part.newer),
        "older": address.page(part.older),
    }
    return respond(request, "invoicing/top_up.html", context)


@page(INVOICES_VIEW)
@require_safe
def customer_prepaid(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """What a customer's prepaid balance comes to and the newest top-ups, as a panel of its page."""
    owner = customer_of(public_id)
    today = business_today()
    newest = prepaid.top_ups(customer=public_id).order_by(*prepaid.NEWEST.columns)
    context = {
        "slug": slug,
        "today": today,
        "customer": owner,
        "balances": prepaid.balance(owner.pk, today=today),
        "rows": prepaid.shown(list(newest[:SHOWN]), today=today),
        "no_top_up": missing(INVOICES_ISSUE) or (_("the customer is archived") if owner.archived_at else ""),
    }
    return respond(request, "invoicing/parts/customer_prepaid.html", context)


@page(INVOICES_ISSUE)
@require_http_methods(["GET", "HEAD", "POST"])
def top_up_new(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    owner, today = customer_of(public_id), business_today()
    if request.method != "POST":
        return _form_page(request, slug, owner, TopUpForm(currency=owner.currency, today=today))
    form = TopUpForm(request.POST, currency=owner.currency, today=today)
    if not form.is_valid():
        return _form_page(request, slug, owner, form)
    said = form.cleaned_data
    with attempt() as outcome:
        made = top_up(
            public_id,
            minor=said["amount"],
            expires_on=said["expires_on"],
            memo=said["memo"],
            key=said["key"],
            today=today,
        )
        said_so = _("%(number)s issued; what is paid of it can be drawn")
        messages.success(request, said_so % {"number": made.document.number})
    if outcome.error:
        at_fields(form, outcome.error)
        return _form_page(request, slug, owner, form, outcome.error)
    return redirect("top-up", slug, made.public_id)


def _form_page(
    request: HttpRequest, slug: str, owner: Any, form: TopUpForm, error: AppError | None = None
) -> HttpResponse:
    context = {
        "slug": slug,
        "customer": owner,
        "form": form,
        "error": error,
        "crumbs": [
            {"label": _("Customers"), "href": timeline.link("customers", slug)},
            {"label": owner.name, "href": timeline.link("customer", slug, owner.public_id)},
        ],
    }
    status = error.status if error else 422 if form.errors else 200
    return respond(request, "invoicing/top_up_new.html", context, status=status)

"""Recurring revenue month by month, and the movements that each figure is made of."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from billing.domain.mrr import Move
from billing.listing import plan_codes
from billing.models import MrrMovement
from billing.permissions import MRR_EXPORT, MRR_VIEW
from billing.products import product_codes
from billing.revenue import NEWEST, Moved, MovementFilter, Revenue, movement_rows, revenue, sums_of, year_to
from billing.revenue_forms import MOVES, TONES, MovementsForm, RevenueForm
from core import clock
from core.errors import Invalid, NotFound
from core.exports import Column, TooManyRows, csv_file, in_chunks
from core.money import Money
from core.pages import missing
from core.paging import CURSOR, Address, Chip, paged
from core.templatetags.fmt import money_code, monthname, shortdate
from core.web import page
from customers.selectors import customer as customer_of
from tenants.selectors import entity

REPORT = ("day_from", "day_to", "plan", "product")
FILTERS = (*REPORT, "kind", "currency", "subscription", "customer")
SAYS = {
    "day_from": gettext_lazy("From %(value)s"),
    "day_to": gettext_lazy("Up to %(value)s"),
    "plan": gettext_lazy("Plan is %(value)s"),
    "product": gettext_lazy("Product is %(value)s"),
    "kind": gettext_lazy("Kind is %(value)s"),
    "currency": gettext_lazy("Currency is %(value)s"),
    "subscription": gettext_lazy("Subscription is %(value)s"),
    "customer": gettext_lazy("Customer is %(value)s"),
}
"""What the chips of the list of movements say."""


def _asked(request: HttpRequest) -> tuple[RevenueForm, MovementFilter, list[Revenue]]:
    """The form, days, plan and product that the report is about, and its figures; what is no such days is left out."""
    form = RevenueForm(request.GET or None)
    form.is_valid()
    said = form.cleaned_data if form.is_bound else {}
    today = clock.today(entity().zone)
    last = said.get("day_to") or today
    which = {name: said.get(name) or "" for name in ("plan", "product")}
    first = said.get("day_from") or year_to(last)
    try:
        found = revenue(first, last, **which)
    except Invalid as error:
        for name, message in error.fields.items():
            form.add_error(name, message)
        first, last = year_to(today), today
        found = revenue(first, last, **which)
    return form, MovementFilter(first, last, **which), found


@page(MRR_VIEW)
@require_safe
def mrr_page(request: HttpRequest, slug: str) -> HttpResponse:
    form, wanted, found = _asked(request)
    context = {
        "slug": slug,
        "today": clock.today(entity().zone),
        "form": form,
        "wanted": wanted,
        "kinds": MOVES.values(),
        "sections": [_section(slug, wanted, each) for each in found],
        "plans": plan_codes(),
        "products": product_codes(),
        "query": urlencode(_said(wanted)),
        "no_export": missing(MRR_EXPORT),
    }
    status = 422 if form.is_bound and form.errors else 200
    return TemplateResponse(request, "billing/revenue.html", context, status=status)


def _said(wanted: MovementFilter) -> dict[str, Any]:
    return {name: getattr(wanted, name) for name in REPORT if getattr(wanted, name)}


def _section(slug: str, wanted: MovementFilter, each: Revenue) -> dict[str, Any]:
    rows = [_month(slug, wanted, month) for month in each.months]
    bars = [
        {
            "value": month.closing.minor,
            "text": f"{monthname(month.start)}: {money_code(month.closing)}",
            "href": row["href"],
        }
        for month, row in zip(each.months, rows, strict=True)
    ]
    return {
        "currency": each.currency,
        "rows": rows[::-1],
        "whole": _month(slug, wanted, each.whole),
        "bars": bars if len(bars) > 1 else [],
        "highest": max(month.closing for month in each.months),
    }


def _month(slug: str, wanted: MovementFilter, moved: Moved) -> dict[str, Any]:
    """The figures of some days, each with the address of the movements it is made of."""
    base = {"plan": wanted.plan, "product": wanted.product, "currency": moved.opening.currency}
    days = {"day_from": moved.start, "day_to": moved.end}

    def href(**more: Any) -> str:
        query = {name: value for name, value in {**base, **more}.items() if value}
        return f"{reverse('mrr-movements', args=[slug])}?{urlencode(query)}"

    return {
        "moved": moved,
        "href": href(**days),
        "opening": href(day_to=moved.start - timedelta(days=1)),
        "closing": href(day_to=moved.end),
        "kinds": [
            {"word": MOVES[kind], "amount": amount, "href": href(**days, kind=str(kind))}
            for kind, amount in moved.by_kind.items()
        ],
    }


@page(MRR_EXPORT)
@require_safe
def mrr_csv(request: HttpRequest, slug: str) -> HttpResponse:
    """The months as a file; what was not understood is left out, as on the page."""
    _form, wanted, found = _asked(request)
    columns = [
        Column(_("Currency"), lambda month: month.opening.currency),
        Column(_("First day"), lambda month: month.start),
        Column(_("Last day"), lambda month: month.end),
        Column(_("Opening"), lambda month: month.opening),
        *(Column(str(word), _amount_of(move)) for move, word in MOVES.items()),
        Column(_("Closing"), lambda month: month.closing),
    ]
    months = [month for each in found for month in each.months]
    return csv_file(f"recurring-revenue-{wanted.day_from}-{wanted.day_to}", columns, months)


def _amount_of(move: Move) -> Any:
    return lambda month: month.by_kind[move]


@page(MRR_VIEW)
@require_safe
def movements_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Movements, the latest day first, and what they come to."""
    form = MovementsForm(request.GET)
    wanted = form.wanted()
    address = Address.of(request.GET, [name for name in FILTERS if getattr(wanted, name)])
    found = movement_rows(wanted)
    part = paged(found, NEWEST, request.GET.get(CURSOR, ""))
    context = {
        "slug": slug,
        "today": clock.today(entity().zone),
        "crumbs": [{"label": _("Recurring revenue"), "href": reverse("mrr", args=[slug])}],
        "form": form,
        "chips": _chips(wanted, address),
        "rows": [_row(each) for each in part.rows],
        "sums": sums_of(found) if part.rows else [],
        "plans": plan_codes(),
        "products": product_codes(),
        "kept": {name: value for name, value in address.given.items() if name in FILTERS[-3:]},
        "query": address.href().removeprefix("?"),
        "newer": address.page(part.newer),
        "older": address.page(part.older),
        "no_export": missing(MRR_EXPORT),
    }
    return TemplateResponse(request, "billing/movements.html", context)


def _row(each: MrrMovement) -> dict[str, Any]:
    return {
        "row": each,
        "kind": MOVES[Move(each.kind)],
        "tone": TONES[Move(each.kind)],
        "delta": Money(each.delta_minor, each.currency),
        "after": Money(each.after_minor, each.currency),
    }


def _chips(wanted: MovementFilter, address: Address) -> list[Chip]:
    said = {name: getattr(wanted, name) for name in SAYS if getattr(wanted, name)}
    words = {name: _word(name, value) for name, value in said.items()}
    return [Chip(SAYS[name] % {"value": word}, address.href(**{name: ""})) for name, word in words.items()]


def _word(name: str, value: Any) -> str:
    """A filter's value as people know it."""
    if name == "kind":
        return str(MOVES[Move(value)])
    if isinstance(value, date):
        return str(shortdate(value))
    if name == "customer":
        try:
            return str(customer_of(value).name)
        except NotFound:
            return str(value)
    return str(value)


@page(MRR_EXPORT)
@require_safe
def movements_csv(request: HttpRequest, slug: str) -> HttpResponse:
    """The movements that the filters find, as a file."""
    wanted = MovementsForm(request.GET).wanted()
    today = clock.today(entity().zone)
    try:
        rows = [row for chunk in in_chunks(movement_rows(wanted)) for row in chunk]
    except TooManyRows as error:
        messages.warning(request, error.message)
        return redirect(f"../{Address.of(request.GET, FILTERS).href()}")
    return csv_file(f"recurring-revenue-movements-{today.isoformat()}", _columns(), sorted(rows, key=_by_day))


def _by_day(row: MrrMovement) -> tuple[date, int]:
    return row.day, row.pk


def _columns() -> Sequence[Column]:
    return [
        Column(_("Day"), lambda row: row.day),
        Column(_("Kind"), lambda row: str(MOVES[Move(row.kind)])),
        Column(_("Customer"), lambda row: row.subscription.customer.name),
        Column(_("Subscription"), lambda row: row.subscription.public_id),
        Column(_("Plan"), lambda row: row.subscription.price.plan.name),
        Column(_("Currency"), lambda row: row.currency),
        Column(_("Change a month"), lambda row: Money(row.delta_minor, row.currency)),
        Column(_("A month from then on"), lambda row: Money(row.after_minor, row.currency)),
    ]

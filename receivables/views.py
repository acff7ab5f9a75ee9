"""Ageing as of any day, beside what the ledger says of that day."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from core import clock
from core.fields import Day
from core.money import Money
from core.timeline import link
from core.web import page
from customers.selectors import by_ids
from ledger.selectors import control_balances
from receivables import balances
from receivables.ageing import Aged, ageing
from receivables.domain.dso import Dso, first_day
from receivables.permissions import AGEING_VIEW
from tenants.selectors import entity

SHOWN, SHOWN_AT_MOST = 100, 500
"""Customers of a currency on the page, and when more are asked for; its totals are always of all."""


class AsOfForm(forms.Form):
    """The day the page is about; today when left out."""

    on = Day(label=_("As of"), required=False)

    def clean_on(self) -> date | None:
        on: date | None = self.cleaned_data["on"]
        if on and not date(2000, 1, 1) <= on <= date(2100, 1, 1):
            raise forms.ValidationError(_("That date is too far away."))
        return on


@page(AGEING_VIEW)
@require_GET
def ageing_page(request: HttpRequest, slug: str) -> HttpResponse:
    today = clock.today(entity().zone)
    form = AsOfForm(request.GET or None)
    on = (form.is_valid() and form.cleaned_data["on"]) or today
    booked = control_balances(on)
    found = ageing(on, limit=SHOWN_AT_MOST if request.GET.get("more") else SHOWN)
    named = by_ids({row.customer_id for each in found for row in each.rows})
    context = {
        "slug": slug,
        "today": today,
        "form": form,
        "on": on,
        "more_href": "" if request.GET.get("more") else f"?{urlencode({'on': on.isoformat(), 'more': 1})}",
        "sections": [
            {
                "currency": each.currency,
                "rows": [_row(slug, row, named) for row in each.rows],
                "more": each.count - len(each.rows),
                "total": each.total,
                "proved": booked.get(each.currency, 0) == each.total.net.minor,
            }
            for each in found
        ],
    }
    status = 422 if form.is_bound and form.errors else 200
    return TemplateResponse(request, "receivables/ageing.html", context, status=status)


@page(AGEING_VIEW)
@require_GET
def dso_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Days sales outstanding at the end of a day, with what it is made of."""
    today = clock.today(entity().zone)
    form = AsOfForm(request.GET or None)
    on = (form.is_valid() and form.cleaned_data["on"]) or today
    closing = {each.currency: each.total.net.minor for each in ageing(on, limit=0)}
    context = {
        "slug": slug,
        "today": today,
        "form": form,
        "on": on,
        "since": first_day(on),
        "sections": [_section(slug, code, each, on) for code, each in balances.dso(closing, on=on).items()],
        "crumbs": [{"label": _("Ageing"), "href": link("ageing", slug)}],
    }
    status = 422 if form.is_bound and form.errors else 200
    return TemplateResponse(request, "receivables/dso.html", context, status=status)


def _section(slug: str, code: str, each: Dso, on: date) -> dict[str, Any]:
    issued = {"currency": code, "issued_from": first_day(on).isoformat(), "issued_to": on.isoformat()}
    invoices = link("invoices", slug)
    return {
        "currency": code,
        "dso": each,
        "closing": Money(each.closing_minor, code),
        "invoiced": Money(each.invoiced_minor, code),
        "credited": Money(-each.credited_minor, code),
        "voided": Money(-each.voided_minor, code),
        "sales": Money(each.sales_minor, code),
        "ageing": f"{link('ageing', slug)}?{urlencode({'on': on.isoformat()})}",
        "invoices": invoices and f"{invoices}?{urlencode({'kind': 'invoice', **issued})}",
        "notes": invoices and f"{invoices}?{urlencode({'kind': 'credit_note', **issued})}",
        "voids": invoices and f"{invoices}?{urlencode({'state': 'void', 'currency': code})}",
    }


def _row(slug: str, row: Aged, named: dict[int, Any]) -> dict[str, Any]:
    customer = named[row.customer_id]
    return {"aged": row, "name": customer.name, "href": link("customer", slug, customer.public_id)}

"""Ageing as of any day, beside what the ledger says of that day."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from core import clock
from core.errors import Invalid
from core.fields import Day, Whole
from core.money import Money
from core.pages import attempt, missing
from core.timeline import link
from core.web import page
from customers.permissions import CUSTOMERS_EDIT
from customers.selectors import by_ids, customer
from customers.services.customers import update_customer
from ledger.selectors import control_balances
from receivables import balances
from receivables.ageing import Aged, ageing
from receivables.domain.dso import Dso, first_day
from receivables.domain.habits import DAYS, Habits
from receivables.habits import habits_of, late_items
from receivables.permissions import AGEING_VIEW
from tenants.selectors import entity

SHOWN, SHOWN_AT_MOST = 100, 500
"""Customers of a currency on the page, and when more are asked for; its totals are always of all."""
LATE_SHOWN = 8
"""Invoices that were paid late, on the customer's page."""


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
    shown = {row.customer_id for each in found for row in each.rows}
    named, habits = by_ids(shown), habits_of(shown, today=on)
    context = {
        "slug": slug,
        "today": today,
        "form": form,
        "on": on,
        "more_href": "" if request.GET.get("more") else f"?{urlencode({'on': on.isoformat(), 'more': 1})}",
        "sections": [
            {
                "currency": each.currency,
                "rows": [_row(slug, row, named, habits) for row in each.rows],
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
@require_safe
def customer_habits(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """How a customer pays, as a panel of its page, and what to do about it."""
    owner = customer(public_id)
    today = clock.today(owner.entity.zone)
    found = habits_of([owner.pk], today=today).get(owner.pk, Habits())
    context = {
        "slug": slug,
        "today": today,
        "customer": owner,
        "habits": found,
        "advised": found.deposit_percent if owner.deposit_percent is None and not owner.archived_at else 0,
        "days": DAYS,
        "rows": [
            {
                "item": each,
                "href": link("invoice", slug, each.source) if each.source.startswith("doc_") else "",
            }
            for each in late_items(owner.pk, today=today, limit=LATE_SHOWN)
        ],
        "no_edit": missing(CUSTOMERS_EDIT),
    }
    return TemplateResponse(request, "receivables/parts/habits.html", context)


class DepositForm(forms.Form):
    """What is asked for at once of each new invoice, as it was advised or turned down."""

    deposit_percent = Whole(min_value=0, max_value=100)
    version = Whole(min_value=1, max_value=2**31 - 1)


@page(CUSTOMERS_EDIT)
@require_POST
def customer_deposit(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Ask a customer for a deposit from the next invoice on, or for none."""
    owner = customer(public_id)
    form = DepositForm(request.POST)
    if not form.is_valid():
        raise Invalid("The deposit cannot be saved.", fields={"deposit_percent": "From 0 to 100."})
    percent = form.cleaned_data["deposit_percent"]
    with attempt() as outcome:
        update_customer(owner.pk, version=form.cleaned_data["version"], deposit_percent=percent)
        if percent:
            said = _("%(name)s: %(percent)s %% of each new invoice are due on its day")
        else:
            said = _("%(name)s: no deposit is asked for")
        messages.success(request, said % {"name": owner.name, "percent": percent})
    if outcome.error:
        messages.error(request, outcome.error.message)
    return redirect("customer", slug, owner.public_id)


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


def _row(slug: str, row: Aged, named: dict[int, Any], habits: dict[int, Habits]) -> dict[str, Any]:
    owner = named[row.customer_id]
    its = habits.get(row.customer_id)
    return {
        "aged": row,
        "name": owner.name,
        "href": link("customer", slug, owner.public_id),
        "habits": its if its is not None and its.is_chronic else None,
    }

"""Coupons, and what a subscription has off."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from billing.discount_forms import CouponForm, DiscountForm
from billing.discounting import coupons, live_coupons
from billing.listing import NEWEST, plan_rows, subscription
from billing.models import Coupon
from billing.permissions import SUBSCRIPTIONS_CREATE, SUBSCRIPTIONS_EDIT, SUBSCRIPTIONS_VIEW
from billing.products import product_codes
from billing.services.discounts import archive_coupon, create_coupon, discount, end_discount, give_coupon
from billing.views.subscriptions import subscription_shown
from billing.words import off_text, span_text
from core import clock
from core.errors import Invalid
from core.pages import Outcome, at_fields, attempt, missing, once
from core.paging import Address, paged
from core.web import page
from tenants.selectors import entity


@page(SUBSCRIPTIONS_VIEW)
@require_GET
def coupons_page(request: HttpRequest, slug: str) -> HttpResponse:
    return _coupons(request, slug, CouponForm(plans=_plans(), products=product_codes()))


def _plans() -> list[Any]:
    return list(plan_rows().order_by("name", "id")[:200])


def _coupons(
    request: HttpRequest, slug: str, form: CouponForm, outcome: Outcome | None = None
) -> HttpResponse:
    part = paged(coupons(), NEWEST, request.GET.get("page", ""))
    error = outcome.error if outcome and outcome.error and not isinstance(outcome.error, Invalid) else None
    address = Address()
    context = {
        "slug": slug,
        "today": clock.today(entity().zone),
        "rows": [_row(each) for each in part.rows],
        "form": form,
        "error": error,
        "no_create": missing(SUBSCRIPTIONS_CREATE),
        "no_edit": missing(SUBSCRIPTIONS_EDIT),
        "newer": address.page(part.newer),
        "older": address.page(part.older),
    }
    status = outcome.status if outcome and outcome.error else 422 if form.errors else 200
    return TemplateResponse(request, "billing/coupons.html", context, status=status)


def _row(row: Coupon) -> dict[str, Any]:
    return {
        "row": row,
        "off": off_text(row.percent, row.amount, row.currency, row.per),
        "span": span_text(row.periods),
        "plans": ", ".join([*row.products, *row.plans]),
    }


@page(SUBSCRIPTIONS_CREATE)
@require_POST
def coupon_new(request: HttpRequest, slug: str) -> HttpResponse:
    form = CouponForm(request.POST, plans=_plans(), products=product_codes())
    if not form.is_valid():
        return _coupons(request, slug, form)
    with attempt() as outcome:
        said = dict(form.cleaned_data)
        once(said.pop("key"), lambda: create_coupon(**said).public_id)
        messages.success(request, _("Coupon saved"))
    if outcome.error:
        at_fields(form, outcome.error)
        return _coupons(request, slug, form, outcome)
    return redirect("coupons", slug)


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def coupon_archive(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Give it no more."""
    archive_coupon(public_id)
    messages.success(request, _("It is not given any more"))
    return redirect("coupons", slug)


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def discount_add(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Give the subscription a coupon, or a discount of its own."""
    subscription(public_id)
    form = DiscountForm(request.POST, coupons=live_coupons(clock.today(entity().zone)))
    if not form.is_valid():
        return subscription_shown(request, slug, public_id, typed={"discount": form})
    with attempt() as outcome:
        said = dict(form.cleaned_data)
        once(said.pop("key"), lambda: _given(public_id, said))
        messages.success(request, _("The discount is given"))
    if outcome.error:
        at_fields(form, outcome.error)
        return subscription_shown(request, slug, public_id, typed={"discount": form}, error=outcome.error)
    return redirect("subscription", slug, public_id)


def _given(public_id: str, said: dict[str, Any]) -> str:
    today, code = clock.today(entity().zone), said.pop("coupon")
    if not code:
        return discount(public_id, today=today, **said).public_id
    on = said.pop("on")
    if typed := [name for name, value in said.items() if value not in (None, "")]:
        problem = _("The coupon says this itself.")
        raise Invalid(problem, fields=dict.fromkeys(typed, problem))
    return give_coupon(public_id, coupon=code, on=on, today=today).public_id


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def discount_end(request: HttpRequest, slug: str, public_id: str, discount: str) -> HttpResponse:
    """Take nothing off what is not billed yet."""
    with attempt() as outcome:
        end_discount(discount, of=public_id, today=clock.today(entity().zone))
        messages.success(request, _("What is billed keeps it; nothing comes off after that"))
    if outcome.error:
        return subscription_shown(request, slug, public_id, error=outcome.error)
    return redirect("subscription", slug, public_id)

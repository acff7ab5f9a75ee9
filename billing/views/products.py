"""Products: what there is, what belongs to each, and which plan belongs to which."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from billing import features, products
from billing.listing import NEWEST, plan_rows
from billing.models import PLAN, Product
from billing.permissions import SUBSCRIPTIONS_CREATE, SUBSCRIPTIONS_EDIT, SUBSCRIPTIONS_VIEW
from billing.product_forms import (
    PlanDepositForm,
    PlanProductForm,
    ProductForm,
    ProductPlanForm,
    ProductWordsForm,
)
from billing.services.deposits import set_plan_deposit
from billing.services.products import (
    archive_product,
    change_product,
    create_product,
    move_plan,
    restore_product,
)
from billing.views.prices import plans_shown
from billing.words import amount_text
from core import clock
from core.errors import AppError, Invalid
from core.pages import at_fields, attempt, missing, once
from core.paging import Address, paged
from core.web import page
from tenants.selectors import entity

MOST_PLANS = 500
"""Plans that a product's page lets people choose from; others are moved on the page of plans."""


@dataclass(slots=True)
class Typed:
    """The dialogs of a product's page with what was typed, and what a service said of it."""

    words: ProductWordsForm | None = None
    plan: ProductPlanForm | None = None
    error: AppError | None = None

    @property
    def status(self) -> int:
        refused = any(form is not None and form.errors for form in (self.words, self.plan))
        return self.error.status if self.error else 422 if refused else 200


@page(SUBSCRIPTIONS_VIEW)
@require_GET
def products_page(request: HttpRequest, slug: str) -> HttpResponse:
    return _products(request, slug, ProductForm())


def _products(
    request: HttpRequest, slug: str, form: ProductForm, error: AppError | None = None
) -> HttpResponse:
    part = paged(products.products(), NEWEST, request.GET.get("page", ""))
    counts, address = products.plan_counts(), Address()
    context = {
        "slug": slug,
        "rows": [{"row": each, "n": counts.get(each.pk, 0)} for each in part.rows],
        "form": form,
        "error": error if not isinstance(error, Invalid) else None,
        "no_create": missing(SUBSCRIPTIONS_CREATE),
        "newer": address.page(part.newer),
        "older": address.page(part.older),
    }
    status = error.status if error else 422 if form.errors else 200
    return TemplateResponse(request, "billing/products.html", context, status=status)


@page(SUBSCRIPTIONS_CREATE)
@require_POST
def product_new(request: HttpRequest, slug: str) -> HttpResponse:
    form = ProductForm(request.POST)
    if not form.is_valid():
        return _products(request, slug, form)
    with attempt() as outcome:
        said = dict(form.cleaned_data)
        made = once(said.pop("key"), lambda: create_product(**said).public_id)
        messages.success(request, _("Product saved"))
    if outcome.error:
        at_fields(form, outcome.error)
        return _products(request, slug, form, outcome.error)
    return redirect("product", slug, made)


@page(SUBSCRIPTIONS_VIEW)
@require_GET
def product_page(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    return _product(request, slug, products.product(public_id), Typed())


def _product(request: HttpRequest, slug: str, row: Product, typed: Typed) -> HttpResponse:
    today = clock.today(entity().zone)
    counts = products.subscribed_to(row.code)
    others = plan_rows().exclude(product=row).order_by("name", "id")[:MOST_PLANS]
    words = {"name": row.name, "description": row.description}
    context = {
        "slug": slug,
        "crumbs": [
            {"label": _("Plans"), "href": reverse("plans", args=[slug])},
            {"label": _("Products"), "href": reverse("products", args=[slug])},
        ],
        "row": row,
        "today": today,
        "sold": [_sold(each, counts) for each in products.sold_as(row, today)],
        "words": typed.words or ProductWordsForm(initial=words, auto_id="id_words_%s"),
        "adding": typed.plan or ProductPlanForm(plans=list(others)),
        "error": typed.error if not isinstance(typed.error, Invalid) else None,
        "no_create": missing(SUBSCRIPTIONS_CREATE),
        "no_edit": missing(SUBSCRIPTIONS_EDIT),
    }
    return TemplateResponse(request, "billing/product.html", context, status=typed.status)


def _sold(each: products.Sold, counts: dict[tuple[int, str], int]) -> dict[str, Any]:
    mine = {role: n for (plan_id, role), n in counts.items() if plan_id == each.plan.pk}
    return {
        "plan": each.plan,
        "prices": [{"row": price, "amount": amount_text(price)} for price in each.prices],
        "n": mine.get(PLAN, 0),
        "beside": sum(n for role, n in mine.items() if role != PLAN),
        "mrr": each.mrr,
    }


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def product_save(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Call or describe it otherwise."""
    row = products.product(public_id)
    form = ProductWordsForm(request.POST, auto_id="id_words_%s")
    if not form.is_valid():
        return _product(request, slug, row, Typed(words=form))
    with attempt() as outcome:
        change_product(public_id, **form.cleaned_data)
        messages.success(request, _("Product saved"))
    if outcome.error:
        at_fields(form, outcome.error)
        return _product(request, slug, row, Typed(words=form, error=outcome.error))
    return redirect("product", slug, public_id)


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def product_archive(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Offer its plans no more."""
    archive_product(public_id)
    messages.success(request, _("Its plans are not offered any more; who has one keeps it"))
    return redirect("product", slug, public_id)


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def product_restore(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Offer its plans again."""
    restore_product(public_id)
    messages.success(request, _("Its plans are offered again"))
    return redirect("product", slug, public_id)


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def product_plan(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Let a plan belong to the product."""
    row = products.product(public_id)
    form = ProductPlanForm(request.POST, plans=list(plan_rows()))
    if not form.is_valid():
        return _product(request, slug, row, Typed(plan=form))
    with attempt() as outcome:
        plan = move_plan(form.cleaned_data["plan"], product=row.code)
        messages.success(
            request, _("%(plan)s belongs to %(product)s") % {"plan": plan.name, "product": row.name}
        )
    if outcome.error:
        form.add_error("plan", outcome.error.message)
        return _product(request, slug, row, Typed(plan=form, error=outcome.error))
    return redirect("product", slug, public_id)


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def plan_deposit(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Have a part of each invoice with a plan paid at once."""
    plan = features.plan(public_id)
    form = PlanDepositForm(request.POST, plan=plan)
    if not form.is_valid():
        return plans_shown(request, slug, depositing=(plan, form))
    with attempt() as outcome:
        saved = set_plan_deposit(plan.public_id, form.cleaned_data["deposit_percent"])
        messages.success(request, _("%(plan)s: saved") % {"plan": saved.name})
    if outcome.error:
        at_fields(form, outcome.error)
        return plans_shown(request, slug, depositing=(plan, form), error=outcome.error)
    return redirect("plans", slug)


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def plan_product(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Let a plan belong to another product, or to none."""
    plan = features.plan(public_id)
    form = PlanProductForm(request.POST, plan=plan, products=products.choices())
    if not form.is_valid():
        return plans_shown(request, slug, moving=(plan, form))
    with attempt() as outcome:
        moved = move_plan(plan.public_id, product=form.cleaned_data["product"])
        messages.success(request, _("%(plan)s: saved") % {"plan": moved.name})
    if outcome.error:
        at_fields(form, outcome.error)
        return plans_shown(request, slug, moving=(plan, form), error=outcome.error)
    return redirect("plans", slug)

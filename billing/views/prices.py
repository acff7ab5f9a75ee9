"""Plans with their prices: what each costs, a new one, and what a quantity would come to."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.curve import curve
from billing.domain.pricing import Terms
from billing.domain.terms import BadTerms, terms_of
from billing.features import plan as plan_named
from billing.forms import QuoteForm
from billing.listing import plans, price, subscribed
from billing.metering import meters
from billing.models import Meter, Plan, PlanOffer, Price
from billing.offer_forms import EFFECTS, PlanOffersForm
from billing.offers import all_offers, may_be_offered
from billing.permissions import SUBSCRIPTIONS_CREATE, SUBSCRIPTIONS_EDIT, SUBSCRIPTIONS_VIEW
from billing.price_forms import CELLS, TypedPrice, blank, read
from billing.product_forms import PlanDepositForm, PlanProductForm
from billing.products import choices, product_codes
from billing.quotes import quoted, terms_at
from billing.services.prices import create_price, retire_price
from billing.words import amount_text, model_text
from core.errors import AppError, Invalid
from core.money import Money
from core.pages import Outcome, attempt, missing, once
from core.templatetags.fmt import yeardays
from core.web import page
from invoicing.explain import price_text, steps
from tenants.selectors import entity

ONE = Decimal(1)


@page(SUBSCRIPTIONS_VIEW)
@require_GET
def plans_page(request: HttpRequest, slug: str) -> HttpResponse:
    return plans_shown(request, slug)


def plans_shown(
    request: HttpRequest,
    slug: str,
    *,
    moving: tuple[Plan, PlanProductForm] | None = None,
    offering: tuple[Plan, PlanOffersForm] | None = None,
    depositing: tuple[Plan, PlanDepositForm] | None = None,
    error: AppError | None = None,
) -> HttpResponse:
    """Plans by product with their prices, those of `?product=`, and the dialog that moves the one of `?move=`, or says
    what customers on the one of `?offers=` may change to, or how much of `?deposit=` is due at once."""
    named, wanted = product_codes(), _named(request, "product")
    if (asked := _named(request, "move")) and moving is None:
        plan = plan_named(asked)
        moving = plan, PlanProductForm(plan=plan, products=choices())
    offered = all_offers()
    if (asked := _named(request, "offers")) and offering is None:
        plan = plan_named(asked)
        offering = plan, PlanOffersForm(plans=may_be_offered(plan), there=offered[plan.pk])
    if (asked := _named(request, "deposit")) and depositing is None:
        plan = plan_named(asked)
        depositing = plan, PlanDepositForm(plan=plan)
    context = {
        "slug": slug,
        "groups": _by_product(wanted, subscribed(), offered),
        "products": named,
        "wanted": wanted,
        "moving": moving,
        "offering": offering,
        "depositing": depositing,
        "error": error if not isinstance(error, Invalid) else None,
        "no_create": missing(SUBSCRIPTIONS_CREATE),
        "no_edit": missing(SUBSCRIPTIONS_EDIT),
    }
    refused = any(each is not None and each[1].errors for each in (moving, offering, depositing))
    status = error.status if error else 422 if refused else 200
    return TemplateResponse(request, "billing/plans.html", context, status=status)


def _by_product(
    wanted: str, counts: Mapping[int, int], offered: Mapping[int, list[PlanOffer]]
) -> list[dict[str, Any]]:
    return [
        {
            "product": product,
            "plans": [
                {
                    "plan": plan,
                    "prices": [_shown(each, counts.get(each.pk, 0)) for each in its_prices],
                    "offers": [(row.to, EFFECTS[row.takes_effect]) for row in offered.get(plan.pk, ())],
                }
                for plan, its_prices in its_plans
            ],
        }
        for product, its_plans in groupby(plans(product=wanted), key=lambda each: each[0].product)
    ]


def _named(request: HttpRequest, name: str) -> str:
    return request.GET.get(name, "").replace("\x00", "")[:40]


def _shown(row: Price, count: int) -> dict[str, Any]:
    return {"row": row, "amount": amount_text(row), "model": model_text(row), "n": count}


@page(SUBSCRIPTIONS_CREATE, several=CELLS)
@require_http_methods(["GET", "POST"])
def price_new(request: HttpRequest, slug: str) -> HttpResponse:
    if request.method == "GET":
        return _form(request, slug, blank(_initial(request), _meters(), choices()))
    typed = read(request.POST, _meters(), choices())
    if "save" not in request.POST:
        return _form(request, slug, typed)
    if not typed.valid:
        return _form(request, slug, typed, status=422)
    with attempt() as outcome:
        made = once(typed.form.cleaned_data["key"], lambda: create_price(**typed.price()).public_id)
        messages.success(request, _("Price saved"))
    if outcome.error:
        if isinstance(outcome.error, Invalid):
            typed.take(outcome.error.fields)
        return _form(request, slug, typed, outcome=outcome)
    return redirect("price", slug, made)


def _meters() -> list[Meter]:
    return list(meters().filter(archived_at=None).order_by("name", "pk"))


def _initial(request: HttpRequest) -> dict[str, Any]:
    """What a new price begins with: the house's currency and tax, or those of the price that it replaces."""
    if old := _named(request, "replaces"):
        row = price(old)
        same = {name: getattr(row, name) for name in ("currency", "every", "unit", "timing", "model")}
        tax = f"{row.tax_percent.normalize():f}"
        said = {"name": row.plan.name, "code": row.plan.code, "meter": row.meter.code if row.meter else ""}
        said["dates"] = ", ".join(yeardays([each]) for each in row.dates)
        return {**said, "replaces": old, "tax_percent": tax, **same}
    house = entity()
    said = {"code": _named(request, "plan"), "product": _named(request, "product")}
    return {"currency": house.currency, "tax_percent": f"{house.tax_percent.normalize():f}", **said}


def _form(
    request: HttpRequest, slug: str, typed: TypedPrice, *, status: int = 200, outcome: Outcome | None = None
) -> HttpResponse:
    context = {
        "slug": slug,
        "typed": typed,
        "crumbs": [{"label": _("Plans"), "href": reverse("plans", args=[slug])}],
        "replaced": price(typed.replaces) if typed.replaces else None,
        "error": outcome.error if outcome and not isinstance(outcome.error, Invalid) else None,
        **_typed_quote(typed),
    }
    return TemplateResponse(
        request, "billing/price_new.html", context, status=outcome.status if outcome else status
    )


@page(SUBSCRIPTIONS_CREATE, several=CELLS)
@require_POST
def price_typed(request: HttpRequest, slug: str) -> HttpResponse:
    """The fields of the chosen model and what a quantity would cost, while somebody types; writes nothing."""
    typed = read(request.POST, _meters(), choices())
    return TemplateResponse(
        request,
        "billing/parts/typed_price.html",
        {"slug": slug, "typed": typed, "live": True, **_typed_quote(typed)},
    )


def _typed_quote(typed: TypedPrice) -> dict[str, Any]:
    """What the typed quantity costs, or the first thing that keeps it from being known."""
    if not typed.form.is_bound:
        return {"quote": None, "unknown": ""}
    typed.form.is_valid()
    said = typed.form.cleaned_data
    currency, quantity = said.get("currency"), said.get("quantity")
    try:
        terms = terms_of(str(typed.model), typed.terms())
    except BadTerms as error:
        return {"quote": None, "unknown": next(iter(error.fields.values()))}
    if not currency or quantity is None or not typed.rows_sound:
        return {"quote": None, "unknown": ""}
    return _quote(terms, currency, quantity)


def _quote(terms: Terms, currency: str, quantity: Decimal) -> dict[str, Any]:
    try:
        found = quoted(terms, currency, quantity, [quantity])
    except Invalid as error:
        return {"quote": None, "unknown": error.message}
    amount = Money(found.amount_minor, currency)
    return {
        "quote": found,
        "costs": amount,
        "steps": steps(found.why, amount),
        "curve": curve(terms, currency, quantity),
        "unknown": "",
    }


@page(SUBSCRIPTIONS_VIEW)
@require_GET
def price_page(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    row = price(public_id)
    form = QuoteForm(request.GET if "quantity" in request.GET else {"quantity": "1"})
    context = {
        "slug": slug,
        "crumbs": [{"label": _("Plans"), "href": reverse("plans", args=[slug])}],
        "row": row,
        "form": form,
        **_shown(row, subscribed().get(row.pk, 0)),
        "terms": _terms(row),
        **_asked(row, form),
        "no_create": missing(SUBSCRIPTIONS_CREATE),
        "no_edit": missing(SUBSCRIPTIONS_EDIT),
    }
    return TemplateResponse(request, "billing/price.html", context, status=200 if form.is_valid() else 422)


def _asked(row: Price, form: QuoteForm) -> Mapping[str, Any]:
    if not form.is_valid():
        return {"quote": None, "unknown": ""}
    return _quote(terms_at(row), row.currency, form.cleaned_data["quantity"])


@page(SUBSCRIPTIONS_VIEW)
@require_GET
def price_quote(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """What a quantity costs at the price, for its page while somebody types."""
    row = price(public_id)
    form = QuoteForm(request.GET)
    context = {"slug": slug, **_asked(row, form)}
    if not form.is_valid():
        context["unknown"] = " ".join(str(message) for message in form.errors.get("quantity", []))
    return TemplateResponse(request, "billing/parts/quote.html", context)


def _terms(row: Price) -> dict[str, Any]:
    terms = terms_at(row)
    return {
        "tiers": [
            {
                "tier": tier,
                "each": price_text(tier.unit_price, row.currency),
                "flat": price_text(tier.flat, row.currency),
            }
            for tier in terms.tiers
        ],
        "has_per": any(tier.per for tier in terms.tiers),
        "is_share": row.model == "graduated_percentage",
        "is_stair": row.model == "stairstep",
        "rest": terms,
    }


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def price_retire(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    retire_price(public_id)
    messages.success(request, _("Not offered any more; who has it keeps it"))
    return redirect("price", slug, public_id)

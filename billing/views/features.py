"""Features: the plans beside each other, what each grants, and what customers are entitled to."""

from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing import features
from billing.entitlements import Whose, entitlements
from billing.feature_forms import FeatureForm, FeatureWordsForm, OverrideForm, PlanFeaturesForm
from billing.feature_words import entitled_lines, grant_text
from billing.features import Matrix, matrix, value_of
from billing.listing import subscription
from billing.models import Feature, FeatureGrant, Plan, Subscription
from billing.permissions import SUBSCRIPTIONS_CREATE, SUBSCRIPTIONS_EDIT, SUBSCRIPTIONS_VIEW
from billing.services.features import change_feature, create_feature, retire_feature, set_plan_features
from billing.services.overrides import remove_override, set_override
from core import clock
from core.errors import AppError, Invalid, NotFound
from core.pages import at_fields, attempt, missing, once
from core.web import page


@dataclass(slots=True)
class Shown:
    """What the page shows beside its table: one dialog at most, and how the act that was tried ended."""

    new: FeatureForm = field(default_factory=FeatureForm)
    plan: tuple[Plan, PlanFeaturesForm] | None = None
    feature: tuple[Feature, FeatureWordsForm] | None = None
    error: AppError | None = None


@page(SUBSCRIPTIONS_VIEW)
@require_GET
def features_page(request: HttpRequest, slug: str) -> HttpResponse:
    """What plans grant; `?plan=` and `?feature=` open the dialog that changes one."""
    found, shown = matrix(), Shown()
    if wanted := _named(request, "plan"):
        plan = next((each for each in found.plans if each.public_id == wanted), None)
        shown.plan = (plan, _plan_form(found, plan)) if plan else None
    if wanted := _named(request, "feature"):
        row = next((each for each, _grants in found.rows if each.public_id == wanted), None)
        shown.feature = (row, FeatureWordsForm(initial=_words(row), auto_id="id_words_%s")) if row else None
    return _page(request, slug, found, shown)


def _named(request: HttpRequest, name: str) -> str:
    return request.GET.get(name, "").replace("\x00", "")[:40]


def _plan_form(found: Matrix, plan: Plan, data: Any = None) -> PlanFeaturesForm:
    granted = found.of(plan)
    offered = [row for row, _grants in found.rows if row.retired_at is None or row.code in granted]
    return PlanFeaturesForm(data, features=offered, granted=granted)


def _words(row: Feature) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("name", "unit", "combine", "per_unit")}


def _page(request: HttpRequest, slug: str, found: Matrix, shown: Shown) -> HttpResponse:
    forms = [shown.new, *(each[1] for each in (shown.plan, shown.feature) if each)]
    refused = any(form.is_bound and form.errors for form in forms)
    context = {
        "slug": slug,
        "plans": found.plans,
        "rows": [{"row": row, "cells": [_cell(row, each) for each in grants]} for row, grants in found.rows],
        "shown": shown,
        "error": shown.error if not isinstance(shown.error, Invalid) else None,
        "no_create": missing(SUBSCRIPTIONS_CREATE),
        "no_edit": missing(SUBSCRIPTIONS_EDIT),
    }
    status = shown.error.status if shown.error else 422 if refused else 200
    return TemplateResponse(request, "billing/features.html", context, status=status)


def _cell(row: Feature, grant: FeatureGrant | None) -> str:
    return "" if grant is None else grant_text(row.kind, row.unit, value_of(grant), per_unit=row.per_unit)


@page(SUBSCRIPTIONS_CREATE)
@require_POST
def feature_new(request: HttpRequest, slug: str) -> HttpResponse:
    form = FeatureForm(request.POST)
    if not form.is_valid():
        return _page(request, slug, matrix(), Shown(new=form))
    with attempt() as outcome:
        said = dict(form.cleaned_data)
        once(said.pop("key"), lambda: create_feature(**said).public_id)
        messages.success(request, _("Feature saved"))
    if outcome.error:
        _take(form, outcome.error)
        return _page(request, slug, matrix(), Shown(new=form, error=outcome.error))
    return redirect("features", slug)


def _take(form: Any, error: AppError) -> None:
    """Put a refusal's sentences at their fields, or its own above them all."""
    if not at_fields(form, error):
        form.add_error(None, error.message)


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def feature_save(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Call a feature otherwise, or let its limits come to something else."""
    row = features.feature(public_id)
    form = FeatureWordsForm(request.POST, auto_id="id_words_%s")
    if not form.is_valid():
        return _page(request, slug, matrix(), Shown(feature=(row, form)))
    with attempt() as outcome:
        change_feature(row.public_id, **form.cleaned_data)
        messages.success(request, _("Feature saved"))
    if outcome.error:
        _take(form, outcome.error)
        return _page(request, slug, matrix(), Shown(feature=(row, form), error=outcome.error))
    return redirect("features", slug)


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def feature_retire(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    retire_feature(public_id)
    messages.success(request, _("Not granted anew any more; who has it keeps it"))
    return redirect("features", slug)


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def plan_features(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Let a plan grant what was typed, to all who have it."""
    found = matrix()
    plan = next((each for each in found.plans if each.public_id == public_id), None)
    if plan is None:
        raise NotFound("That plan is not here.")
    form = _plan_form(found, plan, request.POST)
    if not form.is_valid():
        return _page(request, slug, found, Shown(plan=(plan, form)))
    wanted = form.granted()
    with attempt() as outcome:
        set_plan_features(plan.public_id, wanted)
        messages.success(request, _("%(plan)s: saved for all who have it") % {"plan": plan.name})
    if outcome.error:
        if isinstance(outcome.error, Invalid):
            form.refuse(wanted, outcome.error.fields)
        return _page(request, slug, found, Shown(plan=(plan, form), error=outcome.error))
    return redirect("features", slug)


@page(SUBSCRIPTIONS_VIEW)
@require_GET
def customer_entitled(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """What a customer is entitled to, as a panel of its page."""
    return _entitled(request, slug, Whose.CUSTOMER, public_id)


@page(SUBSCRIPTIONS_VIEW)
@require_GET
def subscription_entitled(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """What a subscription grants, as a panel of its page."""
    return _entitled(request, slug, Whose.SUBSCRIPTION, public_id)


def _entitled(request: HttpRequest, slug: str, whose: Whose, public_id: str) -> HttpResponse:
    found = entitlements(whose, public_id)
    lines, without = entitled_lines(found.found)
    context = {
        "slug": slug,
        "lines": lines,
        "without": without,
        "own": found.whose if whose is Whose.SUBSCRIPTION else "",
        "no_edit": missing(SUBSCRIPTIONS_EDIT),
    }
    return TemplateResponse(request, "billing/parts/entitled.html", context)


@page(SUBSCRIPTIONS_EDIT)
@require_http_methods(["GET", "POST"])
def override(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Let a subscription have something of a feature by its own; the feature is chosen first, by `?feature=`."""
    row = subscription(public_id)
    offered = [each for each in features.features().order_by("pk") if each.retired_at is None]
    wanted = request.POST.get("feature", "") or _named(request, "feature")
    chosen = next((each for each in offered if each.code == wanted), offered[0] if offered else None)
    there = features.override(row, chosen) if chosen else None
    if request.method == "GET" or chosen is None:
        form = OverrideForm(feature=chosen, there=there) if chosen else None
        return _override(request, slug, row, offered, form)
    form = OverrideForm(request.POST, feature=chosen, there=there)
    if not form.is_valid():
        return _override(request, slug, row, offered, form)
    with attempt() as outcome:
        set_override(public_id, feature=chosen.code, today=clock.today(row.zone), **form.said())
        messages.success(request, _("%(feature)s: saved") % {"feature": chosen.name})
    if outcome.error:
        _take(form, outcome.error)
        return _override(request, slug, row, offered, form)
    return redirect("subscription", slug, public_id)


def _override(
    request: HttpRequest, slug: str, row: Subscription, offered: list[Feature], form: OverrideForm | None
) -> HttpResponse:
    context = {
        "slug": slug,
        "row": row,
        "offered": offered,
        "form": form,
        "crumbs": [
            {"label": _("Subscriptions"), "href": reverse("subscriptions", args=[slug])},
            {"label": row.customer.name, "href": reverse("subscription", args=[slug, row.public_id])},
        ],
    }
    status = 422 if form is not None and form.errors else 200
    return TemplateResponse(request, "billing/override.html", context, status=status)


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def override_remove(request: HttpRequest, slug: str, public_id: str, feature: str) -> HttpResponse:
    """Let a subscription have what its items grant again."""
    try:
        remove_override(public_id, feature=feature)
        messages.success(request, _("The override is gone"))
    except NotFound:
        subscription(public_id)  # a second click finds the override gone already, which is what was asked for
    return redirect("subscription", slug, public_id)

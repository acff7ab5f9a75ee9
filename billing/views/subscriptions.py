"""Subscriptions: the list, a new one, and what each bills."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.counted import comes_on, corrections_of
from billing.discount_forms import DiscountForm
from billing.discounting import discounts_in_order, live_coupons
from billing.forms import ChangeForm, ItemForm, SubscriptionFilterForm, SubscriptionForm
from billing.lifecycle_forms import AgainForm, EndAllForm, EndForm, PauseForm
from billing.listing import (
    NEWEST,
    BilledItem,
    item_rows,
    items,
    periods,
    plan_codes,
    price,
    prices,
    subscription,
    subscriptions,
)
from billing.models import ONCE, PLAN, Price, Subscription, SubscriptionDiscount
from billing.permissions import RUNS_START, SUBSCRIPTIONS_CREATE, SUBSCRIPTIONS_EDIT, SUBSCRIPTIONS_VIEW
from billing.previews import NextBill, next_bill
from billing.ramps import Upcoming, upcoming
from billing.selectors import subscription_facts
from billing.services.change import subscribe_in_steps
from billing.services.prices import own_price
from billing.services.subscriptions import release
from billing.standing import state_of
from billing.step_forms import TypedSteps, read_steps
from billing.together import NextCredit
from billing.words import amount_text, model_text, off_text
from core import clock
from core.errors import AppError, Invalid, NotFound
from core.money import Money
from core.pages import attempt, missing, once
from core.paging import paged
from core.web import page
from customers.lookup import label_of, named
from customers.selectors import customer as customer_of
from invoicing.explain import steps
from tenants.selectors import entity


def find_named(form: Any, text: str) -> str:
    """Public id of the customer that a filter names; none, and a sentence at the field, when there is no such one."""
    try:
        return str(named(text).public_id)
    except Invalid as error:
        form.add_error("customer_name", error.message)
        return ""


def _link(given: QueryDict, *drop: str, **put: str) -> str:
    kept = {name: value for name, value in given.items() if name not in {*drop, "page"} and value}
    return f"?{urlencode({**kept, **{name: value for name, value in put.items() if value}})}"


@page(SUBSCRIPTIONS_VIEW)
@require_GET
def subscriptions_page(request: HttpRequest, slug: str) -> HttpResponse:
    form = SubscriptionFilterForm(request.GET)
    form.is_valid()
    said = form.cleaned_data
    if said.get("customer_name") and (owner := find_named(form, said["customer_name"])):
        return redirect(request.path + _link(request.GET, "customer_name", customer=owner))
    wanted: dict[str, Any] = {name: said.get(name) or "" for name in ("state", "customer", "plan")}
    today = clock.today(entity().zone)
    found = subscriptions(today=today, **wanted)
    part = paged(found, NEWEST, request.GET.get("page", ""))
    codes = plan_codes()
    context = {
        "slug": slug,
        "today": today,
        "form": form,
        "rows": [_row(each) for each in part.rows],
        "plans": codes,
        "tabs": _tabs(request.GET, wanted["state"]),
        "chips": _chips(request.GET, wanted, codes),
        "newer": _link(request.GET, page=part.newer) if part.newer else "",
        "older": _link(request.GET, page=part.older) if part.older else "",
        "back": request.GET.urlencode(),
        "every": found.count() if part.newer or part.older else 0,
        "no_create": missing(SUBSCRIPTIONS_CREATE),
        "no_edit": missing(SUBSCRIPTIONS_EDIT),
    }
    return TemplateResponse(request, "billing/subscriptions.html", context)


def _row(each: Any) -> dict[str, Any]:
    return {
        "row": each,
        "state": state_of(each),
        "price": amount_text(each.price),
    }


def _tabs(given: QueryDict, state: str) -> list[dict[str, Any]]:
    words = {
        "": _("All"),
        "active": _("Active"),
        "trialing": _("In trial"),
        "past_due": _("Past due"),
        "paused": _("Paused"),
        "held": _("Held"),
    }
    words["ended"] = _("Ended")
    return [
        {"label": word, "href": _link(given, "state", state=name), "current": name == state}
        for name, word in words.items()
    ]


def _chips(given: QueryDict, wanted: dict[str, str], codes: list[dict[str, Any]]) -> list[dict[str, str]]:
    chips = []
    if wanted["customer"]:
        try:
            name = str(customer_of(wanted["customer"]).name)
        except NotFound:
            name = wanted["customer"]
        chips.append({"label": _("Customer is %(name)s") % {"name": name}, "href": _link(given, "customer")})
    if wanted["plan"]:
        name = next((each["name"] for each in codes if each["code"] == wanted["plan"]), wanted["plan"])
        chips.append({"label": _("Plan is %(name)s") % {"name": name}, "href": _link(given, "plan")})
    return chips


@page(SUBSCRIPTIONS_CREATE)
@require_http_methods(["GET", "POST"])
def subscription_new(request: HttpRequest, slug: str) -> HttpResponse:
    today = clock.today(entity().zone)
    plans = _plans()
    if request.method == "GET":
        form = SubscriptionForm(prices=plans, today=today, initial=_initial(request))
        return _new(request, slug, form, read_steps(None, plans))
    form = SubscriptionForm(request.POST, prices=plans, today=today)
    typed = read_steps(request.POST, plans)
    if request.POST.get("more"):
        return _new(request, slug, form, typed)
    if not all([form.is_valid(), typed.valid]):
        _point_at(form, typed)
        return _new(request, slug, form, typed, 422)
    said = form.cleaned_data
    with attempt() as outcome:
        made = once(said["key"], lambda: _subscribe(form, typed, today))
        messages.success(request, _("Subscription made"))
    if outcome.error:
        _refused(form, typed, outcome.error)
        return _new(request, slug, form, typed, outcome.status)
    return redirect("subscription", slug, made)


def _refused(form: SubscriptionForm, typed: TypedSteps, error: AppError) -> None:
    """Put a refusal's sentences where they belong: at a step, a field, or above all."""
    fields = error.fields if isinstance(error, Invalid) else {}
    left = typed.take(fields)
    for name, message in left.items() if fields else [("", error.message)]:
        form.add_error(name if name in form.fields else None, message)
    _point_at(form, typed)


def _plans() -> list[Price]:
    """The prices that a subscription may begin with."""
    return [each for each in prices() if each.unit != ONCE]


def _point_at(form: SubscriptionForm, typed: TypedSteps) -> None:
    """Say above all that something is wrong with a step, further down."""
    if not typed.valid:
        form.add_error(None, _("A step further down cannot be as it is typed."))


def _subscribe(form: SubscriptionForm, typed: TypedSteps, today: date) -> str:
    said = form.cleaned_data
    made = subscribe_in_steps(
        steps=typed.steps(),
        today=today,
        customer=named(said["customer"]).public_id,
        price=priced(said),
        starts_on=said["starts_on"],
        quantity=said["quantity"],
        autopay=said["autopay"],
        ends_on=said["ends_on"],
        rhythm=form.rhythm,
    )
    return made.public_id


def priced(said: dict[str, Any]) -> Price:
    """The price that was chosen, taken out of what was typed, or the same with the unit price typed beside it."""
    chosen, unit_price = price(said.pop("price")), said.pop("unit_price")
    return chosen if unit_price is None else own_price(chosen, unit_price)


def _initial(request: HttpRequest) -> dict[str, str]:
    public_id = request.GET.get("customer", "").replace("\x00", "")[:40]
    return {"customer": label_of(customer_of(public_id))} if public_id else {}


def _new(
    request: HttpRequest, slug: str, form: SubscriptionForm, typed: TypedSteps, status: int = 200
) -> HttpResponse:
    crumbs = [{"label": _("Subscriptions"), "href": reverse("subscriptions", args=[slug])}]
    context = {"slug": slug, "form": form, "steps": typed, "crumbs": crumbs}
    return TemplateResponse(request, "billing/subscription_new.html", context, status=status)


@page(SUBSCRIPTIONS_VIEW)
@require_GET
def subscription_page(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    return subscription_shown(request, slug, public_id)


def subscription_shown(
    request: HttpRequest,
    slug: str,
    public_id: str,
    *,
    typed: Mapping[str, Form] | None = None,
    error: AppError | None = None,
) -> HttpResponse:
    """The page, or the page after a refusal with what was typed, by the dialog that it was typed into."""
    row = subscription(public_id)
    typed = typed or {}
    today = clock.today(entity().zone)
    part = paged(periods(row), NEWEST, request.GET.get("page", ""))
    corrected = corrections_of(
        [each for each in part.rows if each.item.price.meter_id]
    )  # nothing else has any
    currency = row.price.currency
    (facts,) = subscription_facts([row.pk])
    coming = next_bill(row, today=today, facts=facts)
    rows = item_rows(row)
    its_items = items(row, facts, rows)
    coming_steps = upcoming(row, today=today, facts=facts, items=rows)
    days = {each.on for each in coming_steps}
    later = {each.row.pk for each in its_items if each.row.role == PLAN and each.row.starts_on in days}
    offered = prices(currency=currency)
    context = {
        "slug": slug,
        "today": today,
        "crumbs": [{"label": _("Subscriptions"), "href": reverse("subscriptions", args=[slug])}],
        **_row(row),
        "periods": [
            {
                "row": each,
                "amount": Money(each.amount_minor, currency),
                "last_day": each.period_end - timedelta(days=1),
                "corrected": [(one, Money(one.amount_minor, currency)) for one in corrected.get(each.pk, ())],
            }
            for each in part.rows
        ],
        "newer": _link(request.GET, page=part.newer) if part.newer else "",
        "older": _link(request.GET, page=part.older) if part.older else "",
        **next_figures(coming, currency),
        "late_on": None if (on := comes_on(row, coming.charge)) == row.next_bill_on else on,
        "held": row.held_at is not None and (row.state == "active" or bool(coming.charge or coming.odd)),
        "items": [
            _item(each, typed.get(each.row.public_id), today)
            for each in its_items
            if each.row.pk not in later
        ],
        "coming": [_step(each) for each in coming_steps],
        "discounts": [_discount(each, currency) for each in discounts_in_order(row)],
        "open": dict.fromkeys(typed, True),
        "dialogs": {
            "add": ItemForm(prices=offered, today=today),
            "change": change_form(row, offered),
            "end": EndAllForm(initial={"on": max(today, row.next_bill_on)}, timed=row.by_the_second),
            "pause": PauseForm(),
            "again": AgainForm(initial={"on": today}),
            "discount": DiscountForm(coupons=live_coupons(today)),
            **typed,
        },
        "live": row.state == "active",
        "pausing": row.paused_on is not None and (row.resumes_on is None or row.resumes_on > today),
        "error": error if not isinstance(error, Invalid) or not typed else None,
        "no_release": missing(RUNS_START),
        "no_edit": missing(SUBSCRIPTIONS_EDIT),
    }
    status = error.status if error else 422 if typed else 200
    return TemplateResponse(request, "billing/subscription.html", context, status=status)


def _item(each: BilledItem, typed: Form | None, today: date) -> dict[str, Any]:
    """A row of what is billed; with the form that ends it, when it can be ended alone."""
    row = each.row
    return {
        "row": row,
        "price": amount_text(row.price),
        "model": model_text(row.price),
        "through": each.billed_through,
        "live": each.live,
        "over": not each.live and (row.ends_on is None or row.ends_on <= today),
        "form": typed or EndForm(initial={"on": each.billed_through}, auto_id=f"id_{row.public_id}_%s"),
        "reopen": typed is not None,
    }


def _step(each: Upcoming) -> dict[str, Any]:
    return {
        "step": each,
        "own": each.price_after.overrides_id is not None and each.price_after.pk != each.price_before.pk,
        "plan": each.price_after.plan.name if each.price_after.pk != each.price_before.pk else "",
        "more": each.quantity_after != each.quantity_before,
        "same": each.price_after.pk == each.price_before.pk and each.quantity_after == each.quantity_before,
    }


def _discount(row: SubscriptionDiscount, currency: str) -> dict[str, Any]:
    return {
        "row": row,
        "off": off_text(row.percent, row.amount, currency, row.per),
        "plans": ", ".join([*row.products, *row.plans]),
        "last_day": row.ends_on - timedelta(days=1) if row.ends_on else None,
    }


def change_form(row: Subscription, offered: Sequence[Price], data: Any = None) -> ChangeForm:
    """What the plan may be changed to: what is offered in its currency, and the price that it has."""
    choices = [each for each in offered if each.unit != ONCE]
    now = row.price.overrides or row.price
    if now.pk not in {each.pk for each in choices}:
        choices.insert(0, now)
    return ChangeForm(data, prices=choices, timed=row.by_the_second)


def next_figures(found: NextBill, currency: str) -> dict[str, Any]:
    """The preview of the next invoice as figures, with what is credited beside it, and what is left to pay of both."""
    if found.charge is None or found.totals is None:
        return {"odd": found.odd}
    return {
        "next_lines": _lines(found, currency),
        "next_net": Money(found.totals.net_minor, currency),
        "next_tax": Money(found.totals.tax_minor, currency),
        "next_total": Money(found.totals.total_minor, currency),
        "next_credits": [_credit(each, currency) for each in found.credits],
        "next_prepaid": Money(-found.prepaid_minor, currency) if found.prepaid_minor else None,
        "next_due": Money(found.due_minor, currency),
        "next_deposit": Money(found.deposit_minor, currency) if found.deposit_minor else None,
    }


def _credit(each: NextCredit, currency: str) -> dict[str, Any]:
    return {
        "number": each.number,
        "total": Money(-each.totals.total_minor, currency),
        "tax": Money(-each.totals.tax_minor, currency),
        "parts": [
            {
                "name": name,
                "start": span.start,
                "last_day": span.end - timedelta(days=1),
                "amount": Money(-minor, currency),
            }
            for name, span, minor in each.parts
        ],
    }


def _lines(found: NextBill, currency: str) -> list[dict[str, Any]]:
    """The lines of the next invoice; `of` names the subscription of those that are another's."""
    return [
        {
            "of": "" if charge is found.charge else charge.facts.public_id,
            "draft": each,
            "amount": Money(each.amount_minor, currency),
            "last_day": each.service_end - timedelta(days=1) if each.service_end else None,
            "steps": steps(each.why, Money(each.amount_minor, currency)),
        }
        for charge in found.charges
        for each in charge.drafts
    ]


@page(RUNS_START)
@require_POST
def subscription_release(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Let runs bill it again; goes back to the run that it was released from, when one is named."""
    release(public_id)
    messages.success(request, _("Released: the next run bills it"))
    back = request.POST.get("run", "")
    if back and back.isascii() and back.replace("_", "").isalnum():
        return redirect("run", slug, back[:40])
    return redirect("subscription", slug, public_id)

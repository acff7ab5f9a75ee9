"""Changing what a subscription bills: its plan and quantity, and what is beside it."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from billing.forms import ChangeForm, ItemForm, RevokeForm
from billing.lifecycle_forms import EndForm
from billing.listing import items, prices, subscription
from billing.models import PLAN, Subscription
from billing.permissions import SUBSCRIPTIONS_EDIT
from billing.previews import next_bill
from billing.ramps import Upcoming, a_period, upcoming
from billing.services.change import change, revoke_change
from billing.services.subscriptions import add_item, end_item
from billing.step_forms import step_typed
from billing.views.subscriptions import change_form, next_figures, priced, subscription_shown
from core import clock
from core.errors import NotFound
from core.pages import at_fields, attempt, dry_run, once
from core.web import page
from tenants.selectors import entity


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def item_add(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Bill something more with the subscription."""
    row = subscription(public_id)
    offered = prices(currency=row.price.currency)
    form = ItemForm(request.POST, prices=offered, today=clock.today(entity().zone))
    if not form.is_valid():
        return subscription_shown(request, slug, public_id, typed={"add": form})
    with attempt() as outcome:
        said = dict(form.cleaned_data)
        key = said.pop("key")
        once(key, lambda: add_item(public_id, price=priced(said), **said).public_id)
        messages.success(request, _("Added"))
    if outcome.error:
        at_fields(form, outcome.error)
        return subscription_shown(request, slug, public_id, typed={"add": form}, error=outcome.error)
    return redirect("subscription", slug, public_id)


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def item_end(request: HttpRequest, slug: str, public_id: str, item: str) -> HttpResponse:
    """Stop billing what was added, from a day on."""
    row = subscription(public_id)
    form = EndForm(request.POST, auto_id=f"id_{item}_%s")
    if not form.is_valid():
        return subscription_shown(request, slug, public_id, typed={item: form})
    with attempt() as outcome:
        end_item(item, on=form.cleaned_data["on"], of=row.public_id, today=clock.today(entity().zone))
        messages.success(request, _("Ended"))
    if outcome.error:
        at_fields(form, outcome.error)
        return subscription_shown(request, slug, public_id, typed={item: form}, error=outcome.error)
    return redirect("subscription", slug, public_id)


def _changed(public_id: str, form: ChangeForm) -> Subscription:
    step = step_typed(form.cleaned_data)
    return change(
        public_id, price=step.price, unit_price=step.unit_price, quantity=step.quantity, on=step.on, at=step.at,
        today=clock.today(entity().zone),
    )  # fmt: skip


def _form(row: Subscription, request: HttpRequest) -> ChangeForm:
    return change_form(row, prices(currency=row.price.currency), request.POST)


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def subscription_change(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Bill the plan at another price or quantity, from a day on."""
    form = _form(subscription(public_id), request)
    if not form.is_valid():
        return subscription_shown(request, slug, public_id, typed={"change": form})
    with attempt() as outcome:
        _changed(public_id, form)
        messages.success(request, _("Changed"))
    if outcome.error:
        at_fields(form, outcome.error)
        return subscription_shown(request, slug, public_id, typed={"change": form}, error=outcome.error)
    return redirect("subscription", slug, public_id)


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def change_preview(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """The next invoice after the change as it is typed: made, billed and taken back."""
    row = subscription(public_id)
    form = _form(row, request)
    context: dict[str, Any] = {"slug": slug, "today": clock.today(entity().zone)}
    if form.is_valid():
        with attempt() as outcome, dry_run():
            known = {each.row.pk for each in items(row)}
            before = upcoming(row, today=context["today"])
            _changed(public_id, form)
            context |= _after(subscription(public_id), row, known, before)
        context["odd"] = outcome.error.message if outcome.error else context.get("odd")
    return TemplateResponse(request, "billing/parts/change_preview.html", context)


def _after(
    changed: Subscription, row: Subscription, known: set[int], before: Sequence[Upcoming]
) -> dict[str, Any]:
    """What a whole period costs from the day of the change on, and what the next invoice says.

    `known` are the items that were there before, and `before` the steps to come.
    """
    today = clock.today(entity().zone)
    chain = [each.row for each in items(changed) if each.row.role == PLAN]
    fresh = [each for each in chain if each.pk not in known]
    coming = [each for each in upcoming(changed, today=today) if each not in before]
    figures = next_figures(next_bill(changed, today=today, settled=True), row.price.currency)
    if coming and not fresh:  # within a pause, or what is so already
        return {**_step_said(coming[0]), **figures}
    begun = [each for each in chain if each.starts_on <= today] or chain[:1]
    new = fresh[0] if fresh else begun[-1]
    was = next((each for each in chain if each.ends_on == new.starts_on), row)
    return {
        "new": new,
        "amount_then": a_period(new.price, new.quantity),
        "amount_now": a_period(was.price, was.quantity),
        "now": was.price,
        **figures,
    }


def _step_said(step: Upcoming) -> dict[str, Any]:
    return {
        "new": {
            "starts_on": step.on, "starts_time": step.at, "price": step.price_after, "quantity": step.quantity_after,
        },
        "amount_then": step.amount_after,
        "amount_now": step.amount_before,
        "now": step.price_before,
    }  # fmt: skip


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def change_revoke(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Take back the step of a day, or the only one there is; one that is gone already stays so."""
    row = subscription(public_id)
    form = RevokeForm(request.POST)
    if not form.is_valid():
        raise NotFound(_("Nothing is set for that day."))
    with attempt() as outcome, suppress(NotFound):
        revoke_change(row.public_id, on=form.cleaned_data["on"], today=clock.today(entity().zone))
        messages.success(request, _("The change is taken back"))
    if outcome.error:
        return subscription_shown(request, slug, public_id, error=outcome.error)
    return redirect("subscription", slug, public_id)

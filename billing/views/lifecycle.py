"""Ending, pausing and taking up subscriptions, each with a preview of what the next run bills and credits."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from billing.lifecycle_forms import AgainForm, EndAllForm, PauseForm
from billing.listing import subscription
from billing.models import Subscription
from billing.permissions import SUBSCRIPTIONS_EDIT
from billing.previews import next_bill
from billing.services.autopay import set_autopay
from billing.services.lifecycle import pause, reactivate, resume
from billing.services.self_service import own_url
from billing.services.subscriptions import end
from billing.views.subscriptions import next_figures, subscription_shown
from core import clock
from core.pages import at_fields, attempt, dry_run
from core.web import page
from tenants.selectors import entity, entity_rows

Act = Callable[..., Subscription]
"""A service that takes a subscription's public id, what was typed, and the day it is done on."""


def _by(act: Act, public_id: str, form: Form) -> Subscription:
    return act(public_id, today=clock.today(entity().zone), **form.cleaned_data)


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def subscription_autopay(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Have its invoices charged by themselves, or not any more."""
    subscription(public_id)
    with attempt() as outcome:
        on = set_autopay(public_id, on=request.POST.get("autopay") == "on").autopay
        messages.success(request, _("Autopay is on") if on else _("Autopay is off"))
    if outcome.error:
        return subscription_shown(request, slug, public_id, error=outcome.error)
    return redirect("subscription", slug, public_id)


def _done(
    request: HttpRequest, slug: str, public_id: str, name: str, form: Form, act: Act, said: str
) -> HttpResponse:
    """Do it and go back to the page, or show the page with what was typed into the dialog `name`."""
    if not form.is_valid():
        return subscription_shown(request, slug, public_id, typed={name: form})
    with attempt() as outcome:
        _by(act, public_id, form)
        messages.success(request, said)
    if outcome.error:
        at_fields(form, outcome.error)
        return subscription_shown(request, slug, public_id, typed={name: form}, error=outcome.error)
    return redirect("subscription", slug, public_id)


def _previewed(request: HttpRequest, slug: str, public_id: str, form: Form, act: Act) -> HttpResponse:
    """What is billed and credited next: done, billed by the run's function, and taken back."""
    subscription(public_id)
    context: dict[str, Any] = {"slug": slug, "today": clock.today(entity().zone)}
    if form.is_valid():
        with attempt() as outcome, dry_run():
            row = subscription(_by(act, public_id, form).public_id)
            context |= {
                "row": row,
                **next_figures(next_bill(row, today=context["today"], settled=True), row.price.currency),
            }
        context["odd"] = outcome.error.message if outcome.error else context.get("odd")
    return TemplateResponse(request, "billing/parts/next_preview.html", context)


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def own_link(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """The link to its page for the customer; made when it is asked for, and the same from then on."""
    row = subscription(public_id)
    lets = entity_rows().get(pk=row.customer.entity_id).customers_end
    context = {"slug": slug, "url": own_url(row), "lets": lets}
    return TemplateResponse(request, "billing/parts/own_link.html", context)


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def subscription_end(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """End it on a day; the next run bills what comes before and credits what is billed beyond."""
    return _done(request, slug, public_id, "end", _end_form(request, public_id), end, _("The end is set"))


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def end_preview(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    return _previewed(request, slug, public_id, _end_form(request, public_id), end)


def _end_form(request: HttpRequest, public_id: str) -> EndAllForm:
    return EndAllForm(request.POST, timed=subscription(public_id).by_the_second)


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def subscription_pause(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Bill nothing from a day on, until a day that is known or not."""
    return _done(request, slug, public_id, "pause", PauseForm(request.POST), pause, _("The pause is set"))


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def pause_preview(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    return _previewed(request, slug, public_id, PauseForm(request.POST), pause)


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def subscription_resume(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Go on with a paused one from a day on, or take the pause back."""
    return _done(request, slug, public_id, "again", AgainForm(request.POST), resume, _("It goes on"))


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def subscription_reactivate(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Take back an end to come, or begin again with what has ended."""
    return _done(request, slug, public_id, "again", AgainForm(request.POST), reactivate, _("It goes on"))

"""Alerts of usage: set on a meter for each of its subscriptions, or on a subscription's usage for it alone."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from billing import metering
from billing.listing import subscription
from billing.models import Meter, Subscription
from billing.permissions import USAGE_EDIT
from billing.services.usage_alerts import archive_alert, create_alert
from billing.usage_forms import AlertForm
from billing.views.usage import meter_shown, usage_shown
from core.pages import at_fields, attempt
from core.web import page


@page(USAGE_EDIT)
@require_POST
def alert_new(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Tell once in each period that a meter has reached a figure; the same figure twice is refused."""
    meter, form = metering.meter(public_id), AlertForm(request.POST)
    form.is_valid()
    named = form.cleaned_data.get("subscription")
    row = subscription(named) if named else None
    if not form.is_valid():
        return _again(request, slug, meter, row, form)
    with attempt() as outcome:
        create_alert(meter=meter, threshold=form.cleaned_data["threshold"], subscription=row)
        messages.success(request, _("The alert is set"))
    if outcome.error:
        if not at_fields(form, outcome.error):
            form.add_error("threshold", outcome.error.message)
        return _again(request, slug, meter, row, form, status=outcome.status)
    return redirect(_back(slug, meter, row))


def _again(
    request: HttpRequest,
    slug: str,
    meter: Meter,
    row: Subscription | None,
    form: AlertForm,
    *,
    status: int = 422,
) -> HttpResponse:
    answer = (
        meter_shown(request, slug, meter, form)
        if row is None
        else usage_shown(request, slug, row, meter=meter.code, form=form)
    )
    answer.status_code = status
    return answer


def _back(slug: str, meter: Meter, row: Subscription | None) -> str:
    if row is None:
        return reverse("meter", args=[slug, meter.public_id])
    return f"{reverse('subscription-usage', args=[slug, row.public_id])}?meter={meter.code}"


@page(USAGE_EDIT)
@require_POST
def alert_archive(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Tell nothing more of it."""
    row = archive_alert(public_id)
    messages.success(request, _("It tells nothing more"))
    return redirect(_back(slug, row.meter, row.subscription))

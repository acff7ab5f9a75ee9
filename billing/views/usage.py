"""Meters, what they counted of a subscription day by day, and the events behind each figure."""

from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from billing import metering
from billing.counted import counted_periods
from billing.domain.usage import Aggregation
from billing.domain.usage_events import groups_in
from billing.listing import subscription
from billing.models import Meter, Subscription
from billing.permissions import SUBSCRIPTIONS_VIEW, USAGE_EDIT, USAGE_VIEW
from billing.services.meters import archive_meter, create_meter
from billing.usage import Asked, usage_of
from billing.usage_forms import WORDS, AlertForm, EventsForm, MeterForm, UsageForm
from core import clock
from core.errors import Invalid
from core.money import Money
from core.pages import Outcome, at_fields, attempt, missing, once
from core.paging import Address, Order, paged
from core.periods import local_midnight
from core.scope import current
from core.templatetags.fmt import longdate, quantity
from core.web import page
from tenants.selectors import entity

NEWEST = Order("pk", int, descending=True)
FILTERS = {
    "meter": gettext_lazy("Meter is %(value)s"),
    "subscription": gettext_lazy("Subscription is %(value)s"),
    "day": gettext_lazy("On %(value)s"),
    "transaction_id": gettext_lazy("Transaction id is %(value)s"),
}
"""The filters of the list of events, and what their chips say."""


def _word(row: Meter) -> str:
    return str(WORDS[Aggregation(row.aggregation)])


def _turn(part: Any, address: Address = Address()) -> dict[str, str]:  # noqa: B008 - frozen
    """Addresses of the neighbours of a page of a list."""
    return {"newer": address.page(part.newer), "older": address.page(part.older)}


@page(USAGE_VIEW)
@require_GET
def meters_page(request: HttpRequest, slug: str) -> HttpResponse:
    return _meters(request, slug, MeterForm())


def _meters(request: HttpRequest, slug: str, form: MeterForm, outcome: Outcome | None = None) -> HttpResponse:
    part = paged(metering.meters(), NEWEST, request.GET.get("page", ""))
    counts = metering.subscriber_counts(part.rows)
    error = outcome.error if outcome and outcome.error and not isinstance(outcome.error, Invalid) else None
    context = {
        "slug": slug,
        "rows": [{"row": each, "word": _word(each), "n": counts.get(each.pk, 0)} for each in part.rows],
        "form": form,
        "error": error,
        "no_edit": missing(USAGE_EDIT),
        **_turn(part),
    }
    status = outcome.status if outcome and outcome.error else 422 if form.errors else 200
    return TemplateResponse(request, "billing/meters.html", context, status=status)


@page(USAGE_EDIT)
@require_POST
def meter_new(request: HttpRequest, slug: str) -> HttpResponse:
    form = MeterForm(request.POST)
    if not form.is_valid():
        return _meters(request, slug, form)
    with attempt() as outcome:
        said = form.cleaned_data
        made = once(said.pop("key"), lambda: create_meter(**said).public_id)
        messages.success(request, _("Meter saved"))
    if outcome.error:
        at_fields(form, outcome.error)
        return _meters(request, slug, form, outcome)
    return redirect("meter", slug, made)


@page(USAGE_VIEW)
@require_GET
def meter_page(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """A meter, and what it counted this month of its subscriptions."""
    return meter_shown(request, slug, metering.meter(public_id), AlertForm())


def meter_shown(request: HttpRequest, slug: str, row: Meter, form: AlertForm) -> HttpResponse:
    """The page of a meter, with what was typed of an alert."""
    part = paged(metering.subscribers(row), NEWEST, request.GET.get("page", ""))
    context = {
        "slug": slug,
        "crumbs": [{"label": _("Usage"), "href": reverse("meters", args=[slug])}],
        "row": row,
        "word": _word(row),
        "groups": ", ".join(row.group_by),
        "alerts": [{"row": each, "last": None} for each in metering.alerts_of(row)],
        "form": form,
        "rows": _this_month(row, part.rows),
        "no_edit": missing(USAGE_EDIT),
        **_turn(part),
    }
    return TemplateResponse(request, "billing/meter.html", context)


def _this_month(row: Meter, subscriptions: list[Subscription]) -> list[dict[str, Any]]:
    asked = {}
    for each in subscriptions:
        first = metering.first_of_month(clock.now(), each.zone)
        days = first, metering.month_after(first)
        asked[each.pk] = Asked(each.pk, row.pk, *(local_midnight(day, each.zone) for day in days))
    figures = usage_of(list(asked.values()))
    return [{"row": each, "value": figures[asked[each.pk]]} for each in subscriptions]


@page(USAGE_EDIT)
@require_POST
def meter_archive(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Take no more events for it."""
    archive_meter(public_id)
    messages.success(request, _("Archived: it takes no more events"))
    return redirect("meter", slug, public_id)


@page(USAGE_VIEW)
@require_GET
def usage_page(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """What a meter counted of a subscription in a month, day by day and by group."""
    return usage_shown(request, slug, subscription(public_id))


def usage_shown(
    request: HttpRequest, slug: str, row: Subscription, *, meter: str = "", form: AlertForm | None = None
) -> HttpResponse:
    """The page of a subscription's usage, of the meter and month asked for, with what was typed of an alert."""
    asked = UsageForm(request.GET)
    asked.is_valid()
    offered = metering.metered(row)
    wanted = meter or asked.cleaned_data.get("meter")
    chosen = next((each for each in offered if each.code == wanted), offered[0] if offered else None)
    first = (asked.cleaned_data.get("day") or metering.first_of_month(clock.now(), row.zone)).replace(day=1)
    context: dict[str, Any] = {
        "slug": slug,
        "row": row,
        "today": clock.today(row.zone),
        "crumbs": [{"label": _("Usage"), "href": reverse("meters", args=[slug])}],
        "meters": [{"row": each, "href": _month(each, first), "current": each is chosen} for each in offered],
        "chosen": chosen,
        "form": form or AlertForm(),
        "no_edit": missing(USAGE_EDIT),
    }
    if chosen:
        context |= _shown(slug, row, chosen, first)
    return TemplateResponse(request, "billing/usage.html", context)


def _month(meter: Meter, first: date) -> str:
    return f"?{urlencode({'meter': meter.code, 'day': first})}"


def _shown(slug: str, row: Subscription, meter: Meter, first: date) -> dict[str, Any]:
    """The figures of a month, up to today while it lasts, and where each leads."""
    end, tomorrow = metering.month_after(first), clock.today(row.zone) + timedelta(days=1)
    found = metering.usage_by_day(row, meter, first, min(end, tomorrow) if first < tomorrow else end)
    events = reverse("usage-events", args=[slug])
    days = [
        {
            "day": day,
            "value": value,
            "text": f"{longdate(day)}: {quantity(value)}",
            "href": f"{events}?{urlencode({'meter': meter.code, 'subscription': row.public_id, 'day': day})}",
        }
        for day, value in found.days
    ]
    return {
        "word": _word(meter),
        "alerts": metering.watching(row, meter),
        "total": found.total,
        "days": days,
        "highest": max(value for __, value in found.days),
        "used": [each for each in reversed(days) if each["value"]],
        "groups": [
            {"words": ", ".join(f"{name} {text}" for name, text in group.items()), "value": value}
            for group, value in found.groups
        ],
        "billed": _billed(row, meter, first, end) if current().may(SUBSCRIPTIONS_VIEW) else [],
        "first": first,
        "last": found.end - timedelta(days=1),
        "earlier": _month(meter, (first - timedelta(days=1)).replace(day=1)),
        "later": _month(meter, end),
    }


def _billed(row: Subscription, meter: Meter, first: date, end: date) -> list[dict[str, Any]]:
    """Billed periods that have a day in the month: what was billed, what is counted by now, what that comes to."""
    currency = row.price.currency
    return [
        {
            "of": each,
            "last_day": each.row.period_end - timedelta(days=1),
            "billed": Money(each.billed_minor, currency),
            "to_bill": None if each.to_bill_minor is None else Money(each.to_bill_minor, currency),
            "documents": [each.row.document, *(one.document for one in each.corrections if one.document)],
        }
        for each in counted_periods(row, meter, since=first, until=end)
    ]


@page(USAGE_VIEW)
@require_GET
def events_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Events, the latest first: of a meter, a subscription, a day of its zone."""
    form = EventsForm(request.GET)
    form.is_valid()
    said = form.cleaned_data
    zone, day = entity().zone, said.get("day")
    if said.get("subscription"):
        zone = subscription(said["subscription"]).zone
    since, until = _day(day, zone)
    wanted = metering.EventFilter(
        said.get("meter") or "",
        said.get("subscription") or "",
        said.get("transaction_id") or "",
        since,
        until,
    )
    address = Address.of(request.GET, [name for name in FILTERS if said.get(name)])
    part = paged(metering.events(wanted), metering.NEWEST_EVENTS, request.GET.get("page", ""))
    context = {
        "slug": slug,
        "today": clock.today(zone),
        "zone": zone,
        "crumbs": [{"label": _("Usage"), "href": reverse("meters", args=[slug])}],
        "form": form,
        "chips": _chips(address, said),
        "rows": [
            {"row": each, "value": each.key or each.value, "group": ", ".join(groups_in(each.series.group))}
            for each in metering.with_voids(part.rows)
        ],
        **_turn(part, address),
    }
    return TemplateResponse(request, "billing/usage_events.html", context)


def _day(day: date | None, zone: str) -> tuple[datetime | None, datetime | None]:
    if day is None:
        return None, None
    return local_midnight(day, zone), local_midnight(day + timedelta(days=1), zone)


def _chips(address: Address, said: dict[str, Any]) -> list[dict[str, str]]:
    return [
        {"label": word % {"value": said[name]}, "href": address.href(**{name: ""})}
        for name, word in FILTERS.items()
        if said.get(name)
    ]

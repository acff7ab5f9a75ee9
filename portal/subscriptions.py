"""A subscription's page for its customer: what it is, what comes next, and its end, without an account."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.domain.charges import ACTIVE
from billing.listing import item_rows, subscription
from billing.previews import next_bill
from billing.services.self_service import NotOffered, end_by_customer, ways_to_end
from billing.standing import state_of
from billing.words import amount_text
from core import clock
from core.errors import AppError
from core.fields import ISO_DAY
from core.money import Money
from core.pages import attempt, dry_run
from core.scope import work
from core.web import each_once, open_page
from customers.services.methods import card_path, live_methods
from portal.access import OWN
from tenants.selectors import entity_rows


@dataclass(frozen=True, slots=True)
class WayToEnd:
    """A way to end it: what the form sends for it, its last day, and what is billed (below zero: credited) then.

    Without a last day it never begins. `odd` says why it cannot be done so.
    """

    way: str
    value: str
    last_day: date | None
    due: Money
    odd: str = ""

    @property
    def credited(self) -> Money:
        """What is credited, as a figure above zero."""
        return -self.due


@open_page("a signed link is exchanged for a cookie")
@require_GET
def enter_link(request: HttpRequest, token: str) -> HttpResponse:
    """From the link in a mail to the page of its subscription."""
    return OWN.exchange(request, token)


@OWN.behind
@require_http_methods(["GET", "POST"])
def own_subscription(request: HttpRequest, target: str) -> HttpResponse:
    """Show it; on POST end it as was chosen of what was shown, and come back here."""
    if request.method == "GET":
        return _show(request, target)
    each_once(request)
    with work(), attempt() as outcome:
        way, on = _chosen(request.POST.get("end", ""))
        end_by_customer(target, way=way, on=on, today=clock.today(_seller(subscription(target)).zone))
    return _show(request, target, outcome.error) if outcome.error else redirect("own-subscription", target)


@OWN.behind
@require_POST
def card(request: HttpRequest, target: str) -> HttpResponse:
    """To the page of the card that its customer keeps, or may keep."""
    with work():
        return redirect(card_path(subscription(target).customer))


def _chosen(value: str) -> tuple[str, date]:
    """The way and its day, as `_way` writes them."""
    way, _colon, day = value.partition(":")
    try:
        return way, date.fromisoformat(day if ISO_DAY.fullmatch(day) else "")
    except ValueError as error:
        raise NotOffered("Choose how it is to end.") from error


def _seller(row: Any) -> Any:
    """The legal entity that the customer buys from: its day counts."""
    return entity_rows().get(pk=row.customer.entity_id)


def _show(request: HttpRequest, target: str, error: AppError | None = None) -> HttpResponse:
    with work():
        row = subscription(target)
        seller = _seller(row)
        today = clock.today(seller.zone)
        coming = next_bill(row, today=today, alone=True)
        context = {
            "row": row,
            # What is billed up to its end is over for us; to whom it belongs until then it is not.
            "state": ACTIVE if row.ends_on and today < row.ends_on else state_of(row),
            "today": today,
            "items": [
                {"row": each, "amount": amount_text(each.price)}
                for each in item_rows(row)
                if each.ends_on is None or today < each.ends_on
            ],
            "billed_on": coming.as_of,
            "total": Money(coming.due_minor, row.price.currency) if coming.charge else None,
            "last_day": row.ends_on - timedelta(days=1) if row.ends_on else None,
            "ways": [_way(row, way, on, today) for way, on in ways_to_end(row, today=today).items()],
            "card": live_methods([row.customer_id]).get(row.customer_id),
            "error": error,
            "brand": {"name": seller.name},
        }
        response = TemplateResponse(
            request, "portal/own.html", context, status=error.status if error else 200
        )
        response.render()
    return response


def _way(row: Any, way: str, on: date, today: date) -> WayToEnd:
    """What the next run then bills and credits: ended so, billed by the run's function, and taken back."""
    minor, odd = 0, ""
    with attempt() as outcome, dry_run():
        ended = end_by_customer(row.public_id, way=way, on=on, today=today)
        then = next_bill(ended, today=today, settled=True, alone=True)
        minor, odd = then.due_minor, then.odd
    if outcome.error:
        odd = outcome.error.message
    last_day = on - timedelta(days=1) if on > row.starts_on else None
    return WayToEnd(way, f"{way}:{on}", last_day, Money(minor, row.price.currency), odd)

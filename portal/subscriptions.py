"""A subscription's page for its customer: what it is and comes next, another plan, its end, and both taken back."""

import re
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
from billing.services.self_change import WayToChange, change_by_customer, take, ways_to_change
from billing.services.self_keep import (
    CHANGE,
    END,
    Choice,
    choices,
    goes_on_with,
    keep_by_customer,
    take_back,
)
from billing.services.self_service import NotOffered, end_by_customer, ways_to_end
from billing.standing import state_of
from billing.together import Seen
from billing.words import amount_text, full_text
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

_PRICE = re.compile(r"[a-zA-Z0-9_]{1,40}", re.ASCII)


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


@dataclass(frozen=True, slots=True)
class Change:
    """Another plan that it can be changed to, its price in words, and what the first bill after it says.

    `on` is that bill's day, `charge` what it bills and `credit` what is credited with it, with tax. `odd` says why it
    cannot be done so.
    """

    way: WayToChange
    amount: str
    on: date | None
    charge: Money
    credit: Money
    odd: str = ""

    @property
    def value(self) -> str:
        """What the form sends, as `_to` reads it."""
        return f"{self.way.price.public_id}:{self.way.way}:{self.way.on}"

    @property
    def due(self) -> Money:
        """What is left to pay of the bill; below zero where more is credited."""
        return self.charge - self.credit

    @property
    def left(self) -> Money:
        """What is credited beyond the bill, as a figure above zero."""
        return -self.due


@dataclass(frozen=True, slots=True)
class Back:
    """A choice that can be taken back: what then goes on at which price, and what the next bill says, with tax.

    `to` is the plan that was chosen, empty for an end. `odd` says why it cannot be done so.
    """

    choice: Choice
    to: str
    plan: str
    price: str
    on: date | None
    due: Money
    odd: str = ""

    @property
    def value(self) -> str:
        """What the form sends, as `_kept` reads it."""
        return f"{self.choice.price}:{self.choice.what}:{self.choice.on}"


@open_page("a signed link is exchanged for a cookie")
@require_GET
def enter_link(request: HttpRequest, token: str) -> HttpResponse:
    """From the link in a mail to the page of its subscription."""
    return OWN.exchange(request, token)


@OWN.behind
@require_http_methods(["GET", "POST"])
def own_subscription(request: HttpRequest, target: str) -> HttpResponse:
    """Show it; on POST change it, end it or take that back as was chosen of what was shown, and come back here."""
    if request.method == "GET":
        return _show(request, target)
    each_once(request)
    with work(), attempt() as outcome:
        today = clock.today(_seller(subscription(target)).zone)
        if "change" in request.POST:
            price, way, on = _to(request.POST["change"])
            change_by_customer(target, price=price, way=way, on=on, today=today)
        elif "keep" in request.POST:
            keep_by_customer(target, _kept(request.POST["keep"]), today=today)
        else:
            way, on = _chosen(request.POST.get("end", ""))
            end_by_customer(target, way=way, on=on, today=today)
    return _show(request, target, outcome.error) if outcome.error else redirect("own-subscription", target)


@OWN.behind
@require_POST
def card(request: HttpRequest, target: str) -> HttpResponse:
    """To the page of the card that its customer keeps, or may keep."""
    with work():
        return redirect(card_path(subscription(target).customer))


def _to(value: str) -> tuple[str, str, date]:
    """The price, when, and the day, as `Change` writes them."""
    price, _colon, rest = value.partition(":")
    if not _PRICE.fullmatch(price):
        raise NotOffered("Choose what it is to become.")
    return (price, *_chosen(rest, "Choose what it is to become."))


def _kept(value: str) -> Choice:
    """What is taken back, as `Back` writes it."""
    nothing = "Choose what is to be taken back."
    price, _colon, rest = value.partition(":")
    what, on = _chosen(rest, nothing)
    if what not in {CHANGE, END} or not _PRICE.fullmatch(price or END):
        raise NotOffered(nothing)
    return Choice(what, on, price)


def _chosen(value: str, otherwise: str = "Choose how it is to end.") -> tuple[str, date]:
    """The way and its day, as `_way` writes them; refused with a sentence where they are neither."""
    way, _colon, day = value.partition(":")
    try:
        return way, date.fromisoformat(day if ISO_DAY.fullmatch(day) else "")
    except ValueError as error:
        raise NotOffered(otherwise) from error


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
                {"row": each, "amount": amount_text(each.price), "last_day": _last_day(each)}
                for each in item_rows(row)
                if each.ends_on is None or (today < each.ends_on and each.starts_on < each.ends_on)
            ],
            "billed_on": coming.as_of,
            "total": Money(coming.due_minor, row.price.currency) if coming.charge else None,
            "last_day": row.ends_on - timedelta(days=1) if row.ends_on else None,
            "ways": [_way(row, way, on, today) for way, on in ways_to_end(row, today=today).items()],
            "card": live_methods([row.customer_id]).get(row.customer_id),
            "backs": [_back(row, choice, today) for choice in choices(row, today=today)],
            "changes": _changes(row, today),
            "error": error,
            "brand": {"name": seller.name},
        }
        response = TemplateResponse(
            request, "portal/own.html", context, status=error.status if error else 200
        )
        response.render()
    return response


def _last_day(item: Any) -> date | None:
    return item.ends_on - timedelta(days=1) if item.ends_on else None


def _changes(row: Any, today: date) -> list[Change]:
    seen = Seen()
    return [_change(row, way, today, seen) for way in ways_to_change(row, today=today)]


def _change(row: Any, way: WayToChange, today: date, seen: Seen) -> Change:
    """What the first run after it bills and credits: changed so, billed by the run's function, and taken back."""
    charge, credit, on, odd = 0, 0, None, ""
    with attempt() as outcome, dry_run():
        changed = take(row.public_id, way, today=today)
        then = next_bill(changed, today=today, settled=True, alone=True, seen=seen)
        credit = sum(each.totals.total_minor for each in then.credits)
        charge, on, odd = then.due_minor + credit, then.as_of, then.odd
    if outcome.error:
        odd = outcome.error.message
    code = row.price.currency
    return Change(way, amount_text(way.price), on, Money(charge, code), Money(credit, code), odd)


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


def _back(row: Any, choice: Choice, today: date) -> Back:
    """What goes on and is billed next then: taken back so, billed by the run's function, and that taken back."""
    to = goes_on_with(row, choice.on).plan.name if choice.what == CHANGE else ""
    price, minor, on, odd = row.price, 0, None, ""
    with attempt() as outcome, dry_run():
        kept = take_back(row.public_id, choice, today=today)
        price = goes_on_with(kept, choice.on)
        then = next_bill(kept, today=today, settled=True, alone=True)
        minor, on, odd = then.due_minor, then.as_of, then.odd
    if outcome.error:
        odd = outcome.error.message
    return Back(choice, to, price.plan.name, full_text(price), on, Money(minor, row.price.currency), odd)

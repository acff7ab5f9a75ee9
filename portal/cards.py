"""The card that a customer keeps to be charged by itself: seen, replaced and removed by a link, without an account."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET, require_http_methods

from cashapp.gateways.registry import plays
from cashapp.gateways.sandbox import CARDS
from cashapp.services.cards import consent_to, keep_card
from core import clock
from core.errors import AppError
from core.scope import work
from core.web import each_once, open_page
from customers.selectors import customer
from customers.services.methods import live_methods, remove
from portal.access import CARD


@open_page("a signed link is exchanged for a cookie")
@require_GET
def enter_link(request: HttpRequest, token: str) -> HttpResponse:
    """From the link in a mail to the page of its customer's card."""
    return CARD.exchange(request, token)


@CARD.behind
@require_http_methods(["GET", "POST"])
def own_card(request: HttpRequest, target: str) -> HttpResponse:
    """Show it; on POST keep another one, or remove it, and come back here."""
    if request.method == "GET":
        return _show(request, target)
    each_once(request)
    try:
        if gone := request.POST.get("remove", ""):
            _remove(target, gone)
        else:
            keep_card(target, method=request.POST.get("method", ""), consent=consent_to(_seller(target)))
    except AppError as error:
        return _show(request, target, error)
    return redirect("own-card", target)


def _remove(target: str, public_id: str) -> None:
    """Only what was shown and is kept still: another card may have taken its place."""
    with work():
        there = live_methods([customer(target).pk]).values()
        if public_id in [each.public_id for each in there]:
            remove(public_id)


def _seller(target: str) -> str:
    with work():
        return str(customer(target).entity.name)


def _show(request: HttpRequest, target: str, error: AppError | None = None) -> HttpResponse:
    with work():
        owner = customer(target)
        context = {
            "customer": owner,
            "card": live_methods([owner.pk]).get(owner.pk),
            "today": clock.today(owner.entity.zone),
            "consent": consent_to(owner.entity.name),
            "cards": CARDS,
            "sandbox": plays(),
            "error": error,
            "brand": {"name": owner.entity.name},
        }
        response = TemplateResponse(
            request, "portal/card.html", context, status=error.status if error else 200
        )
        response.render()
    return response

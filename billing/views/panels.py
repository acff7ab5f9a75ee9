"""What billing shows on pages of lower apps, each fetched by its own request."""

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from billing.listing import subscriptions
from billing.permissions import SUBSCRIPTIONS_CREATE, SUBSCRIPTIONS_VIEW
from billing.standing import state_of
from billing.words import amount_text
from core import clock
from core.pages import missing
from core.web import page
from customers.selectors import customer
from tenants.selectors import entity

SHOWN = 8


@page(SUBSCRIPTIONS_VIEW)
@require_safe
def customer_subscriptions(request: HttpRequest, slug: str, public_id: str) -> TemplateResponse:
    """The newest subscriptions of a customer, as a panel of its page."""
    owner = customer(public_id)
    rows = list(subscriptions(customer=owner.public_id).order_by("-pk")[: SHOWN + 1])
    context = {
        "slug": slug,
        "customer": owner,
        "today": clock.today(entity().zone),
        "rows": [
            {"row": each, "state": state_of(each), "price": amount_text(each.price)} for each in rows[:SHOWN]
        ],
        "more": len(rows) > SHOWN,
        "no_create": missing(SUBSCRIPTIONS_CREATE),
    }
    return TemplateResponse(request, "billing/parts/customer_subscriptions.html", context)

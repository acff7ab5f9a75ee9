"""Payments in the search: by the reference that came with the money, a gateway's reference, or exact amount."""

from datetime import date

from django.db.models import Q
from django.utils.translation import gettext_lazy

from cashapp.forms import METHOD_LABELS
from cashapp.models import Payment
from cashapp.permissions import PAYMENTS_VIEW
from cashapp.selectors import NEWEST, names, payments
from core import clock
from core.money import Money
from core.registry import Place, places
from core.search import LIMIT, Hit, of_amount, source, starts
from core.templatetags.fmt import shortdate
from core.timeline import link
from tenants.selectors import entity

places[Payment.PREFIX] = Place("payment", PAYMENTS_VIEW, names)


@source(gettext_lazy("Payments"), PAYMENTS_VIEW)
def find(text: str, slug: str) -> list[Hit]:
    """The newest first; two queries. References are found as they were typed, or all in capitals."""
    today = clock.today(entity().zone)
    by_gateway = starts("provider_ref", text) & ~Q(provider="manual")  # by hand it is a form's hidden key
    wanted = starts("memo", text, text.upper()) | by_gateway | Q(public_id=text)
    if (same_amount := of_amount("minor", text)) is not None:
        wanted |= same_amount
    return [_hit(row, slug, today) for row in payments().filter(wanted).order_by(*NEWEST.columns)[:LIMIT]]


def _hit(row: Payment, slug: str, today: date) -> Hit:
    return Hit(
        label=row.memo or str(METHOD_LABELS.get(row.method, row.method)),
        href=link("payment", slug, row.public_id),
        icon="cash",
        detail=f"{row.customer.name} · {shortdate(row.received_on, today)}",
        figure=Money(row.minor, row.currency),
    )

"""Customers in the search: by the start of any word of the name, by number, or by public id."""

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.registry import Place, places
from core.search import LIMIT, Hit, source, starts
from core.timeline import link
from customers.models import Customer, NameStart
from customers.permissions import CUSTOMERS_VIEW
from customers.selectors import names
from customers.services.customers import name_key

places[Customer.PREFIX] = Place("customer", CUSTOMERS_VIEW, names)


@source(gettext_lazy("Customers"), CUSTOMERS_VIEW)
def find(text: str, slug: str) -> list[Hit]:
    """Those with the number first, then by name; two queries."""
    numbered = starts("number", text, text.upper()) | Q(public_id=text)
    found = {row.pk: row for row in Customer.objects.filter(numbered).order_by("number")[:LIMIT]}
    if key := name_key(text):
        rows = NameStart.objects.filter(starts("start", key)).select_related("customer")
        # A name may start twice with the same letters: Anna Annas GmbH.
        for row in rows.order_by("start", "customer_id")[: 2 * LIMIT]:
            found.setdefault(row.customer_id, row.customer)
    return [_hit(row, slug) for row in found.values()]


def _hit(row: Customer, slug: str) -> Hit:
    return Hit(
        label=row.name,
        href=link("customer", slug, row.public_id),
        icon="building-store",
        detail=", ".join(filter(None, [row.number, _("archived") if row.archived_at else ""])),
    )

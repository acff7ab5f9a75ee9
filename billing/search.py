"""Products in the search: by code, by the start of the name, or by public id; what subscriptions are called."""

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.listing import plan_names
from billing.models import Product, Subscription
from billing.permissions import SUBSCRIPTIONS_VIEW
from billing.products import named, products
from core.registry import Place, places
from core.search import LIMIT, Hit, source, starts
from core.timeline import link

places[Product.PREFIX] = Place("product", SUBSCRIPTIONS_VIEW, named)
places[Subscription.PREFIX] = Place("subscription", SUBSCRIPTIONS_VIEW, plan_names)


@source(gettext_lazy("Products"), SUBSCRIPTIONS_VIEW)
def find(text: str, slug: str) -> list[Hit]:
    """By name; one query."""
    wanted = starts("code", text, text.lower()) | starts("name", text, text.capitalize()) | Q(public_id=text)
    return [_hit(row, slug) for row in products().filter(wanted).order_by("name", "id")[:LIMIT]]


def _hit(row: Product, slug: str) -> Hit:
    return Hit(
        label=row.name,
        href=link("product", slug, row.public_id),
        icon="tags",
        detail=", ".join(filter(None, [row.code, _("archived") if row.archived_at else ""])),
    )

"""Invoices and credit notes in the search: by number, by the digits of a number, by exact total, or by public id."""

from django.db.models import Q
from django.utils.translation import gettext_lazy

from core.money import Money
from core.registry import Place, places
from core.search import LIMIT, Hit, source
from core.templatetags.looks import STATES
from core.timeline import link
from invoicing.listing import NEWEST, DocumentRow, of_text, rows
from invoicing.models import Document
from invoicing.permissions import INVOICES_VIEW
from invoicing.selectors import numbers
from invoicing.views.common import business_today

places[Document.PREFIX] = Place("invoice", INVOICES_VIEW, numbers)


@source(gettext_lazy("Invoices and credit notes"), INVOICES_VIEW)
def find(text: str, slug: str) -> list[Hit]:
    """The newest first; three queries."""
    today = business_today()
    found = Document.objects.filter(of_text(text, today) | Q(public_id=text)).select_related("customer")
    newest = list(found.order_by(*NEWEST.columns)[:LIMIT])
    return [_hit(row, slug) for row in rows(newest, today=today)]


def _hit(row: DocumentRow, slug: str) -> Hit:
    state = str(STATES[row.state].word) if row.state in STATES else row.state
    return Hit(
        label=row.document.number or str(STATES["draft"].word),
        href=link("invoice", slug, row.document.public_id),
        icon="file-invoice" if row.document.kind == "invoice" else "receipt-refund",
        detail=f"{row.document.customer.name} · {state}",
        figure=Money(row.total.minor, row.document.currency),
    )

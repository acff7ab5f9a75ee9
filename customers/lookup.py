"""Finding a customer while somebody types: by name from its start, or by number."""

import re

from django.db.models import Q

from core.errors import Invalid
from customers.models import Customer
from customers.services.customers import name_key

LIMIT = 8
_LAST = "\U0010ffff"
_NUMBER = re.compile(r"\(([^()]{1,40})\)\s*$")


def label_of(customer: Customer) -> str:
    """How a customer is written in a field that finds customers: `Kestrel Freight Ltd (K12)`."""
    return f"{customer.name} ({customer.number})"


def suggest(text: str, *, limit: int = LIMIT) -> list[Customer]:
    """Live customers whose name or number starts with the text, by name; text ranges, so that indexes serve."""
    text = text.replace("\0", "").strip()[:200]
    key = name_key(text)
    found = Customer.objects.filter(archived_at=None)
    if key:
        found = found.filter(
            Q(name_key__gte=key, name_key__lt=key + _LAST) | Q(number__gte=text, number__lt=text + _LAST)
        )
    return list(found.order_by("name_key", "id")[:limit])


def named(text: str) -> Customer:
    """The live customer that the text of such a field names; raises Invalid when it names none, or several."""
    text = text.replace("\0", "").strip()[:300]
    found = Customer.objects.select_related("entity").filter(archived_at=None)
    by_number = _NUMBER.search(text)
    hits = list(found.filter(number=by_number[1] if by_number else text)[:2])
    if not hits:
        hits = list(found.filter(name_key=name_key(text))[:2]) if name_key(text) else []
    if len(hits) != 1:
        problem = (
            "Several customers have this name; choose one."
            if hits
            else "No customer has this name or number."
        )
        raise Invalid(problem, fields={"customer": problem})
    return hits[0]

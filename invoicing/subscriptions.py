"""Which subscriptions lines bill, and which documents bill a subscription.

A line of an invoice bills what its source names; one of a credit note takes back a line of the invoice it is over.
"""

from typing import Any

from django.db.models import Case, Exists, F, Func, OuterRef, Q, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Cast

from invoicing import ports
from invoicing.models import Document, Line


def billing(lines: "QuerySet[Any]") -> "QuerySet[Any]":
    """The lines, each with the subscription that it bills or takes back in `billed`: {"id", "name"}, or None."""
    over = _over(OuterRef("document__credits")).values("source")
    own = Case(When(document__credits=None, then=F("source")), default=Subquery(over))
    return lines.alias(billing=own).annotate(billed=ports.subscriptions.of_line(OuterRef("billing")))


def _over(document: Any) -> "QuerySet[Any]":
    """The line of an invoice that an outer one of a credit note takes back."""
    lines = Line.objects.annotate(place=Cast("position", TextField()))
    return lines.filter(document=document, place=OuterRef("source"))


def of_subscription(public_id: str) -> Q:
    """Documents that bill a subscription, and credit notes that take back some of that. Inside work()."""
    bills = ports.subscriptions.bills(public_id)
    if bills is None:
        return Q(pk__in=[])
    what = Func(F("source"), Value(":"), Value(1), function="split_part", output_field=TextField())
    billed = _over(OuterRef(OuterRef("credits"))).annotate(what=what).filter(what__in=bills.lines)
    taken = Line.objects.filter(Exists(billed), document=OuterRef("pk"))
    notes = Document.objects.filter(Exists(taken), credits__in=bills.documents)
    return Q(pk__in=bills.documents.union(notes.values("pk")))

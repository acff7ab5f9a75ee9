"""Which documents bill a subscription, for the app that has the documents."""

from typing import Any

from django.db.models import Func, Subquery, TextField, Value
from django.db.models.functions import JSONObject

from billing.models import BilledPeriod, CorrectedPeriod, SubscriptionItem
from invoicing.ports import Bills


def of_line(source: Any) -> Subquery:
    """The subscription that the line of a source bills, as {"id", "name"}; null where it bills none.

    See billing.domain.lines.source_of for what a source is.
    """
    item = Func(source, Value(":"), Value(1), function="split_part", output_field=TextField())
    named = JSONObject(id="subscription__public_id", name="subscription__price__plan__name")
    return Subquery(SubscriptionItem.objects.filter(public_id=item).values(named=named))


def bills(public_id: str) -> Bills:
    """What bills a subscription, nothing where there is no such one. Inside work()."""
    its_own = {"subscription__public_id": public_id}
    more = CorrectedPeriod.objects.filter(difference_minor__gt=0, **its_own)
    return Bills(
        documents=BilledPeriod.objects.filter(**its_own).values("document").union(more.values("document")),
        lines=SubscriptionItem.objects.filter(**its_own).values("public_id"),
    )

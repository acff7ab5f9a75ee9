"""Reads of webhooks."""

from dataclasses import dataclass

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce

from core.errors import NotFound
from core.paging import Order, Page, paged
from integrations.domain.states import State
from integrations.models import Delivery, DeliveryTry, Endpoint


def webhooks() -> list[Endpoint]:
    """The scope's endpoints with how many deliveries wait and have failed; one query. Inside work()."""

    def counted(state: State) -> Coalesce:
        rows = Delivery.objects.filter(endpoint=OuterRef("pk"), state=state).order_by()
        count = rows.values("endpoint").annotate(n=Count("pk")).values("n")
        return Coalesce(Subquery(count), 0)

    rows = Endpoint.objects.annotate(waiting=counted(State.PENDING), failed=counted(State.FAILED))
    return list(rows.order_by("-id"))


def webhook(public_id: str) -> Endpoint:
    """The endpoint with this public id; raises NotFound. Inside work()."""
    found: Endpoint | None = Endpoint.objects.filter(public_id=public_id).first()
    if found is None:
        raise NotFound("That webhook is not here.")
    return found


@dataclass(frozen=True, slots=True)
class Told:
    """A delivery with its tries, the newest first."""

    row: Delivery
    tries: list[DeliveryTry]


def deliveries(endpoint: Endpoint, *, state: str, cursor: str) -> tuple[Page[Delivery], list[Told]]:
    """A page of what an endpoint was told, and its tries; three queries. Inside work()."""
    found = Delivery.objects.select_related("event").filter(endpoint=endpoint)
    if state in set(State):
        found = found.filter(state=state)
    page = paged(found, Order("pk", int, descending=True), cursor, size=25)
    tries: dict[int, list[DeliveryTry]] = {}
    for each in DeliveryTry.objects.filter(delivery_id__in=[row.pk for row in page.rows]).order_by("-id"):
        tries.setdefault(each.delivery_id, []).append(each)
    return page, [Told(row, tries.get(row.pk, [])) for row in page.rows]


def delivery(public_id: str) -> Delivery:
    """The delivery with this public id, its endpoint and event; raises NotFound. Inside work()."""
    found = Delivery.objects.select_related("endpoint", "event").filter(public_id=public_id).first()
    if found is None:
        raise NotFound("That delivery is not here.")
    return found

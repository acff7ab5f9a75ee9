"""Reads of prepaid balances: what is left of top-ups, what can be drawn, what became of the rest."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet, Sum

from core.errors import NotFound
from core.money import Money
from core.paging import Order
from invoicing.domain.prepaid import Fund, Gone, Want, draws
from invoicing.models import TopUp, TopUpMove
from receivables.selectors import item_states

NEWEST = Order("pk", int, descending=True)


def funds_of(rows: Sequence[TopUp]) -> list[Fund]:
    """Top-ups, read with their documents, as they can be drawn of; one query, none without rows. Inside work()."""
    if not rows:
        return []
    items = item_states([row.document.public_id for row in rows])
    return [
        Fund(
            top_up_id=row.pk,
            customer_id=row.customer_id,
            entity_id=row.entity_id,
            currency=row.currency,
            left_minor=row.left_minor,
            owed_minor=items[row.document.public_id].open_minor,
            expires_on=row.expires_on,
        )
        for row in rows
    ]


def funds(customer_ids: Iterable[int]) -> list[Fund]:
    """What is left of the customers' top-ups, as `hold` gives it, without locking. Two queries, inside work()."""
    return funds_of(list(left_of(set(customer_ids))))


def would_pay(minor: int, *, customer_id: int, entity_id: int, currency: str, on: date) -> int:
    """What of an amount of the customer's next invoice its prepaid balance pays, as it stands now. Inside work().

    By the function that pays; two queries, none for nothing.
    """
    if not minor:
        return 0
    want = Want(0, customer_id, entity_id, currency, minor)
    return sum(each.minor for each in draws(funds([customer_id]), [want], on))


def left_of(customer_ids: set[int]) -> "QuerySet[TopUp]":
    """Top-ups of the customers of which something is left, with their documents. Inside work()."""
    found: QuerySet[TopUp] = TopUp.objects.filter(customer_id__in=customer_ids, left_minor__gt=0)
    return found.select_related("document")


def top_ups(*, customer: str = "", left: bool | None = None) -> "QuerySet[TopUp]":
    """Top-ups with their customers and documents, of a customer (public id), with or without something left."""
    found: QuerySet[TopUp] = TopUp.objects.select_related("customer", "document")
    if customer:
        found = found.filter(customer__public_id=customer)
    if left is not None:
        found = found.filter(left_minor__gt=0) if left else found.filter(left_minor=0)
    return found


def top_up(public_id: str) -> TopUp:
    """The top-up with this public id; raises NotFound. Inside work()."""
    found = top_ups().filter(public_id=public_id).first()
    if found is None:
        raise NotFound("That top-up is not here.")
    return found


def top_up_of(document_id: int) -> TopUp | None:
    """The top-up that an invoice made. Inside work()."""
    return TopUp.objects.filter(document_id=document_id).first()


def drawn_of(source: str) -> str:
    """Public id of the top-up that a credit item was drawn of, from what that came from."""
    return source.split(":")[1]


def draw_source(row: TopUp, invoice: str) -> str:
    """What the credit item came from that pays an invoice (public id) out of a top-up; its natural key."""
    return f"draw:{row.public_id}:{invoice}"


def moves(row: TopUp) -> "QuerySet[TopUpMove]":
    """What became of a top-up, with the documents. Inside work()."""
    found: QuerySet[TopUpMove] = TopUpMove.objects.filter(top_up=row).select_related("document")
    return found


@dataclass(frozen=True, slots=True)
class TopUpView:
    """A top-up as it is shown on a day: what is left, and what of that can be drawn."""

    row: TopUp
    owed_minor: int
    state: str

    @property
    def available_minor(self) -> int:
        """What can be drawn: left, paid, and not beyond its day."""
        return 0 if self.state == "expired" else max(0, self.row.left_minor - self.owed_minor)

    @property
    def total(self) -> Money:
        return Money(self.row.total_minor, self.row.currency)

    @property
    def left(self) -> Money:
        return Money(self.row.left_minor, self.row.currency)

    @property
    def available(self) -> Money:
        return Money(self.available_minor, self.row.currency)


def shown(rows: Sequence[TopUp], *, today: date) -> list[TopUpView]:
    """Top-ups as they are shown on a local date, one query. Inside work().

    `used` is one of which nothing is left, `expired` one whose day has come, `unpaid` one of which nothing that is left
    was paid; else it is `active`.
    """
    return [
        TopUpView(row, fund.owed_minor, _state(fund, today))
        for row, fund in zip(rows, funds_of(rows), strict=True)
    ]


def _state(fund: Fund, today: date) -> str:
    if not fund.left_minor:
        return "used"
    if fund.expires_on is not None and fund.expires_on <= today:
        return "expired"
    return "active" if fund.available_minor else "unpaid"


def balance(customer_id: int, *, today: date) -> list[Money]:
    """What of a customer's prepaid balance can be drawn on a local date, by currency. Two queries, inside work()."""
    sums: dict[str, int] = defaultdict(int)
    for fund in funds([customer_id]):
        if fund.expires_on is None or fund.expires_on > today:
            sums[fund.currency] += fund.available_minor
    return [Money(minor, code) for code, minor in sorted(sums.items())]


def still_left(customer_id: int) -> str:
    """Why a customer cannot be archived: what is left of its prepaid balance, or nothing. Inside work()."""
    if not TopUp.objects.filter(customer_id=customer_id, left_minor__gt=0).exists():
        return ""
    return "Something is left of its prepaid balance. Credit or void that first."


def left_by_currency() -> list[Money]:
    """What is left of all top-ups, by currency: what the books owe to customers for it. Inside work()."""
    sums = TopUp.objects.filter(left_minor__gt=0).values("currency").annotate(minor=Sum("left_minor"))
    return [Money(int(each["minor"]), each["currency"]) for each in sums.order_by("currency")]


def drawn_minor(document_id: int) -> int:
    """What a document was paid of prepaid balances when it was issued. Inside work()."""
    rows = TopUpMove.objects.filter(document_id=document_id, kind=Gone.DRAWN)
    return int(rows.aggregate(minor=Sum("minor"))["minor"] or 0)

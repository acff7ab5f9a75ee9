"""The list of customers: what is wanted, in which order, and what it comes to."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet

from core.money import Money
from core.paging import Order, Page, paged
from customers.balances import Balance, reads
from customers.models import Customer
from customers.services.customers import name_key

_LAST = "\U0010ffff"
BY_NAME, BY_NUMBER, BY_NEWEST, BY_OPEN = "name", "number", "newest", "open"
ORDERS = {
    BY_NAME: Order("name_key"),
    "-name": Order("name_key", descending=True),
    BY_NUMBER: Order("number"),
    "-number": Order("number", descending=True),
    BY_NEWEST: Order("pk", int, descending=True),
}
BY_BALANCE = {
    BY_OPEN: Order("open_sum", int),
    "-open": Order("open_sum", int, descending=True),
}
"""Offered while one currency is chosen: sums of several currencies have no order."""


@dataclass(frozen=True, slots=True)
class CustomerFilter:
    """What is wanted; "" and False leave a condition out."""

    text: str = ""
    currency: str = ""
    overdue: bool = False
    archived: bool = False


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One row of the list."""

    customer: Customer
    balances: list[Balance]

    @property
    def nothing(self) -> Money:
        """What is shown where nothing is open."""
        return Money(0, self.customer.currency)

    @property
    def overdue(self) -> list[Balance]:
        return [balance for balance in self.balances if balance.overdue_minor]


def customers(wanted: CustomerFilter, *, today: date) -> "QuerySet[Customer]":
    """The customers that are wanted, in no order; text is searched from its start. Inside work()."""
    found: QuerySet[Customer] = Customer.objects.filter(archived_at__isnull=not wanted.archived)
    if wanted.text:
        key = name_key(wanted.text)
        matches = Q(number__gte=wanted.text, number__lt=wanted.text + _LAST)
        if key:
            matches |= Q(name_key__gte=key, name_key__lt=key + _LAST)
        found = found.filter(matches)
    if wanted.currency:
        found = found.filter(currency=wanted.currency)
    if wanted.overdue:
        found = found.filter(pk__in=reads().overdue_ids(today=today))
    return found


def offered(wanted: CustomerFilter) -> dict[str, Order]:
    """The sortings that this filter allows."""
    return {**ORDERS, **BY_BALANCE} if wanted.currency else ORDERS


def ordered(found: "QuerySet[Customer]", wanted: CustomerFilter, order: Order, cursor: str) -> Page[Customer]:
    """One page of the list, one query."""
    if order.column == "open_sum":
        found = found.annotate(open_sum=reads().open_in(wanted.currency))
    return paged(found, order, cursor)


def rows(customers: list[Customer], *, today: date) -> list[CustomerRow]:
    """The customers with what is open of them, one query."""
    balances = reads().by_customer([row.pk for row in customers], today=today)
    return [CustomerRow(row, balances.get(row.pk, [])) for row in customers]


def sums(wanted: CustomerFilter, *, today: date) -> list[Balance]:
    """What the whole list comes to, by currency; two queries at most."""
    if wanted == CustomerFilter():
        archived = Customer.objects.filter(archived_at__isnull=False)
        return reads().of_all_but(archived.values("pk"), today=today)
    found = customers(wanted, today=today)
    return reads().of_all(found.order_by().values("pk"), today=today)

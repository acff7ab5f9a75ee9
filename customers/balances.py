"""What pages of customers show of open items. The app of open items is above this one and gives itself to `use`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from django.db.models import QuerySet
from django.db.models.expressions import Combinable

from core.money import Money


@dataclass(frozen=True, slots=True)
class Balance:
    """What is open in one currency, minor units: `owed` debits, `overdue` of them past due, `credit` not yet used."""

    currency: str
    owed_minor: int = 0
    overdue_minor: int = 0
    credit_minor: int = 0
    items: int = 0

    @property
    def open(self) -> Money:
        """Owed less unused credit; negative when we owe."""
        return Money(self.owed_minor - self.credit_minor, self.currency)

    @property
    def owed(self) -> Money:
        return Money(self.owed_minor, self.currency)

    @property
    def overdue(self) -> Money:
        return Money(self.overdue_minor, self.currency)

    @property
    def credit(self) -> Money:
        return Money(self.credit_minor, self.currency)


@dataclass(frozen=True, slots=True)
class OpenLine:
    """One open item of a customer; `amount` is negative for a credit. `source` is what it came from.

    Something of it is due next on `due_on`; `later` of it on `later_on` only, where its deposit is open.
    """

    label: str
    kind: str
    source: str
    effective_on: date
    due_on: date
    total: Money
    amount: Money
    later: Money
    later_on: date | None

    @property
    def sooner(self) -> Money:
        """What of it is due on `due_on`."""
        return self.amount - self.later

    @property
    def is_credit(self) -> bool:
        return self.amount.minor < 0


class Reads(Protocol):
    """Every function runs inside work() and asks a constant number of queries."""

    def by_customer(self, customer_ids: Iterable[int], *, today: date) -> dict[int, list[Balance]]:
        """Balances of customers by id, by currency."""

    def of_all(self, customer_ids: "QuerySet[Any, Any]", *, today: date) -> list[Balance]:
        """Balances of all customers of a subquery of ids together, by currency."""

    def of_all_but(self, customer_ids: "QuerySet[Any, Any]", *, today: date) -> list[Balance]:
        """Balances of everybody together but a few, the customers of a subquery of ids, by currency."""

    def overdue_ids(self, *, today: date) -> "QuerySet[Any, Any]":
        """Ids of customers with something overdue, as a subquery."""

    def open_in(self, currency: str) -> Combinable:
        """What a customer owes in a currency less credits, as an expression over the customer's row."""

    def open_lines(self, customer_id: int, *, limit: int) -> list[OpenLine]:
        """Open items of a customer, oldest due first."""

    def recent_sources(self, customer_id: int, *, limit: int) -> dict[str, str]:
        """Labels of a customer's newest items by what they came from and by their own public id."""

    def has_items(self, entity_id: int) -> bool:
        """Whether anything was ever booked for a legal entity."""


_reads: list[Reads] = []


def use(reads: Reads) -> None:
    """Called once at start by the app of open items."""
    _reads[:] = [reads]


def reads() -> Reads:
    """The registered reads."""
    return _reads[0]

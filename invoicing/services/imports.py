"""Invoices of another system from a file: what becomes of each row, and making it so."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext as _

from core import clock
from core.imports.base import Outcome, Planned, Row, Setup
from core.money import Money
from customers.selectors import CustomerKey, by_numbers
from customers.services.bulk import CustomerDraft, create_customers
from invoicing.domain.states import State
from invoicing.models import Document
from invoicing.services.opening import KIND, OpeningDraft, open_documents, withdraw
from tenants.selectors import Companies, entity

EARLIEST = date(1980, 1, 1)
LONGEST = timedelta(days=3660)
REFERENCES = ("reference", "reference_2", "reference_3")

Key = tuple[int, str]
"""Legal entity and number."""


@dataclass(frozen=True, slots=True)
class There:
    """An opening invoice that is here, or that an earlier row of the file makes."""

    customer: str
    currency: str
    total_minor: int
    issued_on: date


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """What a row makes: an opening invoice, and its customer when that is new."""

    draft: OpeningDraft
    customer: str
    new_customer: CustomerDraft | None


def plan(rows: Sequence[Row], setup: Setup) -> list[Planned]:
    """A number new to its legal entity is brought in, with its customer where that is not here. Inside work()."""
    planner = _Planner(rows, setup)
    return [planner.planned(row) for row in rows]


class _Planner:
    """Facts of a chunk of rows, read in a constant number of queries."""

    def __init__(self, rows: Sequence[Row], setup: Setup) -> None:
        self.setup = setup
        seller = entity()
        self.today = clock.today(seller.zone)
        self.companies = Companies()
        self.customers = by_numbers({row["customer_number"] for row in rows})
        self.here = _there({row["number"] for row in rows})

    def planned(self, row: Row) -> Planned:
        company = self.companies.of(row["entity"])
        if company is None:
            row.refuse(
                "entity", _("No legal entity has the code %(code)s.") % {"code": row["entity"]}, "entity"
            )
        total = row.money("amount", row["currency"], self.setup.habits)
        if total is not None and total.minor <= 0:
            row.refuse("amount", _("An open invoice is more than zero."), "sign")
        owner = self._owner(row)
        due_on = self._days(row, self._terms(row, owner, company))
        if row.problems or company is None or total is None:
            return Planned(row, Outcome.FAILED)
        key = (company.pk, row["number"])
        there = self.here.get(key) or self.setup.seen.get(f"{key}")
        wanted = There(row["customer_number"], total.currency, total.minor, row["issued_on"])
        if there is not None:
            return _known(row, there, wanted)
        self.setup.seen[f"{key}"] = wanted
        return Planned(row, Outcome.CREATED, self._made(row, company, total, due_on, owner))

    def _owner(self, row: Row) -> CustomerKey | None:
        """The customer when it is here; notes what is missing for one that is not."""
        number = row["customer_number"]
        owner = self.customers.get(number)
        if owner is None and not (row["customer_name"] or f"customer {number}" in self.setup.seen):
            row.refuse(
                "customer_name",
                _("Customer %(number)s is not here; its name is needed to make it.") % {"number": number},
                "customer",
            )
        if owner is not None and owner.archived:
            row.refuse(
                "customer_number",
                _("Customer %(number)s is archived.") % {"number": number},
                "customer",
            )
        return owner

    def _terms(self, row: Row, owner: CustomerKey | None, company: Any) -> int:
        """Days to pay of the customer, of one that an earlier row makes, or as a new one will have them."""
        if owner is not None:
            return owner.terms_days
        made: int | None = self.setup.seen.get(f"customer {row['customer_number']}")
        return made if made is not None else company.terms_days if company else 0

    def _days(self, row: Row, terms: int) -> date:
        issued_on = row["issued_on"]
        if not EARLIEST <= issued_on <= self.today:
            row.refuse("issued_on", _("An invoice was issued between 1980 and today."), "day")
            return self.today
        due_on: date = row["due_on"] or issued_on + timedelta(days=terms)
        if not issued_on <= due_on <= issued_on + LONGEST:
            row.refuse("due_on", _("It is due on the day of issue or within ten years of it."), "day")
        return due_on

    def _made(
        self, row: Row, company: Any, total: Money, due_on: date, owner: CustomerKey | None
    ) -> InvoiceRow:
        draft = OpeningDraft(
            entity_id=company.pk,
            customer_id=owner.customer_id if owner else 0,
            number=row["number"],
            currency=total.currency,
            total_minor=total.minor,
            issued_on=row["issued_on"],
            due_on=due_on,
            source=f"{self.setup.source}:{row.number}",
            memo=row["memo"] or "",
            external_id=row["external_id"] or "",
            references=tuple(row[name] for name in REFERENCES if row[name]),
        )
        new = None
        if owner is None and row["customer_name"]:
            self.setup.seen.setdefault(f"customer {row['customer_number']}", company.terms_days)
            new = CustomerDraft(row["customer_number"], row["customer_name"], company.pk, total.currency)
        return InvoiceRow(draft, row["customer_number"], new)


def _known(row: Row, there: There, wanted: There) -> Planned:
    if there == wanted:
        return Planned(row, Outcome.UNCHANGED)
    row.refuse(
        "number",
        _("Invoice %(number)s is here already: customer %(customer)s, %(total)s, issued %(day)s.")
        % {
            "number": row["number"],
            "customer": there.customer,
            "total": Money(there.total_minor, there.currency),
            "day": there.issued_on.isoformat(),
        },
        "different",
    )
    return Planned(row, Outcome.FAILED)


def _there(numbers: Iterable[str]) -> Mapping[Key, There]:
    found = Document.objects.filter(kind=KIND, number__in=list(numbers)).exclude(state=State.VOID)
    rows = found.values_list(
        "entity_id", "number", "customer__number", "currency", "total_minor", "issued_on"
    )
    return {(entity_id, number): There(*facts) for entity_id, number, *facts in rows}


def write(planned: Sequence[Planned], _setup: Setup) -> list[str]:
    """Make the customers that are new, then the invoices; public ids in order. Inside work()."""
    rows: list[InvoiceRow] = [each.draft for each in planned]
    fresh = {row.customer: row.new_customer for row in reversed(rows) if row.new_customer is not None}
    made = create_customers(list(fresh.values()))
    drafts = [
        row.draft if row.draft.customer_id else replace(row.draft, customer_id=made[row.customer][0])
        for row in rows
    ]
    return open_documents(drafts, posted_on=clock.today(entity().zone))


def undo(made: Sequence[str]) -> None:
    """Void them and free their numbers; Conflict when one was paid or written off. Customers stay. Inside work()."""
    withdraw(made, on=clock.today(entity().zone), reason=_("The import was undone."))

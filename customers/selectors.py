"""Reads of customers: what other apps may know about them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from core.errors import NotFound
from core.search import starts
from customers.models import Contact, Customer

_SHORTEST_WORD = 3


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """What billing and documents need of a customer; `snapshot` is the buyer as a document keeps it."""

    customer_id: int
    public_id: str
    name: str
    email: str
    snapshot: dict[str, Any]


def billing_facts(customer_ids: Iterable[int]) -> dict[int, CustomerFacts]:
    """Facts of customers by id, one query. Inside work()."""
    return {
        customer.pk: CustomerFacts(
            customer.pk,
            customer.public_id,
            customer.name,
            customer.email,
            {
                "name": customer.name,
                "number": customer.number,
                "address": customer.address,
                "country": customer.country,
            },
        )
        for customer in Customer.objects.filter(pk__in=list(customer_ids))
    }


@dataclass(frozen=True, slots=True)
class CustomerKey:
    """A customer as files name it."""

    customer_id: int
    number: str
    terms_days: int
    archived: bool


def by_numbers(numbers: Iterable[str]) -> dict[str, CustomerKey]:
    """Customers by their numbers, one query. Inside work()."""
    found = Customer.objects.filter(number__in=list(numbers))
    rows = found.values_list("id", "number", "terms_days", "archived_at")
    return {number: CustomerKey(pk, number, terms, away is not None) for pk, number, terms, away in rows}


def named_like(keys: Iterable[str]) -> list[tuple[str, int]]:
    """(name key, id) of customers whose name is one of these or begins with the first word of one, two queries.

    Inside work(). Those with exactly the name are always among them, of the others at most a thousand.
    """
    wanted = {key for key in keys if key}
    begins = sorted({key.split(" ", 1)[0] for key in wanted})
    near = starts("name_key", *(word for word in begins if len(word) >= _SHORTEST_WORD))
    exact = Customer.objects.filter(name_key__in=wanted).values_list("name_key", "id")
    return list({*exact, *Customer.objects.filter(near).values_list("name_key", "id")[:1000]})


def customer(public_id: str) -> Customer:
    """The customer with this public id; raises NotFound. Inside work()."""
    found = None
    if "\0" not in public_id:  # no text of the database holds one, and the driver refuses to send it
        found = Customer.objects.select_related("entity", "parent").filter(public_id=public_id).first()
    if found is None:
        raise NotFound("That customer is not here.")
    return found


def by_external_id(external_id: str) -> Customer | None:
    """The customer that another system calls so, or None. Inside work()."""
    found: Customer | None = (
        Customer.objects.select_related("entity", "parent").filter(external_id=external_id).first()
    )
    return found


def contact(customer_id: int, public_id: str) -> Contact:
    """A person at a customer; raises NotFound. Inside work()."""
    found: Contact | None = Contact.objects.filter(customer_id=customer_id, public_id=public_id).first()
    if found is None:
        raise NotFound("That contact is not here.")
    return found


def invoice_addresses(customer_id: int) -> list[str]:
    """E-mail addresses that get a customer's invoices, in order. Inside work()."""
    return list(
        Contact.objects.filter(customer_id=customer_id, receives_invoices=True)
        .order_by("id")
        .values_list("email", flat=True)
    )


def names(public_ids: Iterable[str]) -> dict[str, str]:
    """Names of customers by public id, one query. Inside work()."""
    found = Customer.objects.filter(public_id__in=list(public_ids))
    return dict(found.values_list("public_id", "name"))


def known(*, ids: Iterable[int], public_ids: Iterable[str]) -> list[Customer]:
    """Customers by id or by public id, one query. Inside work()."""
    return list(Customer.objects.filter(Q(pk__in=list(ids)) | Q(public_id__in=list(public_ids))))


def by_ids(customer_ids: Iterable[int]) -> dict[int, Customer]:
    """Customers by id, one query. Inside work()."""
    return {row.pk: row for row in Customer.objects.filter(pk__in=list(customer_ids))}


def any_customers() -> bool:
    """Whether there is a customer at all. Inside work()."""
    return Customer.objects.exists()


def contacts_of(customer_id: int) -> list[Contact]:
    """The people at a customer, by name. Inside work()."""
    return list(Contact.objects.filter(customer_id=customer_id).order_by("name", "id"))


def contact_rows(customer_id: int) -> "QuerySet[Contact]":
    """The people at a customer, in no order, for a list in pages. Inside work()."""
    found: QuerySet[Contact] = Contact.objects.select_related("customer").filter(customer_id=customer_id)
    return found


def children_of(customer_id: int, *, limit: int = 50) -> list[Customer]:
    """Customers that belong to this one, by name. Inside work()."""
    return list(Customer.objects.filter(parent_id=customer_id).order_by("name_key", "id")[:limit])


def invoice_addresses_of(customer_ids: Iterable[int]) -> dict[int, list[str]]:
    """E-mail addresses that get invoices, by customer, one query. Inside work()."""
    found: dict[int, list[str]] = {}
    rows = Contact.objects.filter(customer_id__in=list(customer_ids), receives_invoices=True).order_by("id")
    for customer_id, email in rows.values_list("customer_id", "email"):
        found.setdefault(customer_id, []).append(email)
    return found


def public_ids_by_external_id(external_ids: Iterable[str]) -> dict[str, str]:
    """Public ids of the customers that another system calls so, one query. Inside work()."""
    rows = Customer.objects.filter(external_id__in=list(external_ids), archived_at=None)
    return dict(rows.values_list("external_id", "public_id"))

"""Reads of customers: what other apps may know about them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from core.errors import NotFound
from customers.models import Contact, Customer


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


def customer(public_id: str) -> Customer:
    """The customer with this public id; raises NotFound. Inside work()."""
    found = Customer.objects.select_related("entity", "parent").filter(public_id=public_id).first()
    if found is None:
        raise NotFound("That customer is not here.")
    return found


def invoice_addresses(customer_id: int) -> list[str]:
    """E-mail addresses that get a customer's invoices, in order. Inside work()."""
    return list(
        Contact.objects.filter(customer_id=customer_id, receives_invoices=True)
        .order_by("id")
        .values_list("email", flat=True)
    )

"""Customers for the sandbox: terms and currency are theirs; name, number, addresses and people are made up."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from core.copying import Copier, fake, register
from customers.models import Contact, Customer
from customers.services.contacts import add_contact
from customers.services.customers import create_customer

KEPT = ("currency", "zone", "country", "terms_days", "deposit_percent", "one_invoice")


def _facts(rows: Sequence[Customer]) -> list[dict[str, Any]]:
    people = Counter(
        Contact.objects.filter(customer_id__in=[row.pk for row in rows]).values_list("customer_id", flat=True)
    )
    return [
        {"live": row.public_id, "people": people[row.pk], **{name: getattr(row, name) for name in KEPT}}
        for row in rows
    ]


def _write(facts: list[dict[str, Any]]) -> int:
    made = 0
    for each in facts:
        if Customer.objects.filter(external_id=each["live"]).exists():
            continue
        who = fake(each["live"])
        customer = create_customer(
            name=who.company,
            number=who.number,
            email=who.email if each["people"] else "",
            address=who.address,
            external_id=each["live"],
            **{name: each[name] for name in KEPT},
        )
        for n in range(1, each["people"]):
            other = fake(f"{each['live']}:{n}")
            add_contact(customer.pk, name=other.person, email=other.email, receives_invoices=True)
        made += 1
    return made


def _rows() -> Any:
    return Customer.objects.filter(archived_at=None)


register(Copier("customers", 10, _rows, _facts, _write, people=True))

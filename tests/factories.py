"""Short ways to the things most tests need, made through the services as in life. All inside work()."""

from datetime import date
from itertools import count

from customers.models import Customer
from customers.services.customers import create_customer
from ledger.domain.entries import Purpose
from receivables.domain.items import Kind
from receivables.domain.postings import ItemFacts
from receivables.services.items import ItemDraft, open_items

_numbers = count(1)
DAY = date(2026, 11, 2)


def customer(**given: object) -> Customer:
    n = next(_numbers)
    return create_customer(**{"name": f"Kestrel Freight {n}", "number": f"K{n}", **given})  # type: ignore[arg-type]


def item(
    owner: Customer, minor: int, kind: Kind = Kind.INVOICE, *, on: date = DAY, due_on: date | None = None
) -> ItemFacts:
    """An open item of the kind with its entry against the account that kind usually meets."""
    against = {
        Kind.PAYMENT: Purpose.BANK,
        Kind.WRITE_OFF: Purpose.WRITE_OFF,
        Kind.OPENING: Purpose.OPENING,
    }.get(kind, Purpose.REVENUE)
    n = next(_numbers)
    (facts,) = open_items(
        [
            ItemDraft(
                kind=kind,
                customer_id=owner.pk,
                entity_id=owner.entity_id,
                label=f"{kind} {n}",
                source=f"src_{n}",
                currency=owner.currency,
                effective_on=on,
                posted_on=on,
                due_on=due_on or on,
                against=((against, minor),),
            )
        ]
    )
    return facts

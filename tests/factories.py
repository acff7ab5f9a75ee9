"""Short ways to the things most tests need, made through the services as in life. All inside work()."""

from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from billing.models import Subscription
from billing.services.prices import create_price
from billing.services.subscriptions import subscribe
from cashapp.services.payments import record
from core import vault
from customers.models import Customer
from customers.services.customers import create_customer
from invoicing.domain.totals import line
from invoicing.models import Document
from invoicing.services.drafts import DocumentDraft, write_drafts
from invoicing.services.issue import issue
from ledger.domain.entries import Purpose
from messaging.models import Message
from receivables.domain.items import Kind
from receivables.domain.postings import ItemFacts
from receivables.models import OpenItem
from receivables.selectors import item_states
from receivables.services.allocate import facts_of
from receivables.services.items import ItemDraft, open_items

_numbers = count(1)
DAY = date(2026, 11, 2)


def customer(**given: object) -> Customer:
    n = next(_numbers)
    return create_customer(**{"name": f"Kestrel Freight {n}", "number": f"K{n}", **given})  # type: ignore[arg-type]


def payment(owner: Customer, minor: int, *, on: date = DAY) -> ItemFacts:
    """Money received and put against nothing yet."""
    made = record(
        customer=owner.public_id,
        minor=minor,
        received_on=on,
        method="bank_transfer",
        key=f"payment-{next(_numbers)}",
        parts={},
    )
    return facts_of(OpenItem.objects.get(source=made.public_id))


def pay(document: Document, *, on: date = DAY, minor: int | None = None) -> None:
    """Pay what is open of an invoice, or a part of it."""
    owed = item_states([document.public_id])[document.public_id]
    paid = owed.available_minor if minor is None else minor
    record(
        customer=document.customer.public_id, minor=paid, received_on=on, method="bank_transfer",
        key=f"payment-{next(_numbers)}", parts={owed.item_id: paid},
    )  # fmt: skip


def item(
    owner: Customer,
    minor: int,
    kind: Kind = Kind.OPENING,
    *,
    on: date = DAY,
    due_on: date | None = None,
    deposit: tuple[int, date] | None = None,
) -> ItemFacts:
    """An open item of the kind with its entry against the account that kind usually meets.

    `deposit` is how much of it is due on a day before `due_on`.
    """
    if kind is Kind.PAYMENT:
        return payment(owner, minor, on=on)
    against = {
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
                deposit_minor=deposit[0] if deposit else 0,
                deposit_due_on=deposit[1] if deposit else None,
            )
        ]
    )
    return facts


def draft_invoice(owner: Customer, *lines: tuple[str, str], tax: str = "19", **also: object) -> int:
    """A draft with (quantity, unit price) lines; returns its id."""
    n = next(_numbers)
    (pk,) = write_drafts(
        [
            DocumentDraft(
                kind="invoice",
                entity_id=owner.entity_id,
                customer_id=owner.pk,
                currency=owner.currency,
                terms_days=14,
                source=f"test:{n}",
                lines=tuple(
                    line(f"Track Pro {i}", Decimal(q), Decimal(p), owner.currency, tax_percent=Decimal(tax))
                    for i, (q, p) in enumerate(lines or (("1", "100.00"),), 1)
                ),
                **also,  # type: ignore[arg-type]
            )
        ]
    )
    return pk


def invoice(owner: Customer, *lines: tuple[str, str], on: date = DAY, **also: object) -> Document:
    """An issued invoice."""
    (document,) = issue([draft_invoice(owner, *lines, **also)], issued_on=on)  # type: ignore[arg-type]
    return document


def subscription(owner: Customer, starts_on: date, **given: object) -> Subscription:
    """A monthly per-unit subscription at 14.50 unless told otherwise."""
    price = {"model": "per_unit", "unit_price": Decimal("14.50"), "unit": "month", "every": 1}
    price |= {key: given.pop(key) for key in list(given) if key in {*price, "tax_percent"}}
    n = next(_numbers)
    made = create_price(name="Track Pro", code=f"track-{n}", currency=owner.currency, **price)  # type: ignore[arg-type]
    return subscribe(customer=owner.public_id, price=made, starts_on=starts_on, **given)  # type: ignore[arg-type]


def letter(*, text_body: str = "", html_body: str = "", **given: Any) -> Message:
    """A message with its letter, sealed as the services leave it."""
    row = Message(**given)
    row.text_body = vault.seal(Message, "text_body", row.public_id, text_body)
    row.html_body = vault.seal(Message, "html_body", row.public_id, html_body)
    row.save()
    return row

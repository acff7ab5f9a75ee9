"""Cards that customers keep with us, to be charged by themselves."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet

from core import clock
from core.errors import NotFound
from core.events import emit
from core.locks import lock_one
from customers.domain.cards import Card
from customers.events import PaymentMethodKept, PaymentMethodRemoved
from customers.models import Customer, PaymentMethod
from customers.services.links import CARD, link_path, link_url

EXPIRES_SOON = timedelta(days=30)
"""How long before a card's last good day its customer and members are told."""


def card_path(customer: Customer) -> str:
    """The link to a customer's page of their card, on this very site. Inside work()."""
    return link_path(CARD, customer.public_id, customer.pk)


def card_url(customer: Customer) -> str:
    """The same as an address for a mail or a program. Inside work()."""
    return link_url(CARD, customer.public_id, customer.pk)


def live_methods(customer_ids: Iterable[int]) -> dict[int, PaymentMethod]:
    """The card that is charged by itself, by customer; one query. Inside work()."""
    rows = PaymentMethod.objects.filter(customer_id__in=list(customer_ids), removed_at=None)
    return {row.customer_id: row for row in rows}


def card_for(customer_id: int, *, since: datetime, due_on: date) -> PaymentMethod | None:
    """The card to charge on a day for what was issued at `since`: the one kept now, if one was kept then; one query.

    What was issued without a card stays its customer's to pay, for they were told so; so does what a card is not good
    long enough for. Inside work().
    """
    then = Q(agreed_at__lte=since) & (Q(removed_at=None) | Q(removed_at__gt=since))
    rows = list(
        PaymentMethod.objects.filter(then | Q(removed_at=None), customer_id=customer_id).order_by("id")
    )
    now = next((row for row in rows if row.live), None)
    return now if now and rows[0].agreed_at <= since and due_on <= now.expires_on else None


def keep(customer: str, *, gateway: str, card: Card, consent: str) -> PaymentMethod:
    """Keep a card that the gateway has taken, in place of one kept before. Inside work().

    Natural key: the customer and token; asked again with what is kept already it changes nothing. Raises NotFound.
    Emits payment_method.kept, and .removed of the one before.
    """
    owner = lock_one(Customer.objects.filter(public_id=customer))
    there = live_methods([owner.pk]).get(owner.pk)
    if there is not None and (there.gateway, there.token) == (gateway, card.token):
        return there
    if there is not None:
        _drop(there, customer)
    row = PaymentMethod.objects.create(customer=owner, gateway=gateway, consent=consent, **asdict(card))
    emit(
        PaymentMethodKept(
            row.public_id, row.version, customer=customer, brand=row.brand, last4=row.last4,
            expires_on=str(row.expires_on),
        )
    )  # fmt: skip
    return row


def remove(public_id: str) -> PaymentMethod:
    """Charge a card no more; what is under way goes on. Inside work(). Again changes nothing.

    Raises NotFound. Emits payment_method.removed.
    """
    row = method(public_id)
    lock_one(Customer.objects.filter(pk=row.customer_id))
    row.refresh_from_db()
    if row.live:
        _drop(row, row.customer.public_id)
    return row


def method_rows() -> "QuerySet[PaymentMethod]":
    """Cards, kept and removed, with their customers. Inside work()."""
    found: QuerySet[PaymentMethod] = PaymentMethod.objects.select_related("customer")
    return found


def method(public_id: str) -> PaymentMethod:
    """The card with this public id, kept or removed; raises NotFound. Inside work()."""
    found = method_rows().filter(public_id=public_id).first()
    if found is None:
        raise NotFound("That card is not here.")
    return found


def _drop(row: PaymentMethod, customer: str) -> None:
    row.removed_at = clock.now()
    row.touch("removed_at")
    emit(PaymentMethodRemoved(row.public_id, row.version, customer=customer))

"""Charging kept cards by themselves: what a customer owes of an invoice, on the day it is due."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from cashapp.domain.states import State
from cashapp.models import Attempt
from cashapp.services.attempts import AlreadyUnderWay, pay, send
from core import clock, effects
from core.effects import Later
from core.periods import local_midnight
from core.scope import work
from core.suspension import Suspended, require_live
from customers.services.methods import PaymentMethod, live_methods
from receivables.domain.items import Kind, Side
from receivables.selectors import ItemState, item_states, open_items_of
from receivables.services.allocate import Part, TooMuch, allocate, is_begun
from receivables.services.reserve import held
from tenants.selectors import entity_facts

CHARGE = "charge.due"
AGAIN = timedelta(minutes=5)
"""How long it waits for another payment of the same invoice to end."""
TRIES = 5
"""How often a charge is tried that the gateway never took: after an hour, two, four, eight."""
PAUSED = timedelta(hours=12)
"""How long it waits for a suspended organization."""
CREDITS = (Kind.CREDIT_NOTE, Kind.PAYMENT)
"""What a customer has with us and is taken first."""


def plan(invoices: Sequence[str]) -> None:
    """Have invoices, by their public ids, charged when their due day begins in the seller's zone. Inside work().

    Natural key: the invoice.
    """
    zones = {pk: facts.zone for pk, facts in entity_facts().items()}
    due: dict[datetime, list[str]] = {}
    for public_id, item in item_states(invoices).items():
        due.setdefault(local_midnight(item.due_on, zones[item.entity_id]), []).append(public_id)
    for at, ids in due.items():
        effects.due(CHARGE, [_due(each, 1) for each in ids], at=max(at, clock.now()))


def _due(invoice: str, nth: int) -> tuple[str, dict[str, Any]]:
    return f"{invoice}.{nth}", {"invoice": invoice, "nth": nth}


def try_again(attempt: Attempt) -> bool:
    """Whether a charge that the gateway never took is tried again, which is then due after a while. Inside work().

    One that was declined is not: that is for its customer to mend. Natural key: the invoice and which try it is.
    """
    invoice, _dot, nth = attempt.key.removeprefix("due:").rpartition(".")
    if attempt.state != State.ABANDONED or int(nth) >= TRIES:
        return False
    effects.due(CHARGE, [_due(invoice, int(nth) + 1)], at=clock.now() + timedelta(hours=2 ** (int(nth) - 1)))
    return True


def charge(invoice: str, *, nth: int) -> None:
    """Take from what the customer has with us, then charge what is left of an invoice to the kept card, once a try.

    Opens its own transactions. Nothing is charged of what is paid, credited or void by then, or without a card. Raises
    Later while a payer is paying it themselves, or the organization is suspended.
    """
    key = f"due:{invoice}.{nth}"
    try:
        with work():
            begun = Attempt.objects.filter(key=key).first()
            found = _owed(invoice, key) if begun is None else None
        if begun is not None and begun.state == State.CREATED:  # a worker died before it asked
            send(begun)
        if found is not None:
            item, method = found
            pay(
                key=key,
                amounts={item.item_id: item.open_minor},
                method=method.token,
                description=item.label,
                saved_id=method.pk,
            )
    except Suspended as error:
        raise Later(clock.now() + PAUSED) from error
    except (AlreadyUnderWay, TooMuch) as error:
        raise Later(clock.now() + AGAIN) from error


def _owed(invoice: str, key: str) -> tuple[ItemState, PaymentMethod] | None:
    """What is still to be charged of an invoice, credits taken, and the card to charge; None when there is nothing."""
    item = item_states([invoice])[invoice]
    method = live_methods([item.customer_id]).get(item.customer_id)
    if method is None:
        return None
    require_live()
    item = held([item.item_id])[item.item_id]
    if item.reserved_minor:
        raise AlreadyUnderWay("A payment of this is under way.")
    if item.open_minor and not is_begun(key):
        _take_credit(item, key)
        item = held([item.item_id])[item.item_id]
    return (item, method) if item.open_minor else None


def _take_credit(item: ItemState, key: str) -> None:
    """Put what the customer has with the same seller against the item, the oldest first."""
    left, parts = item.open_minor, []
    for credit in open_items_of(item.customer_id, item.currency, Side.CREDIT):
        minor = min(left, credit.available_minor)
        if minor and credit.kind in CREDITS and credit.entity_id == item.entity_id:
            parts.append(Part(f"{key}:{credit.item_id}", item.item_id, credit.item_id, minor))
            left -= minor
    allocate(parts, effective_on=clock.today(entity_facts()[item.entity_id].zone))

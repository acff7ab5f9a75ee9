"""Charging kept cards by themselves: what a customer owes of an invoice, on the day it is due."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from cashapp.domain.states import State
from cashapp.gateways.port import NoAnswer
from cashapp.models import Attempt
from cashapp.services import tries
from cashapp.services.attempts import AlreadyUnderWay, ask, intend, send
from core import clock
from core.effects import Later
from core.periods import local_midnight
from core.scope import work
from core.suspension import Suspended, require_live
from customers.services.methods import card_for
from receivables.domain.items import Kind, Side
from receivables.selectors import ItemState, item_states, open_items_of
from receivables.services.allocate import Part, allocate
from receivables.services.reserve import held
from tenants.selectors import entity_facts

AGAIN = timedelta(minutes=5)
"""How long it waits for another payment of the same invoice to end, or to hear what became of the last try."""
PAUSED = timedelta(hours=12)
"""How long it waits for a suspended organization."""
CREDITS = (Kind.CREDIT_NOTE, Kind.PAYMENT)
"""What a customer has with us and is taken first."""


def plan(invoices: Sequence[str]) -> None:
    """Have invoices, by their public ids, charged when their due day begins in the seller's zone, and what is left
    after a deposit when the rest's does. Inside work().

    Natural key: the invoice, and which part of it.
    """
    zones = {pk: facts.zone for pk, facts in entity_facts().items()}
    due: dict[datetime, list[str]] = {}
    for public_id, item in item_states(invoices).items():
        due.setdefault(local_midnight(item.due_on, zones[item.entity_id]), []).append(public_id)
        if item.later_minor:
            rest = local_midnight(item.last_due_on, zones[item.entity_id])
            due.setdefault(rest, []).append(tries.rest_of(public_id))
    for at, ids in due.items():
        tries.plan(ids, at=max(at, clock.now()))


def charge(name: str, *, nth: int) -> None:
    """Take from what the customer has with us, then charge what is due of an invoice to the kept card, once a try.

    `name` is that of the charge, see `tries`.

    Opens its own transactions. Nothing is charged of what is paid, credited or void by then, or without a card. Raises
    Later while a payer is paying it themselves, the organization is suspended, or nobody says what became of the last
    try.
    """
    try:
        _ask_again(tries.invoice_of(name))
        with work():
            attempt = _begin(tries.invoice_of(name), tries.key_of(name, nth))
    except Suspended as error:
        raise Later(clock.now() + PAUSED) from error
    except (AlreadyUnderWay, NoAnswer) as error:
        raise Later(clock.now() + AGAIN) from error
    if (
        attempt is not None and attempt.state == State.CREATED
    ):  # by this worker, or one that died before it asked
        send(attempt)


def _ask_again(invoice: str) -> None:
    """Hear again of every try that was given up, also of the deposit: what the gateway took since is booked, and not
    charged again."""
    with work():
        given_up = list(Attempt.objects.filter(key__in=tries.keys_of(invoice), state=State.ABANDONED))
    for each in given_up:
        ask(each)


def _begin(invoice: str, key: str) -> Attempt | None:
    """What the customer has with us put against the invoice, and the attempt to charge what is due of the rest; None
    when nothing is to be charged. What it is decided on is locked. Inside work()."""
    require_live()
    item = item_states([invoice])[invoice]
    credits = [
        each.item_id
        for each in open_items_of(item.customer_id, item.currency, Side.CREDIT)
        if each.kind in CREDITS and each.entity_id == item.entity_id
    ]
    now = held([item.item_id, *credits])
    item = now[item.item_id]
    begun = Attempt.objects.filter(key=key).first()
    method = card_for(item.customer_id, since=item.created_at, due_on=item.last_due_on)
    if begun is not None or method is None:
        return begun
    if item.reserved_minor:
        raise AlreadyUnderWay("A payment of this is under way.")
    today = clock.today(entity_facts()[item.entity_id].zone)
    left = _take(item, [now[pk] for pk in credits], key, today)
    return intend(key, {item.item_id: left}, method.token, item.label, method.pk) if left else None


def _take(item: ItemState, credits: Sequence[ItemState], key: str, today: date) -> int:
    """Put credits against what is due of the item, in their order; the minor units that it leaves due."""
    left, parts = item.due_by(today), []
    for credit in credits:
        if minor := min(left, credit.available_minor):
            parts.append(Part(f"{key}:{credit.item_id}", item.item_id, credit.item_id, minor))
            left -= minor
    allocate(parts, effective_on=today)
    return left

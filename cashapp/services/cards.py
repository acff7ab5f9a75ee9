"""Cards that customers keep: taken by the gateway first, then written down; and told of before they expire."""

from typing import Any

from django.utils.translation import gettext as _

from cashapp.gateways.port import NoAnswer
from cashapp.gateways.registry import gateway
from cashapp.models import METHOD
from core import clock
from core.errors import AppError, Invalid
from core.events import emit
from core.locks import lock_one
from core.scope import work
from customers.events import PaymentMethodExpiring
from customers.selectors import invoice_addresses_of
from customers.services.methods import keep, method_rows
from messaging.services.queue import Draft, queue_for_event

EXPIRING = "card.expiring"
MAIL = "card_expiring"


class NotKept(AppError):
    """The gateway does not answer, so the card is not kept."""

    status = 503
    code = "gateway_unreachable"


def consent_to(seller: str) -> str:
    """What a customer agrees to, whom a seller of this name charges; kept with the card, word by word."""
    return _(
        "%(seller)s charges this card on the day an invoice of my subscriptions is due, until I remove it here."
    ) % {"seller": seller}


def keep_card(customer: str, *, method: str, consent: str) -> Any:
    """Have the gateway keep a card and charge it by itself from now on. Opens its own transactions.

    `method` is the gateway's token of the card, `consent` the words that its customer agreed to. The same card again
    changes nothing. Raises CardRefused, Invalid, NoGateway, NotFound and NotKept; then nothing was kept.
    """
    if not method.isprintable() or not 0 < len(method) <= METHOD:
        raise Invalid("Choose a card. Nothing was kept.")
    port = gateway()
    try:
        card = port.keep(method)
    except NoAnswer as error:
        raise NotKept("The card service does not answer. Nothing was kept; try again.") from error
    with work():
        return keep(customer, gateway=port.name, card=card, consent=consent)


def tell_expiring(public_id: str) -> None:
    """Tell a card's customer and members that it expires soon, once, if it is kept still. Its own transaction.

    Emits payment_method.expiring.
    """
    with work():
        row: Any = lock_one(method_rows().filter(public_id=public_id))
        if not row.live or row.told_at is not None:
            return
        row.told_at = clock.now()
        row.touch("told_at")
        owner = row.customer
        emit(
            PaymentMethodExpiring(
                row.public_id, row.version, customer=owner.public_id, brand=row.brand, last4=row.last4,
                expires_on=str(row.expires_on),
            )
        )  # fmt: skip
        addresses = invoice_addresses_of([owner.pk]).get(owner.pk, [])
        queue_for_event(
            [
                Draft(MAIL, row.public_id, to=address, dedupe=str(n), customer=owner.public_id)
                for n, address in enumerate(addresses)
            ]
        )

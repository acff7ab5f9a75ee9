"""Background work of cash application: webhooks, the sandbox's reports, and the sweeper of open attempts."""

import logging
from datetime import date

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from cashapp.events import ChargeFailed, PaymentReceived
from cashapp.mails import FAILED, RECEIPT
from cashapp.models import Attempt, Payment
from cashapp.services import (
    autopay,
    cards,
    inbox,
    lines,
    matching,  # noqa: F401 - registers the effect that matches
)
from cashapp.services.attempts import ask, ask_again_later
from cashapp.services.payments import BANK
from cashapp.services.tries import CHARGE
from core import clock, effects, registry
from core.models import Effect, OutboxEvent
from core.periods import local_midnight
from core.scope import work
from customers.events import PaymentMethodKept
from customers.selectors import invoice_addresses_of
from customers.services.methods import EXPIRES_SOON
from invoicing.events import InvoiceImported, InvoiceIssued
from messaging.services.queue import Draft, queue_for_event
from tenants.selectors import entity

log = logging.getLogger(__name__)

SWEEP = 50


@registry.handles(PaymentReceived)
def send_receipts(rows: list[OutboxEvent]) -> None:
    """Queue a receipt to whoever gets the customer's invoices, once per payment and address.

    Money that came by the bank was sent by the payer's own order; matching it, or an old statement, mails nobody.
    """
    payments = (
        Payment.objects.select_related("customer")
        .filter(public_id__in=[row.object_public_id for row in rows])
        .exclude(provider=BANK)
    )
    addresses = invoice_addresses_of(payment.customer_id for payment in payments)
    drafts = [
        Draft(RECEIPT, payment.public_id, to=address, dedupe=str(n), customer=payment.customer.public_id)
        for payment in payments
        for n, address in enumerate(addresses.get(payment.customer_id, ()))
    ]
    queue_for_event(drafts)


@registry.handles(InvoiceIssued)
def match_issued(rows: list[OutboxEvent]) -> None:
    """Money that waits may be for these invoices: have it matched, once for the batch."""
    lines.match_waiting(f"event:{rows[-1].public_id}")


@registry.handles(InvoiceImported)
def match_imported(rows: list[OutboxEvent]) -> None:
    """The same for invoices of another system."""
    lines.match_waiting(f"event:{rows[-1].public_id}")


@registry.handles(InvoiceIssued)
def plan_charges(rows: list[OutboxEvent]) -> None:
    """Invoices that are paid by themselves are charged on the day they are due."""
    autopay.plan([row.object_public_id for row in rows if row.payload["autopay"]])


@registry.effect(CHARGE, _("Charge a kept card"))
def charge_due(effect: Effect) -> None:
    autopay.charge(effect.payload["invoice"], nth=effect.payload["nth"])


@registry.handles(ChargeFailed)
def send_failures(rows: list[OutboxEvent]) -> None:
    """Tell customers of charges that failed while nobody was there, once per charge and address."""
    failed = Attempt.objects.select_related("customer").filter(
        public_id__in=[row.object_public_id for row in rows], saved__isnull=False
    )
    addresses = invoice_addresses_of(attempt.customer_id for attempt in failed)
    queue_for_event(
        [
            Draft(FAILED, attempt.public_id, to=address, dedupe=str(n), customer=attempt.customer.public_id)
            for attempt in failed
            for n, address in enumerate(addresses.get(attempt.customer_id, ()))
        ]
    )


@registry.handles(PaymentMethodKept)
def watch_expiry(rows: list[OutboxEvent]) -> None:
    """A kept card is told of some time before it expires."""
    days: dict[str, list[str]] = {}
    for row in rows:
        days.setdefault(row.payload["expires_on"], []).append(row.object_public_id)
    zone = entity().zone
    for expires_on, ids in days.items():
        at = local_midnight(date.fromisoformat(expires_on) - EXPIRES_SOON, zone)
        effects.due(cards.EXPIRING, [(each, {"method": each}) for each in ids], at=max(at, clock.now()))


@registry.effect(cards.EXPIRING, _("Tell of a card that expires soon"))
def tell_expiring(effect: Effect) -> None:
    cards.tell_expiring(effect.payload["method"])


@registry.effect("sandbox.webhook", _("Report a sandbox charge"))
def report_sandbox(effect: Effect) -> None:
    """Bring the sandbox's report to the inbox, as the network would."""
    inbox.receive(
        provider="sandbox", event_id=effect.payload["event_id"], payload={"key": effect.payload["key"]}
    )


@registry.effect("webhook.handle", _("Ask the gateway what became of a charge"))
def handle_webhook(effect: Effect) -> None:
    inbox.handle(effect.payload["id"])


@registry.clocked_by("attempts", "check_at")
def unanswered() -> "QuerySet[Attempt]":
    """Attempts whose outcome is to be asked for. Inside work()."""
    found: QuerySet[Attempt] = Attempt.objects.filter(check_at__isnull=False)
    return found


@registry.due_worker("attempts")
def sweep(row_ids: list[int]) -> None:
    """Ask about attempts of the scope's organization that have no result yet."""
    with work():
        waiting = list(unanswered().filter(check_at__lte=clock.now()).order_by("check_at", "id")[:SWEEP])
    for attempt in waiting:
        try:
            ask(attempt)
        except Exception:
            log.exception("What became of attempt %s cannot be recorded.", attempt.public_id)
            with work():  # behind the others, which it must not hold up
                ask_again_later(attempt)

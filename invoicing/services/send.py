"""Sending a document to whoever gets the customer's invoices: queued messages, sent later by a worker."""

from core.errors import Conflict
from customers.selectors import invoice_addresses
from invoicing.domain.states import State
from invoicing.models import Document
from messaging.composers import composers
from messaging.services.queue import Draft, queue_all

MAIL = "invoice_issued"
"""The kind of the message that carries a document; its composer is registered beside the documents' handlers."""


def can_send() -> bool:
    """Whether somebody composes the mail that carries a document."""
    return MAIL in composers


def send(public_id: str, *, key: str) -> int:
    """Queue an issued document to each address that gets the customer's invoices; how many. Inside work().

    Natural key: the document, the address and `key`, a form's hidden key. Raises Conflict for a draft or a void
    document, where nobody has an address, and where nothing sends mail.
    """
    row = Document.objects.select_related("customer").filter(public_id=public_id).first()
    if row is None or row.state != State.ISSUED:
        raise Conflict("Only an issued document can be sent.")
    if not can_send():
        raise Conflict("Sending mail is not set up.")
    addresses = invoice_addresses(row.customer_id)
    if not addresses:
        raise Conflict(f"{row.customer.name} has no e-mail address that gets invoices.", code="no_address")
    drafts = [
        Draft(MAIL, public_id, to=address, dedupe=f"{key[:60]}:{n}", customer=row.customer.public_id)
        for n, address in enumerate(addresses)
    ]
    return len(queue_all(drafts))

"""Sending a document to whoever gets the customer's invoices: queued messages, sent later by a worker."""

from collections.abc import Sequence

from core.errors import Conflict
from customers.selectors import invoice_addresses_of
from invoicing.domain.states import State
from invoicing.models import Document
from messaging.composers import composers
from messaging.services.queue import Draft, is_deliverable, queue_all

MAIL = "invoice_issued"
"""The kind of the message that carries a document; its composer is registered beside the documents' handlers."""

_NOT_ISSUED = "Only an issued document can be sent."
_SENT_ELSEWHERE = "It was brought in from another system, which sent it; there is no PDF of it here."


def can_send() -> bool:
    """Whether somebody composes the mail that carries a document."""
    return MAIL in composers


def send(public_id: str, *, key: str) -> int:
    """Queue an issued document to each address that gets the customer's invoices; how many. Inside work().

    Natural key: the document, the address and `key`, a form's hidden key. Raises Conflict for a draft or a void
    document, one of another system, where nobody has an address, and where nothing sends mail.
    """
    rows = list(Document.objects.select_related("customer").filter(public_id=public_id))
    if not rows:
        raise Conflict(_NOT_ISSUED)
    queued, problems = send_all(rows, key=key)
    if reason := problems.get(public_id):
        raise Conflict(reason, code="no_address" if rows[0].state == State.ISSUED else "conflict")
    return queued


def send_all(rows: Sequence[Document], *, key: str) -> tuple[int, dict[str, str]]:
    """`send` for many, their customers loaded, in as many statements as for one. Inside work().

    Gives the number of messages, and why a document was left out, by public id. Raises Conflict where nothing
    sends mail, Suspended while the organization is.
    """
    if not can_send():
        raise Conflict("Sending mail is not set up.")
    addresses = invoice_addresses_of({row.customer_id for row in rows})
    drafts: list[Draft] = []
    problems: dict[str, str] = {}
    for row in rows:
        to = [address for address in addresses.get(row.customer_id, []) if is_deliverable(address)]
        if row.state != State.ISSUED:
            problems[row.public_id] = _NOT_ISSUED
        elif row.kind == "opening":
            problems[row.public_id] = _SENT_ELSEWHERE
        elif not to:
            problems[row.public_id] = f"{row.customer.name} has no e-mail address that gets invoices."
        drafts += [
            Draft(MAIL, row.public_id, to=address, dedupe=f"{key[:60]}:{n}", customer=row.customer.public_id)
            for n, address in enumerate(to if row.public_id not in problems else ())
        ]
    return len(queue_all(drafts)), problems

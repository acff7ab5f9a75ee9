"""What follows an issue: the PDF is made and the document is mailed."""

from collections.abc import Sequence
from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from core import clock, effects, registry
from core.models import Effect, OutboxEvent
from core.scope import work
from customers.selectors import invoice_addresses_of
from invoicing import mails  # noqa: F401 - registers the composer of the mail
from invoicing.events import CreditNoteIssued, InvoiceIssued
from invoicing.models import Document
from invoicing.services import bulk
from invoicing.services.pdf import make_pdf
from invoicing.services.prepaid import EXPIRE, expire
from invoicing.services.send import MAIL
from messaging.services.queue import Draft, queue_for_event

TURN = timedelta(seconds=30)
"""How long many documents are worked on before other work gets its turn."""


@registry.handles(InvoiceIssued)
def deliver_invoices(rows: list[OutboxEvent]) -> None:
    """Make the PDFs of issued invoices due and queue their mails; a customer without an address gets none."""
    public_ids = [row.object_public_id for row in rows]
    _make_pdfs_due(public_ids)
    queue_for_event(_mails(public_ids))  # a suspended organization's invoices stay to be sent by hand


@registry.handles(CreditNoteIssued)
def deliver_credit_notes(rows: list[OutboxEvent]) -> None:
    """Make the PDFs of credit notes due; they are sent by hand."""
    _make_pdfs_due([row.object_public_id for row in rows])


@registry.effect("document.pdf", _("Make the PDF of a document"))
def make(effect: Effect) -> None:
    """Render one document's PDF; run again it finds it made."""
    make_pdf(effect.payload["document"])


@registry.effect(EXPIRE, _("Expire a prepaid balance"))
def end_top_up(effect: Effect) -> None:
    """End a top-up on its day; again it finds nothing to do."""
    with work():
        begins = expire(effect.payload["top_up"])
    if begins is not None:
        raise effects.Later(begins)


@registry.effect(bulk.KIND, _("Issue or send many documents"))
def act_on_many(effect: Effect) -> None:
    """Step after step for one turn; what is left comes with the next turn, behind what was committed."""
    end = clock.wall() + TURN
    with work():
        bulk.take_up(effect.payload["job"])
    while bulk.step(effect.payload["job"]):
        if clock.wall() >= end:
            raise effects.Later(clock.now())


@registry.given_up(bulk.KIND)
def end_many(effect: Effect, why: str) -> None:
    bulk.give_up(effect.payload["job"], why)


def _make_pdfs_due(public_ids: Sequence[str]) -> None:
    effects.due("document.pdf", [(public_id, {"document": public_id}) for public_id in public_ids])


def _mails(public_ids: Sequence[str]) -> list[Draft]:
    documents = Document.objects.select_related("customer").filter(public_id__in=public_ids)
    addresses = invoice_addresses_of(row.customer_id for row in documents)
    return [
        Draft(MAIL, row.public_id, to=address, dedupe=f"issued:{n}", customer=row.customer.public_id)
        for row in documents
        for n, address in enumerate(addresses.get(row.customer_id, ()))
    ]

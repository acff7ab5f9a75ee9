"""What the mail that carries a document says, read anew at the moment it is sent."""

from datetime import timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from core import clock
from core.money import Money
from core.templatetags.fmt import longdate, money_code, money_doc
from invoicing.domain.states import State
from invoicing.prepaid import drawn_minor
from invoicing.selectors import DocumentView, view
from invoicing.services.addresses import pay_url
from invoicing.services.send import MAIL
from messaging.composers import Answer, Ready, Skip, Wait, composer
from messaging.domain.letters import InvoiceIssued, Line

WAIT_FOR_PDF = timedelta(minutes=15)
LINES = 5


@composer(MAIL, _("Document"))
def compose(message: Any) -> Answer:
    """The invoice with its PDF; waits a while for the PDF, and says nothing of what was voided meanwhile."""
    shown = view(message.about)
    row = shown.document
    if row.state != State.ISSUED:
        return Skip("The document was voided before it was sent.")
    young = clock.now() - message.created_at < WAIT_FOR_PDF
    if row.pdf is None and not row.pdf_problem and young:
        return Wait(clock.now() + timedelta(seconds=10))
    return Ready(_letter(shown), attachments=(row.pdf.public_id,) if row.pdf else ())


def _letter(shown: DocumentView) -> InvoiceIssued:
    row = shown.document
    drawn = drawn_minor(row.pk)
    deposit = shown.deposit_minor(clock.today(row.entity.zone))
    return InvoiceIssued(
        organization_name=shown.party.seller["name"] if shown.party else "",
        customer_name=shown.party.buyer["name"] if shown.party else "",
        number=row.number,
        amount=money_code(Money(row.total_minor - drawn, row.currency)),
        due_on=longdate(row.due_on) if shown.open_minor else "",
        drawn=money_code(Money(drawn, row.currency)) if drawn else "",
        pay_url=pay_url(row) if shown.open_minor else "",
        charged=shown.card.label if shown.card else "",
        deposit=money_code(Money(deposit, row.currency)) if deposit else "",
        deposit_on=longdate(shown.due_on) if deposit else "",
        lines=tuple(
            Line(line.description, money_doc(Money(line.amount_minor, row.currency)))
            for line in shown.lines[:LINES]
        ),
    )

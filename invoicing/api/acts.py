"""What is done to invoices, for programs: each act is one service call and answers with what it left."""

from typing import Any

from core.api.operations import Api, Call, operation
from core.errors import Invalid
from core.pages import APPLY_CREDIT
from invoicing.api.inputs import BulkIn, CreditIn, IssueIn, ReasonIn, WriteOffIn
from invoicing.api.outputs import BulkOut, Given, InvoiceOut, SendingOut, bulk_of, business_today, one
from invoicing.api.views import TAG
from invoicing.models import Document
from invoicing.permissions import INVOICES_CREDIT, INVOICES_ISSUE, INVOICES_WRITE_OFF
from invoicing.selectors import document
from invoicing.services.bulk import act_on
from invoicing.services.correct import give_up, take_up, void
from invoicing.services.credit import credit
from invoicing.services.days import act_day, issue_day
from invoicing.services.issue import issue
from invoicing.services.send import send


def _row(call: Call, public_id: str) -> Document:
    """The document; with If-Match it is locked, and is at the version that the caller saw."""
    row = call.locked(document(public_id))
    call.expect(row.version)
    return row


def _dated(call: Call, public_id: str) -> dict[str, Any]:
    """Day and reason of an act, as services take them."""
    on = act_day(call.data.get("on"), _row(call, public_id), today=business_today())
    return {"on": on, "reason": call.data["reason"]}


class InvoiceIssue(Api):
    tag = TAG

    @operation(INVOICES_ISSUE, takes=IssueIn, gives=InvoiceOut)
    def post(self, call: Call, public_id: str) -> Given:
        """Issue a draft.

        It gets its number, is sealed, booked and mailed, and never changes again.
        """
        row = _row(call, public_id)
        issue([row.pk], issued_on=issue_day(call.data.get("issued_on"), today=business_today()))
        return one(public_id)


class InvoiceSend(Api):
    tag = TAG

    @operation(INVOICES_ISSUE, gives=SendingOut)
    def post(self, call: Call, public_id: str) -> dict[str, Any]:
        """Mail an issued document to whoever gets the customer's invoices."""
        row = _row(call, public_id)
        return {"invoice": row, "queued": send(public_id, key=call.key)}


class InvoiceVoid(Api):
    tag = TAG

    @operation(INVOICES_CREDIT, takes=ReasonIn, gives=InvoiceOut)
    def post(self, call: Call, public_id: str) -> Given:
        """Void an issued invoice of which nothing was paid or credited.

        It keeps its number; the mirror of its issue is booked.
        """
        void(public_id, **_dated(call, public_id))
        return one(public_id)


class InvoiceCredit(Api):
    tag = TAG

    @operation(INVOICES_CREDIT, takes=CreditIn, gives=InvoiceOut, status=201)
    def post(self, call: Call, public_id: str) -> Given:
        """Issue a credit note over an issued invoice, and answer with the note.

        It is put against what is open of the invoice; the rest stays as the customer's credit.
        """
        lines = call.data.get("lines")
        amounts = None if lines is None else {each["position"]: each["amount_minor"] for each in lines}
        dated = _dated(call, public_id)
        try:
            note = credit(public_id, key=call.key, amounts=amounts, **dated)
        except Invalid as error:
            raise _at_its_line(error, list(amounts or ())) from error
        return one(note.public_id)


def _at_its_line(error: Invalid, positions: list[int]) -> Invalid:
    """The refusal at the field of the line that it is about."""
    position = error.extra.get("line")
    if position not in positions:
        return error
    field = f"lines.{positions.index(position)}.amount_minor"
    return Invalid(error.message, fields={field: error.message}, **error.extra)


class InvoiceWriteOff(Api):
    tag = TAG

    @operation(INVOICES_WRITE_OFF, takes=WriteOffIn, gives=InvoiceOut)
    def post(self, call: Call, public_id: str) -> Given:
        """Write off what is open of an invoice, or a part of it, as bad debt."""
        give_up(public_id, minor=call.data.get("amount_minor"), key=call.key, **_dated(call, public_id))
        return one(public_id)


class InvoiceWriteOffUndo(Api):
    tag = TAG

    @operation(APPLY_CREDIT, takes=ReasonIn, gives=InvoiceOut)
    def post(self, call: Call, public_id: str) -> Given:
        """Take back every write-off of an invoice; what was given up is open again."""
        take_up(public_id, **_dated(call, public_id))
        return one(public_id)


class InvoicesBulk(Api):
    tag = TAG

    @operation(INVOICES_ISSUE, takes=BulkIn, gives=BulkOut)
    def post(self, call: Call) -> dict[str, Any]:
        """Issue or send up to 500 documents at once, today.

        Each is told of on its own, and one that is refused stops no other. An id named twice is done once.
        """
        act, ids = call.data["act"], list(dict.fromkeys(call.data["ids"]))
        return bulk_of(act, ids, act_on(act, ids, today=business_today(), key=call.key))

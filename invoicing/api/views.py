"""Invoices and credit notes for programs: lists, drafts, previews."""

from functools import partial
from typing import Any

from core.api.operations import Api, Call, Listing, operation
from core.models import StoredFile
from invoicing.api.inputs import InvoiceContentIn, InvoiceIn, InvoicesQuery
from invoicing.api.outputs import (
    Given,
    GivenDraft,
    InvoiceOut,
    InvoicePreviewOut,
    business_today,
    given,
    one,
)
from invoicing.listing import DocumentFilter, documents
from invoicing.models import Document
from invoicing.permissions import INVOICES_CREATE, INVOICES_DELETE, INVOICES_EDIT, INVOICES_VIEW
from invoicing.selectors import document, stored_pdf
from invoicing.services.content import changed_content, content_of, worked_out
from invoicing.services.edit import DraftContent, create_draft, delete_draft, label, save_draft

TAG = "Invoices"
EXPANDS = ["customer"]
_OWN = [field.name for field in Document._meta.concrete_fields]
_LABELS = ("external_id", "metadata")
_SAME = (
    "state",
    "kind",
    "customer",
    "subscription",
    "currency",
    "due_from",
    "due_to",
    "issued_from",
    "issued_to",
)


def _content(data: dict[str, Any]) -> DraftContent:
    return content_of(
        data["customer"],
        data["lines"],
        terms_days=data.get("terms_days"),
        deposit_percent=data.get("deposit_percent"),
        memo=data.get("memo", ""),
    )


class Invoices(Api):
    tag = TAG

    @operation(INVOICES_VIEW, query=InvoicesQuery, gives=InvoiceOut, many=True, expands=EXPANDS)
    def get(self, call: Call) -> Listing:
        """List invoices and credit notes, the newest first."""
        said = call.query
        wanted = DocumentFilter(
            text=said.get("q", ""),
            amount=f"{abs(said['amount']):f}" if "amount" in said else "",
            **{name: said[name] for name in _SAME if name in said},
        )
        today = business_today()
        rows = documents(wanted, today=today)
        if "customer" in said["expand"]:
            rows = rows.select_related("customer__parent")
        else:
            rows = rows.select_related("customer").only(*_OWN, "customer__public_id")
        # Few are credit notes: what they are over is asked for on its own, and not at all where there is none.
        return Listing(rows.prefetch_related("credits"), prepare=partial(given, today=today))

    @operation(INVOICES_CREATE, takes=InvoiceIn, gives=InvoiceOut, status=201)
    def post(self, call: Call) -> Given:
        """Write a draft invoice.

        It has no number until it is issued. The external id is one invoice's only, until that is void.
        """
        labels = {name: call.data[name] for name in _LABELS if name in call.data}
        made = create_draft(_content(call.data), key=call.key, **labels)
        return one(made.public_id)


class InvoicePreview(Api):
    tag = TAG

    @operation(INVOICES_VIEW, takes=InvoiceContentIn, gives=InvoicePreviewOut)
    def post(self, call: Call) -> GivenDraft:
        """Work out what an invoice would come to.

        By the function that writes it, to the cent; nothing is written.
        """
        content = _content(call.data)
        return GivenDraft(content, worked_out(content))


class OneInvoice(Api):
    tag = TAG

    @operation(INVOICES_VIEW, gives=InvoiceOut, expands=EXPANDS)
    def get(self, call: Call, public_id: str) -> Given:
        """Get an invoice or a credit note."""
        return one(public_id)

    @operation(INVOICES_EDIT, takes=InvoiceIn, gives=InvoiceOut)
    def patch(self, call: Call, public_id: str) -> Given:
        """Change a draft.

        Only what is sent changes; lines and metadata are replaced as a whole. Of an issued document `external_id` and
        `metadata` may still change, nothing else. With If-Match nothing is written over.
        """
        row = document(public_id)
        version = call.expect(row.version)
        labels = {name: call.data[name] for name in _LABELS if name in call.data}
        if call.data.keys() - labels.keys():
            version = save_draft(public_id, changed_content(row, call.data), version=version).version
        if labels:
            label(public_id, version=version, **labels)
        return one(public_id)

    @operation(INVOICES_DELETE, status=204)
    def delete(self, call: Call, public_id: str) -> None:
        """Delete a draft; it never had a number."""
        delete_draft(public_id, version=call.expect(document(public_id).version))


class InvoicePdf(Api):
    tag = TAG

    @operation(INVOICES_VIEW, file="application/pdf")
    def get(self, call: Call, public_id: str) -> StoredFile:
        """Get the PDF of an issued document.

        It is made right after the issue: until then, 409 `pdf_pending`. It never changes.
        """
        return stored_pdf(public_id)

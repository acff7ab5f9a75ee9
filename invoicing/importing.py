"""What invoices offer to bring in from files."""

from django.utils.translation import gettext_lazy as _

from core.imports.base import Importer, register
from core.imports.cells import Column
from customers.importing import ENTITY
from invoicing.permissions import INVOICES_ISSUE
from invoicing.services import imports

register(
    Importer(
        kind="invoices",
        title=_("Open invoices"),
        permission=INVOICES_ISSUE,
        columns=(
            Column("number", _("Invoice number"), required=True, most=40, example="2025-1187",
                   hints=("invoice no", "document number", "invoice", "doc no", "number")),
            Column("customer_number", _("Customer number"), required=True, most=40, example="C-0041",
                   hints=("customer id", "customer no", "customer code", "debtor number", "customer")),
            Column("customer_name", _("Customer name"), example="Kestrel Freight Ltd",
                   hints=("name", "debtor name", "company name")),
            Column("currency", _("Currency"), kind="currency", required=True, example="EUR",
                   hints=("currency code",)),
            Column("amount", _("Open amount, gross"), kind="amount", required=True, example="1190.00",
                   hints=("amount", "open amount", "balance due", "balance", "total", "gross amount", "amount due")),
            Column("issued_on", _("Issued on"), kind="day", required=True, example="2025-11-03",
                   hints=("document date", "invoice date", "issue date", "date")),
            Column("due_on", _("Due on"), kind="day", example="2025-12-03",
                   hints=("due date", "payment due", "net due date")),
            ENTITY,
            Column("reference", _("Reference"), most=80, example="PO-7719",
                   hints=("assignment number", "your reference", "po number", "order number", "customer reference")),
            Column("reference_2", _("Second reference"), most=80, hints=("billing number", "billing document")),
            Column("reference_3", _("Third reference"), most=80, hints=("contract number", "delivery note")),
            Column("external_id", _("Id in the other system"), most=255, example="4711",
                   hints=("external id", "invoice id", "document id", "uuid", "id")),
            Column("memo", _("Note"), most=500, hints=("description", "text", "memo", "note", "subject")),
        ),
        plan=imports.plan,
        write=imports.write,
        undo=imports.undo,
        page="invoice",
        listing="invoices",
        hint=_("What is still open elsewhere: each keeps its number and is chased here."),
    )
)  # fmt: skip

"""What payments offer to bring in from files."""

from django.utils.translation import gettext_lazy as _

from cashapp.permissions import PAYMENTS_RECORD
from cashapp.services import lines
from core.imports.base import Importer, register
from core.imports.cells import Column

register(
    Importer(
        kind="payments",
        title=_("Payments received"),
        permission=PAYMENTS_RECORD,
        columns=(
            Column("booked_on", _("Received on"), kind="day", required=True, example="2025-12-01",
                   hints=("posting date", "booking date", "date", "value date", "received", "payment date")),
            Column("amount", _("Amount"), kind="amount", required=True, example="1190.00",
                   hints=("amount", "credit", "paid", "payment amount")),
            Column("currency", _("Currency"), kind="currency", required=True, example="EUR",
                   hints=("currency code",)),
            Column("payer", _("Payer"), example="Kestrel Freight Ltd",
                   hints=("business partner", "counterparty", "name", "customer name", "remitter", "payer name")),
            Column("account", _("Payer's account"), most=80, example="DE02120300000000202051",
                   hints=("account number", "iban", "counterparty account", "bank account")),
            Column("memo", _("Memo"), most=500, example="Invoice 2025-1187",
                   hints=("memo line", "purpose", "remittance", "description", "reference text", "details")),
            Column("customer_number", _("Customer number"), most=40, example="",
                   hints=("customer id", "customer no", "customer code")),
            Column("external_id", _("Id in the other system"), most=255, example="88123",
                   hints=("payment id", "transaction id", "external id", "bank reference", "id")),
        ),
        plan=lines.plan,
        write=lines.write,
        undo=lines.undo,
        page="bank-line",
        listing="bank-lines",
        hint=_("What a bank account received: each line then finds its invoices."),
        identity=lines.identity,
    )
)  # fmt: skip

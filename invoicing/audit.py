"""What the audit calls the records of this app."""

from django.utils.translation import gettext_lazy as _

from core.trail import Subject, subjects
from invoicing.permissions import INVOICES_VIEW

_PARTS = ("invoicing.Line", "invoicing.TaxLine", "invoicing.Party")
subjects["invoicing.Document"] = Subject(
    _("Invoice or credit note"),
    "invoice",
    INVOICES_VIEW,
    parts=dict.fromkeys(_PARTS, "document"),
    fields={
        "net_minor": _("Net"),
        "tax_minor": _("Tax"),
        "total_minor": _("Total"),
        "prepays": _("Pays in advance"),
        "terms_days": _("Days to pay"),
        "deposit_percent": _("Deposit, %"),
        "memo": _("Note"),
        "pdf_id": _("PDF"),
        "seal": _("Seal of the content"),
    },
)
subjects["invoicing.TopUp"] = Subject(
    _("Top-up of a prepaid balance"),
    "top-up",
    INVOICES_VIEW,
    parts={"invoicing.TopUpMove": "top_up"},
    fields={"total_minor": _("Topped up"), "left_minor": _("Left"), "expires_on": _("Expires on")},
)
subjects["invoicing.TopUpMove"] = Subject(
    _("What became of a top-up"), fields={"minor": _("Amount"), "on": _("Day")}
)
subjects["invoicing.Line"] = Subject(_("Line of a document"), fields={"amount_minor": _("Amount")})
subjects["invoicing.TaxLine"] = Subject(
    _("Tax of a document"), fields={"base_minor": _("On"), "tax_minor": _("Tax")}
)
subjects["invoicing.Party"] = Subject(_("Seller and buyer of a document"))
subjects["invoicing.NumberSeries"] = Subject(_("Series of numbers"))

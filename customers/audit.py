"""What the audit calls the records of this app."""

from django.utils.translation import gettext_lazy as _

from core.trail import Subject, subjects
from customers.permissions import CUSTOMERS_VIEW

subjects["customers.Customer"] = Subject(
    _("Customer"),
    "customer",
    CUSTOMERS_VIEW,
    parts={"customers.Contact": "customer", "customers.PaymentMethod": "customer"},
    fields={
        "zone": _("Time zone"),
        "terms_days": _("Days to pay"),
        "deposit_percent": _("Deposit, %"),
        "name_key": _("Name as sorted"),
        "one_invoice": _("One invoice"),
        "parent_id": _("Part of"),
    },
)
subjects["customers.Contact"] = Subject(_("Contact"), fields={"receives_invoices": _("Gets invoices")})
subjects["customers.PaymentMethod"] = Subject(
    _("Kept card"),
    fields={"expires_on": _("Good until"), "removed_at": _("Removed at"), "last4": _("Last digits")},
)
subjects["customers.Link"] = Subject(_("Link in a mail"))

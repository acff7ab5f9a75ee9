"""What the audit calls the records of this app."""

from django.utils.translation import gettext_lazy as _

from cashapp.permissions import PAYMENTS_VIEW
from core.trail import Subject, subjects

_MONEY = {"minor": _("Amount"), "memo": _("Reference")}
subjects["cashapp.Payment"] = Subject(
    _("Payment"), "payment", PAYMENTS_VIEW, fields={**_MONEY, "provider_ref": _("Reference of the provider")}
)
subjects["cashapp.BankLine"] = Subject(
    _("Bank line"),
    "bank-line",
    PAYMENTS_VIEW,
    fields={**_MONEY, "booked_on": _("Received"), "proposals": _("Proposals")},
)
subjects["cashapp.Attempt"] = Subject(
    _("Attempt to charge"),
    fields=_MONEY,
    secrets=frozenset({"method"}),  # the gateway's token of a card
)
subjects["cashapp.AttemptItem"] = Subject(_("Item of an attempt"), fields=_MONEY)
subjects["cashapp.PayerFact"] = Subject(_("What is known of a payer"))

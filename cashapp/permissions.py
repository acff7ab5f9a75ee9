from django.utils.translation import gettext_lazy as _

from core.registry import Action, conflict, module, permission
from invoicing.permissions import INVOICES_WRITE_OFF

module("payments", _("Payments and matching"))
PAYMENTS_VIEW = permission("payments.view", _("See payments"))
PAYMENTS_RECORD = permission("payments.record", _("Record payments"), Action.CREATE)
PAYMENTS_APPLY = permission("payments.apply", _("Apply payments and take that back"), Action.EDIT)
PAYMENTS_REVERSE = permission("payments.reverse", _("Reverse payments"), Action.DELETE)

conflict(
    PAYMENTS_RECORD,
    INVOICES_WRITE_OFF,
    _("Whoever receives money could keep it and write the invoice off."),
)

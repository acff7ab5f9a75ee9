from django.utils.translation import gettext_lazy as _

from core.registry import permission

INVOICES_VIEW = permission("invoices.view", _("See invoices and credit notes"))
INVOICES_EDIT = permission("invoices.edit", _("Write draft invoices"))
INVOICES_ISSUE = permission("invoices.issue", _("Issue invoices"))
INVOICES_CREDIT = permission("invoices.credit", _("Credit and void invoices"))
INVOICES_WRITE_OFF = permission("invoices.write_off", _("Write off what is open"))

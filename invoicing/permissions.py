from django.utils.translation import gettext_lazy as _

from core.registry import Action, conflict, module, permission

module("invoices", _("Invoices"))
INVOICES_VIEW = permission("invoices.view", _("See invoices and credit notes"))
INVOICES_CREATE = permission("invoices.create", _("Write new draft invoices"))
INVOICES_EDIT = permission("invoices.edit", _("Change draft invoices"))
INVOICES_DELETE = permission("invoices.delete", _("Delete draft invoices"))
INVOICES_ISSUE = permission("invoices.issue", _("Issue and send invoices"), Action.APPROVE)
INVOICES_CREDIT = permission("invoices.credit", _("Credit and void invoices"), Action.APPROVE)
INVOICES_WRITE_OFF = permission("invoices.write_off", _("Write off what is open"), Action.APPROVE)
INVOICES_EXPORT = permission("invoices.export", _("Download invoices"))

conflict(
    INVOICES_CREATE,
    INVOICES_WRITE_OFF,
    _("Whoever writes invoices could write off what a made-up customer owes."),
)

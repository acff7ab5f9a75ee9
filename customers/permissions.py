from django.utils.translation import gettext_lazy as _

from core.registry import module, permission

module("customers", _("Customers"))
CUSTOMERS_VIEW = permission("customers.view", _("See customers"))
CUSTOMERS_CREATE = permission("customers.create", _("Create customers"))
CUSTOMERS_EDIT = permission("customers.edit", _("Change customers and their contacts"))
CUSTOMERS_DELETE = permission("customers.delete", _("Archive and restore customers"))
CUSTOMERS_EXPORT = permission("customers.export", _("Download customers"))

from django.utils.translation import gettext_lazy as _

from core.registry import permission

CUSTOMERS_VIEW = permission("customers.view", _("See customers"))
CUSTOMERS_EDIT = permission("customers.edit", _("Create and change customers"))

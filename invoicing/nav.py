from django.utils.translation import gettext_lazy as _

from core.registry import NavItem, lists, nav
from invoicing.permissions import INVOICES_VIEW

nav += [
    NavItem("Receivables", _("Invoices"), "file-invoice", "invoices", INVOICES_VIEW, "i", 10),  # type: ignore[arg-type]
    NavItem("Receivables", _("Prepaid balances"), "coins", "top-ups", INVOICES_VIEW, "d", 35),  # type: ignore[arg-type]
]
lists["invoices"] = INVOICES_VIEW

from django.utils.translation import gettext_lazy as _

from core.registry import NavItem, lists, nav
from customers.permissions import CUSTOMERS_VIEW

nav.append(NavItem("Receivables", _("Customers"), "building-store", "customers", CUSTOMERS_VIEW, "c", 20))  # type: ignore[arg-type]
lists["customers"] = CUSTOMERS_VIEW

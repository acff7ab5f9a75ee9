from django.utils.translation import gettext_lazy as _

from core.registry import NavItem, nav
from tenants.permissions import HOME_VIEW

nav.append(NavItem("", _("Home"), "home", "home", HOME_VIEW, "h", 0))  # type: ignore[arg-type]

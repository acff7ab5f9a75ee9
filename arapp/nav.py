from django.utils.translation import gettext_lazy as _

from arapp.permissions import IMPORTS_VIEW
from core.registry import NavItem, nav
from tenants.permissions import HOME_VIEW

nav.append(NavItem("", _("Home"), "home", "home", HOME_VIEW, "h", 0))  # type: ignore[arg-type]
nav.append(NavItem("Books", _("Imports"), "file-import", "imports", IMPORTS_VIEW, "f", 90))  # type: ignore[arg-type]

from django.utils.translation import gettext_lazy as _

from core.registry import NavItem, nav
from tenants.permissions import SETTINGS_VIEW

nav.append(NavItem("Settings", _("Settings"), "settings", "settings", SETTINGS_VIEW, "e", 90))  # type: ignore[arg-type]

from django.utils.translation import gettext_lazy as _

from core.registry import NavItem, nav
from receivables.permissions import AGEING_VIEW

nav.append(NavItem("Receivables", _("Ageing"), "chart-bar", "ageing", AGEING_VIEW, "a", 40))  # type: ignore[arg-type]

from django.utils.translation import gettext_lazy as _

from cashapp.permissions import PAYMENTS_VIEW
from core.registry import NavItem, nav

nav.append(NavItem("Receivables", _("Payments"), "cash", "payments", PAYMENTS_VIEW, "m", 30))  # type: ignore[arg-type]

from django.utils.translation import gettext_lazy as _

from cashapp.permissions import PAYMENTS_VIEW
from core.registry import NavItem, nav

nav.extend(
    [
        NavItem("Receivables", _("Matching"), "arrows-exchange", "bank-lines", PAYMENTS_VIEW, "t", 25),  # type: ignore[arg-type]
        NavItem("Receivables", _("Payments"), "cash", "payments", PAYMENTS_VIEW, "m", 30),  # type: ignore[arg-type]
    ]
)

from django.utils.translation import gettext_lazy as _

from core.registry import NavItem, nav
from messaging.permissions import MESSAGES_VIEW

nav.append(NavItem("Receivables", _("Messages"), "mail", "messages", MESSAGES_VIEW, "l", 60))  # type: ignore[arg-type]

from django.utils.translation import gettext_lazy as _

from core.registry import NavItem, nav
from ledger.permissions import JOURNAL_VIEW

nav.append(NavItem("Books", _("Journal"), "book-2", "journal", JOURNAL_VIEW, "j", 20))  # type: ignore[arg-type]

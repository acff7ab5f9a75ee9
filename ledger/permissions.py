from django.utils.translation import gettext_lazy as _

from core.registry import module, permission

module("journal", _("Journal"))
JOURNAL_VIEW = permission("journal.view", _("See the journal"))

from django.utils.translation import gettext_lazy as _

from core.registry import module, permission

module("ageing", _("Ageing"))
AGEING_VIEW = permission("ageing.view", _("See who owes what, and how late"))

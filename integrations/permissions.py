from django.utils.translation import gettext_lazy as _

from core.registry import module, permission

module("webhooks", _("Webhooks"))
WEBHOOKS_VIEW = permission("webhooks.view", _("See webhooks and what they were told"))
WEBHOOKS_EDIT = permission("webhooks.edit", _("Add, change and replay webhooks"))

from django.utils.translation import gettext_lazy as _

from core.registry import Action, module, permission

module("messages", _("Messages"))
MESSAGES_VIEW = permission("messages.view", _("See the messages that were sent"))
MESSAGES_SEND = permission("messages.send", _("Send a failed or skipped message again"), Action.EDIT)

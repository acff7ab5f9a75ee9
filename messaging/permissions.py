from django.utils.translation import gettext_lazy as _

from core.registry import permission

MESSAGES_SEND = permission("messages.send", _("Send a failed or skipped message again"))
MESSAGES_VIEW = permission("messages.view", _("See the messages that were sent"))

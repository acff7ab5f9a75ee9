from typing import Any

from django.utils.translation import gettext_lazy as _

from core.registry import effect
from messaging import known, letters, staff  # noqa: F401 - register what members are told and the mails
from messaging.services.send import send_message


@effect("message.send", _("Send a mail"))
def send(row: Any) -> None:
    send_message(row.payload["message"])

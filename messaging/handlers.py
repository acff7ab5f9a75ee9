from typing import Any

from django.utils.translation import gettext_lazy as _

from core.registry import effect
from messaging import staff  # noqa: F401 - registers the mails to members
from messaging.services.send import send_message


@effect("message.send", _("Send a mail"))
def send(row: Any) -> None:
    send_message(row.payload["message"])

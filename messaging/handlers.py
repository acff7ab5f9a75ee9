from typing import Any

from core.registry import effect
from messaging.services.send import send_message


@effect("message.send")
def send(row: Any) -> None:
    send_message(row.payload["message"])

"""What gateways tell us: stored first, answered, then handled from the row. The payload is only a hint."""

import json
import math
from typing import Any

from cashapp.models import Attempt, WebhookEvent
from cashapp.services.attempts import ask
from core import clock, effects, vault
from core.scope import work


def receive(*, provider: str, event_id: str, payload: dict[str, Any]) -> bool:
    """Store a verified message once and have it handled; False when it was here before. Its own transaction."""
    with work():
        event = WebhookEvent(provider=provider, event_id=event_id)
        sealed = vault.seal(WebhookEvent, "payload", event.sealed_by, json.dumps(_storable(payload)))
        row, made = WebhookEvent.objects.get_or_create(
            provider=provider, event_id=event_id, defaults={"payload": sealed}
        )
        if made:
            effects.due("webhook.handle", [(f"{provider}:{event_id}", {"id": row.pk})])
    return made


def handle(event_row_id: int) -> None:
    """Ask the gateway about the charge the message is about, and record what it says. Its own transactions.

    A message that comes before our own attempt is committed is tried again later; one about nothing of ours is
    kept and left alone.
    """
    with work():
        event = WebhookEvent.objects.get(pk=event_row_id)
        attempt = Attempt.objects.filter(key=_key(json.loads(vault.reveal(event, "payload")))).first()
    if attempt is not None:
        ask(attempt)
    with work():
        WebhookEvent.objects.filter(pk=event_row_id).update(handled_at=clock.wall())


def _storable(said: Any) -> Any:
    """What was said, as the database can keep it: a character it has no place for must not lose a payment."""
    if isinstance(said, str):
        return said.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(said, float) and not math.isfinite(said):
        return str(said)
    if isinstance(said, dict):
        return {_storable(str(name)): _storable(value) for name, value in said.items()}
    if isinstance(said, list):
        return [_storable(value) for value in said]
    return said


def _key(payload: Any) -> str:
    """The key that a message names; empty when it names none."""
    key = payload.get("key") if isinstance(payload, dict) else ""
    return key if isinstance(key, str) else ""

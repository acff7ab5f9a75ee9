"""Signatures of webhooks by the Standard Webhooks specification, version 1: HMAC-SHA256 over id, time and body."""

import base64
import hashlib
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"
SECRET_BYTES = 32


def written(secret: bytes) -> str:
    """The secret as it is shown to whoever receives: `whsec_` and base64."""
    return PREFIX + base64.b64encode(secret).decode()


def raw(secret: str) -> bytes:
    """The bytes of a written secret."""
    return base64.b64decode(secret.removeprefix(PREFIX))


def signature(secret: str, *, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the base64 of the MAC of `id.timestamp.body`; `timestamp` in whole seconds since 1970."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(raw(secret), signed, hashlib.sha256).digest()).decode()


def signatures(secrets: Sequence[str], *, message_id: str, timestamp: int, body: bytes) -> str:
    """The header's value: one signature for each secret, so that a receiver may know either while they change."""
    return " ".join(
        signature(secret, message_id=message_id, timestamp=timestamp, body=body) for secret in secrets
    )

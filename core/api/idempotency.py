"""A POST that was sent twice is done once: the answer is kept in the transaction of its effect and given again."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from core import clock, vault
from core.errors import AppError, Conflict, KeyReused
from core.models import IdempotencyKey
from core.scope import current

HEADER = "Idempotency-Key"
LENGTH = 255


class InFlight(Conflict):
    """The same request is being done at this moment."""

    code = "in_flight"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent: the status, the body, and headers worth repeating."""

    status: int
    body: Any
    headers: dict[str, str]
    replayed: bool = False
    secrets: tuple[str, ...] = ()

    @property
    def kept(self) -> Any:
        """The body without what is given once only."""
        return {**self.body, **dict.fromkeys(self.secrets)} if self.secrets else self.body


def once(
    key: str, *, route: str, said: Any, do: Callable[[], Answer], refuse: Callable[[AppError], Answer]
) -> Answer:
    """Do it, or give again what was answered when the same caller sent the same key. Inside work().

    A refusal is an answer too: it is kept and repeated, while its effects are taken back. What fails otherwise
    leaves the key unused. Raises InFlight while the first one runs, KeyReused when the key came with another request.
    """
    caller = f"{current().actor.kind}:{current().actor.id}"
    digest = hashlib.sha256(json.dumps([route, said], sort_keys=True, default=str).encode()).hexdigest()
    _claim(caller, key)
    there = IdempotencyKey.objects.filter(caller=caller, key=key).first()
    if there is not None:
        if there.request != digest:
            raise KeyReused("This idempotency key came with another request before.")
        body = json.loads(vault.reveal(there, "body") or "null")
        return Answer(there.status, body, there.headers, replayed=True)
    try:
        with transaction.atomic():
            answer = do()
    except AppError as error:
        answer = refuse(error)
    kept = IdempotencyKey(
        caller=caller,
        key=key,
        request=digest,
        status=answer.status,
        headers=answer.headers,
        at=clock.wall(),
    )
    if answer.kept is not None:
        kept.body = vault.seal(IdempotencyKey, "body", kept.sealed_by, json.dumps(answer.kept))
    kept.save()
    return answer


def _claim(caller: str, key: str) -> None:
    """Hold the key to the end of the transaction; a second request finds it held and is told so at once."""
    name = f"{current().organization_id}:{caller}:{key}".encode()
    number = int.from_bytes(hashlib.sha256(name).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        if not cursor.fetchone()[0]:
            raise InFlight("The same request is being done at this moment; ask again shortly.")

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
from core.scope import current, work

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


@dataclass(frozen=True, slots=True)
class Repeated:
    """A request that may come again: its key and what it says."""

    key: str
    route: str
    said: Any

    def answer(self) -> Answer | None:
        """What the same request was answered before. Runs its own work(); raises KeyReused."""
        with work():
            return kept(self.key, route=self.route, said=self.said)

    def once(self, do: Callable[[], Answer], refuse: Callable[[AppError], Answer]) -> Answer:
        """Do it, or answer as before. Inside work()."""
        return once(self.key, route=self.route, said=self.said, do=do, refuse=refuse)


def once(
    key: str, *, route: str, said: Any, do: Callable[[], Answer], refuse: Callable[[AppError], Answer]
) -> Answer:
    """Do it, or give again what was answered when the same caller sent the same key. Inside work().

    A refusal is an answer too: it is kept and repeated, while its effects are taken back. What fails otherwise
    leaves the key unused. Raises InFlight while the first one runs, KeyReused when the key came with another request.
    """
    caller = _caller()
    _claim(caller, key)
    if (before := kept(key, route=route, said=said)) is not None:
        return before
    try:
        with transaction.atomic():
            answer = do()
    except AppError as error:
        answer = refuse(error)
    row = IdempotencyKey(
        caller=caller,
        key=key,
        request=_digest(route, said),
        status=answer.status,
        headers=answer.headers,
        at=clock.wall(),
    )
    if answer.kept is not None:
        row.body = vault.seal(IdempotencyKey, "body", row.sealed_by, json.dumps(answer.kept))
    row.save()
    return answer


def kept(key: str, *, route: str, said: Any) -> Answer | None:
    """What the same request was answered before, if it came before. Raises KeyReused. Inside work()."""
    there = IdempotencyKey.objects.filter(caller=_caller(), key=key).first()
    if there is None:
        return None
    if there.request != _digest(route, said):
        raise KeyReused("This idempotency key came with another request before.")
    body = json.loads(vault.reveal(there, "body") or "null")
    return Answer(there.status, body, there.headers, replayed=True)


def _caller() -> str:
    return f"{current().actor.kind}:{current().actor.id}"


def _digest(route: str, said: Any) -> str:
    return hashlib.sha256(json.dumps([route, said], sort_keys=True, default=str).encode()).hexdigest()


def _claim(caller: str, key: str) -> None:
    """Hold the key to the end of the transaction; a second request finds it held and is told so at once."""
    name = f"{current().organization_id}:{caller}:{key}".encode()
    number = int.from_bytes(hashlib.sha256(name).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        if not cursor.fetchone()[0]:
            raise InFlight("The same request is being done at this moment; ask again shortly.")

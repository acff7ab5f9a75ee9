"""Telling an address what happened: in phases, signed, in order for each thing, tried again on a schedule."""

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core import clock, http
from core.effects import Later
from core.errors import AppError
from core.locks import lock_one
from core.models import OutboxEvent
from core.sandbox import is_sandbox
from core.scope import work
from integrations.domain.schedule import GIVE_UP, GONE, SPREAD, taken, wait_after
from integrations.domain.signing import signatures
from integrations.domain.states import State
from integrations.events import WebhookPing
from integrations.models import Delivery, DeliveryTry, Endpoint
from integrations.services.endpoints import make_due, signing_secrets, switch_off

TIMEOUT = 15.0
KEPT = 2000
_TURN = timedelta(seconds=2)
_request = http.request


def fan_out(rows: Sequence[OutboxEvent]) -> None:
    """Write a delivery for each address that listens to each event, and make them due; nothing where nobody listens.

    Inside work(), in the transaction that marks the events handled. Natural key: address and event.
    """
    endpoints = list(Endpoint.objects.filter(disabled_at=None))
    if not endpoints:
        return
    wanted = [
        Delivery(endpoint=endpoint, event=row, object_id=row.object_public_id)
        for row in rows
        for endpoint in endpoints
        if _listens(endpoint, row)
    ]
    Delivery.objects.bulk_create(wanted, batch_size=1000, ignore_conflicts=True)
    make_due(wanted)


def _listens(endpoint: Endpoint, row: OutboxEvent) -> bool:
    if row.name == WebhookPing.name:
        return bool(row.object_public_id == endpoint.public_id)
    return not endpoint.events or row.name in endpoint.events


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request ready to be sent."""

    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a try; `status` 0 when nothing was answered."""

    status: int
    answer: str
    milliseconds: int


def deliver(public_id: str) -> None:
    """Try one delivery, outside work(). Run again it finds it ended. Raises Later when it is to be tried again.

    A worker that dies after the address took it tells it once more, under the same id: at least once, never less.
    """
    with work():
        prepared = _prepare(public_id)
    if prepared is None:
        return
    outcome = _sent(prepared)
    with work():
        again = _record(public_id, outcome)
    if again:
        raise Later(again)


def _prepare(public_id: str) -> Prepared | None:
    row: Delivery | None = (
        Delivery.objects.select_related("endpoint", "event").filter(public_id=public_id).first()
    )
    if row is None or row.state != State.PENDING or row.endpoint.disabled_at:
        return None
    now = clock.now()
    if row.next_at and row.next_at > now:
        raise Later(row.next_at)
    if row.endpoint.paused_until and row.endpoint.paused_until > now:
        raise Later(row.endpoint.paused_until)
    if _is_behind(row):
        raise Later(now + _TURN)
    body = body_of(row.event, thin=row.endpoint.thin)
    at = int(clock.wall().timestamp())
    signed = signatures(
        signing_secrets(row.endpoint), message_id=row.event.public_id, timestamp=at, body=body
    )
    headers = {
        "Content-Type": "application/json",
        "webhook-id": row.event.public_id,
        "webhook-timestamp": str(at),
        "webhook-signature": signed,
    }
    return Prepared(row.endpoint.url, headers, body)


def _is_behind(row: Delivery) -> bool:
    """Whether something earlier about the same thing is still to be told to this address."""
    earlier = Delivery.objects.filter(
        endpoint_id=row.endpoint_id, object_id=row.object_id, event_id__lt=row.event_id, state=State.PENDING
    )
    return bool(earlier.exists())


def body_of(event: OutboxEvent, *, thin: bool) -> bytes:
    """The body, with the names the events of the API have; thin, without data: what to ask for is in `about`."""
    envelope = {
        "id": event.public_id,
        "type": event.name,
        "schema_version": event.schema_version,
        "timestamp": event.occurred_at.isoformat(),
        "about": event.object_public_id,
        "about_version": event.object_version,
        "livemode": not is_sandbox(),
        "data": {} if thin else event.payload,
    }
    return json.dumps(envelope, ensure_ascii=False, sort_keys=True).encode()


def _sent(prepared: Prepared) -> Outcome:
    began = time.perf_counter()
    try:
        answer = _request("POST", prepared.url, headers=prepared.headers, body=prepared.body, timeout=TIMEOUT)
        status, said = answer.status, answer.body.decode("utf-8", "replace")
    except AppError as error:
        status, said = 0, error.message
    took = int((time.perf_counter() - began) * 1000)
    return Outcome(status, said.replace("\0", "")[:KEPT], took)


def _record(public_id: str, outcome: Outcome) -> datetime | None:
    """Write down the try; answers when to try again, if at all."""
    found = Delivery.objects.filter(public_id=public_id).values_list("endpoint_id", flat=True).first()
    if found is None:
        return None  # the address was taken away while it was being told
    endpoint: Endpoint = lock_one(Endpoint.objects.filter(pk=found))
    row: Delivery = lock_one(Delivery.objects.filter(public_id=public_id))
    if row.state != State.PENDING:
        return None
    DeliveryTry.objects.create(
        delivery=row, status=outcome.status, milliseconds=outcome.milliseconds, answer=outcome.answer
    )
    if taken(outcome.status):
        _well(endpoint)
        _end(row, State.DELIVERED)
        return None
    return _missed(endpoint, row, outcome.status)


def _well(endpoint: Endpoint) -> None:
    if endpoint.failing_since or endpoint.paused_until:
        endpoint.failing_since = endpoint.paused_until = None
        endpoint.save(update_fields=["failing_since", "paused_until"])


def _end(row: Delivery, state: State) -> None:
    row.state, row.next_at, row.ended_at = state, None, clock.wall()
    row.touch("state", "next_at", "ended_at")


def _missed(endpoint: Endpoint, row: Delivery, status: int) -> datetime | None:
    now = clock.now()
    row.failures += 1
    wait = wait_after(row.failures, chance=secrets.randbelow(SPREAD + 1))
    row.next_at = now + wait if wait else None
    row.touch("failures", "next_at")
    endpoint.failing_since = endpoint.failing_since or now
    endpoint.paused_until = row.next_at
    endpoint.save(update_fields=["failing_since", "paused_until"])
    if wait is None:
        _end(row, State.FAILED)
    if status == GONE:
        switch_off(endpoint, why="It answered that it is gone (410).")
    elif now - endpoint.failing_since >= GIVE_UP:
        switch_off(endpoint, why=f"It took nothing since {endpoint.failing_since:%Y-%m-%d}.")
    return row.next_at

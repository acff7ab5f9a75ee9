"""Addresses that get events: added, changed, their secret changed, switched off and on."""

import ipaddress
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from core import clock, effects, ids, vault
from core.errors import Conflict, Invalid
from core.events import Event, emit
from core.http import is_public
from core.locks import lock_one
from integrations.domain.signing import SECRET_BYTES, written
from integrations.domain.states import State
from integrations.events import WebhookDisabled, WebhookPing
from integrations.models import Delivery, DeliveryTry, Endpoint

OVERLAP = timedelta(hours=24)
MOST = 20
DELIVER = "webhook.deliver"
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Fresh:
    """An endpoint whose secret is to be shown now and never again."""

    endpoint: Endpoint
    secret: str


def event_names() -> list[str]:
    """Names of every event there is, sorted."""
    return sorted({kind.name for kind in _kinds(Event) if "name" in vars(kind)})


def _kinds(kind: type[Event]) -> set[type[Event]]:
    return {sub for direct in kind.__subclasses__() for sub in (direct, *_kinds(direct))}


def add(*, url: str, events: Collection[str] = (), description: str = "", thin: bool = False) -> Fresh:
    """A new address with its own secret; empty `events` are all. Inside work(). Raises Invalid, Conflict at MOST.

    Whether the address is one that may be called is judged each time it is.
    """
    _require(url, events)
    if Endpoint.objects.count() >= MOST:
        raise Conflict(f"There are {MOST} webhooks already; take one away first.", code="too_many")
    public_id, secret = ids.new(Endpoint.PREFIX), written(secrets.token_bytes(SECRET_BYTES))
    row = Endpoint.objects.create(
        public_id=public_id,
        url=url,
        events=sorted(set(events)),
        description=description,
        thin=thin,
        secret=vault.seal(Endpoint, "secret", public_id, secret),
    )
    return Fresh(row, secret)


def change(
    public_id: str, *, version: int, url: str, events: Collection[str], description: str, thin: bool
) -> Endpoint:
    """Change an address, or what it is told. Inside work(). The same again changes nothing.

    Raises Invalid, NotFound, and Conflict when somebody changed it since `version`.
    """
    _require(url, events)
    row: Endpoint = lock_one(Endpoint.objects.filter(public_id=public_id))
    wanted: dict[str, Any] = {
        "url": url,
        "events": sorted(set(events)),
        "description": description,
        "thin": thin,
    }
    if all(getattr(row, name) == value for name, value in wanted.items()):
        return row
    if row.version != version:
        raise Conflict("Somebody changed this webhook first.", code="stale")
    for name, value in wanted.items():
        setattr(row, name, value)
    return row.touch(*wanted)


def _require(url: str, events: Collection[str]) -> None:
    if not _is_usable(url):
        raise Invalid("That is no address.", fields={"url": "An address that starts with https://."})
    if unknown := sorted(set(events) - set(event_names())):
        raise Invalid("There is no such event.", fields={"events": ", ".join(unknown)[:200]})


def _may_be_public(host: str) -> bool:
    """Not an address inside, as far as the text tells; what a name leads to is judged when it is called."""
    try:
        return is_public(ipaddress.ip_address(host))
    except ValueError:
        return not (host == "localhost" or host.endswith(".localhost"))


def _is_usable(url: str) -> bool:
    if len(url) > _LONGEST or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        schemes = {"https", "http"} if settings.DEBUG else {"https"}
        if not settings.DEBUG and not _may_be_public(parts.hostname or ""):
            return False
        return parts.scheme in schemes and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


def roll_secret(public_id: str) -> Fresh:
    """Another secret; for OVERLAP both sign, so that a receiver can be changed over. Inside work(). Raises NotFound."""
    row: Endpoint = lock_one(Endpoint.objects.filter(public_id=public_id))
    old, secret = vault.reveal(row, "secret"), written(secrets.token_bytes(SECRET_BYTES))
    row.secret = vault.seal(Endpoint, "secret", row.public_id, secret)
    row.old_secret = vault.seal(Endpoint, "old_secret", row.public_id, old)
    row.old_until = clock.wall() + OVERLAP
    return Fresh(row.touch("secret", "old_secret", "old_until"), secret)


def signing_secrets(row: Endpoint) -> list[str]:
    """The secrets that sign now, the newest first. Inside work()."""
    found = [vault.reveal(row, "secret")]
    if row.old_until and row.old_until > clock.wall():
        found.append(vault.reveal(row, "old_secret"))
    return found


def switch_off(row: Endpoint, *, why: str) -> None:
    """Tell a locked endpoint nothing any more, because of itself; those who look after it get a mail. Inside work()."""
    row.disabled_at, row.disabled_why = clock.wall(), why[:200]
    row.touch("disabled_at", "disabled_why")
    emit(WebhookDisabled(row.public_id, row.version, row.url, row.disabled_why))


def set_off(public_id: str, *, off: bool) -> Endpoint:
    """Switch an address off or on by hand; what waits for it goes out when it is on again. Inside work().

    Again changes nothing. Raises NotFound.
    """
    row: Endpoint = lock_one(Endpoint.objects.filter(public_id=public_id))
    if bool(row.disabled_at) == off:
        return row
    row.disabled_at = clock.wall() if off else None
    row.disabled_why, row.failing_since, row.paused_until = "", None, None
    row.touch("disabled_at", "disabled_why", "failing_since", "paused_until")
    if not off:
        make_due(list(Delivery.objects.filter(endpoint=row, state=State.PENDING)), again=f"on{row.version}")
    return row


def drop(public_id: str) -> str:
    """Take an address away with all it was told; returns it. Inside work(). Raises NotFound."""
    row: Endpoint = lock_one(Endpoint.objects.filter(public_id=public_id))
    DeliveryTry.objects.filter(delivery__endpoint=row).delete()
    Delivery.objects.filter(endpoint=row).delete()
    row.delete()
    return row.url


def ping(public_id: str) -> None:
    """Have a test event told to this address, whatever it listens to. Inside work(). Raises NotFound."""
    row: Endpoint = lock_one(Endpoint.objects.filter(public_id=public_id))
    emit(WebhookPing(row.public_id, row.version))


def replay(public_id: str) -> Delivery:
    """Tell a delivery that ended once more, under its old id, so that the receiver knows it. Inside work().

    Raises Conflict while it is still being tried, NotFound.
    """
    row: Delivery = lock_one(Delivery.objects.filter(public_id=public_id))
    if row.state == State.PENDING:
        raise Conflict("It is being tried already.", code="pending")
    row.state, row.failures, row.ended_at, row.replays = State.PENDING, 0, None, row.replays + 1
    row.touch("state", "failures", "ended_at", "replays")
    make_due([row], again=str(row.replays))
    return row


def make_due(rows: Collection[Delivery], *, again: str = "") -> None:
    """Have deliveries worked off; `again` makes the work of a second telling another one. Inside work()."""
    effects.due(
        DELIVER,
        [
            (f"{row.public_id}:{again}" if again else row.public_id, {"delivery": row.public_id})
            for row in rows
        ],
    )

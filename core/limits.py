"""Rate limits: counters in the cache, by fixed windows of wall time. Without a cache nothing is limited."""

import hashlib
import ipaddress
import logging
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from redis.exceptions import RedisError

from core import clock
from core.errors import AppError

log = logging.getLogger(__name__)


class TooMany(AppError):
    """More was tried than is allowed; `retry_after` seconds are to be waited."""

    status = 429
    code = "too_many"

    @property
    def retry_after(self) -> int:
        return int(self.extra["retry_after"])


def _key(kind: str, who: str, seconds: int) -> tuple[str, int]:
    now = int(clock.wall().timestamp())
    window = now // seconds
    digest = hashlib.sha256(who.encode("utf-8", "replace")).hexdigest()
    return f"limit:{kind}:{digest}:{window}", (window + 1) * seconds - now


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a limit: so many of `limit` in the `reset` seconds that the window still has."""

    limit: int
    left: int
    reset: int
    seconds: int


def count(kind: str, who: str, *, limit: int, seconds: int) -> Allowance:
    """Count one try of `who` and say what is left in this window of `seconds`; below 0 is one too many."""
    key, reset = _key(kind, who, seconds)
    try:
        tries = _counted(key, seconds)
    except ValueError:  # the window ended between two calls
        tries = 1
    except RedisError:
        log.warning("No cache for rate limits: %s is not limited", kind)
        tries = 0
    return Allowance(limit, limit - tries, reset, seconds)


def _counted(key: str, seconds: int) -> int:
    """The tries of a window with this one; only the first of them has to begin it."""
    try:
        return cache.incr(key)
    except ValueError:
        return 1 if cache.add(key, 1, timeout=seconds) else cache.incr(key)


def spend(kind: str, who: str, *, limit: int, seconds: int) -> Allowance:
    """`count`, and raise TooMany when it was one too many."""
    found = count(kind, who, limit=limit, seconds=seconds)
    if found.left < 0:
        raise TooMany("Too many tries. Wait a little, then try again.", retry_after=found.reset)
    return found


def forgive(kind: str, who: str, *, seconds: int) -> None:
    """Take back the tries of `who` in this window, after one that was right."""
    try:
        cache.delete(_key(kind, who, seconds)[0])
    except RedisError:
        log.warning("No cache for rate limits: %s is not limited", kind)


def address_of(request: HttpRequest) -> str:
    """Who asks, as limits count them: an IPv4 address, or the network of 64 bits an IPv6 one is in."""
    return network_of(client_address(request))


def network_of(own: str) -> str:
    """An IPv4 address as it is, an IPv6 one as its network of 64 bits: within it a machine takes addresses at will."""
    try:
        address = ipaddress.ip_address(own)
    except ValueError:
        return own
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return own


def client_address(request: HttpRequest) -> str:
    """The address the request came from.

    Behind TRUSTED_PROXIES proxies the connection's own address is the proxy's; each of them appends the address it
    saw to X-Forwarded-For, so the last ones are theirs and everything before can be made up.
    """
    seen = [each.strip() for each in request.headers.get("X-Forwarded-For", "").split(",")]
    proxies: int = settings.TRUSTED_PROXIES
    own = str(request.META.get("REMOTE_ADDR", ""))
    try:
        address = ipaddress.ip_address(seen[-proxies] if 0 < proxies <= len(seen) else own)
    except ValueError:
        return own
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(address)

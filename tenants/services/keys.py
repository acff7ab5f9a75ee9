"""API keys: made, rolled and revoked by people, opened by programs.

A key is 32 random bytes, shown once; the database holds its hash. It acts for the member who made it: it may do what
they may at that moment, or of that what was chosen for it, and it ends when they do. One made in a sandbox is called
`test`, belongs to the sandbox like every row there, and may do what its maker may in the live organization.
"""

import hashlib
import ipaddress
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import OuterRef, Subquery

from core import clock, doors, effects, registry
from core.errors import Conflict, Forbidden, Invalid
from core.events import emit
from core.locks import lock_one
from core.models import Organization
from core.sandbox import is_sandbox
from core.scope import Actor, Scope, current, enter, work
from tenants.events import ApiKeyChanged, ApiKeyEnding
from tenants.models import ApiKey, ApiKeyUse, Membership
from tenants.rights import live, rights_of_member, with_groups
from tenants.selectors import seat_of
from tenants.services.guard import require_within_own

VERSION = "2026-11-26"
VERSIONS = (VERSION,)
"""Dated forms of the answers, the newest last; a key keeps the one it was made with."""
OVERLAP = timedelta(hours=24)
USED_EVERY = timedelta(minutes=1)
BEFORE = (timedelta(days=7), timedelta(days=1))
WARN = "api_key.warn"
_BYTES, _START, _MOST_ADDRESSES = 32, 12, 20


@dataclass(frozen=True, slots=True)
class Fresh:
    """A key just made: `secret` is to be shown now and never again."""

    key: ApiKey
    secret: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A key that is alive, and the scope its requests run in."""

    key: ApiKey
    scope: Scope
    organization: Organization


def make(
    *,
    name: str,
    rights: Collection[str] | None = None,
    expires_at: datetime | None = None,
    addresses: Collection[str] = (),
) -> Fresh:
    """A key of the acting member: with all their rights, or of them only `rights`. Inside work().

    Raises Forbidden when no member acts, BeyondOwnRights, Invalid for rights, times or addresses that are none.
    """
    member = _acting_member()
    if rights is not None:
        if not rights or set(rights) - registry.permissions.keys():
            raise Invalid("Choose what the key may do.", fields={"rights": "Choose at least one right."})
        require_within_own(rights, what=name)
    if expires_at is not None and expires_at <= clock.wall():
        raise Invalid("That time is over.", fields={"last_day": "That time is over; choose a later day."})
    return _made(
        name=name,
        member=member,
        permissions=None if rights is None else sorted(rights),
        expires_at=expires_at,
        addresses=_networks(addresses),
    )


def _acting_member() -> Membership:
    actor = current().actor
    member = live().filter(user_id=actor.id or 0).first() if actor.kind == "member" else None
    if member is None:
        raise Forbidden("A key is made by a member.")
    return member


def _networks(addresses: Collection[str]) -> list[str]:
    if len(addresses) > _MOST_ADDRESSES:
        raise Invalid("Too many addresses.", fields={"addresses": f"At most {_MOST_ADDRESSES}."})
    try:
        return [str(ipaddress.ip_network(each.strip(), strict=False)) for each in addresses if each.strip()]
    except ValueError as error:
        raise Invalid(
            "That is no address.",
            fields={"addresses": "One IP address or network a line, as 203.0.113.0/24."},
        ) from error


def _made(*, member: Membership, **given: object) -> Fresh:
    kind = "sk" if given["permissions"] is None else "rk"
    secret = f"{kind}_{'test' if is_sandbox() else 'live'}_{secrets.token_urlsafe(_BYTES)}"
    key = ApiKey.objects.create(
        member=member,
        digest=digest(secret),
        start=secret[:_START],
        last4=secret[-4:],
        api_version=VERSION,
        **given,
    )
    emit(ApiKeyChanged(key.public_id, key.version, "made"))
    _watch(key)
    return Fresh(key, secret)


def _watch(key: ApiKey) -> None:
    """Have the end of a key announced. Natural key: the key and how many days before."""
    until = key.expires_at
    for before in BEFORE:
        if until is not None and until - before > clock.wall():
            facts = {"key": key.public_id, "days": before.days}
            effects.due(WARN, [(f"{key.public_id}:{before.days}", facts)], at=until - before)


def warn(public_id: str, *, days: int) -> None:
    """Announce that a key ends soon; nothing when it was revoked, or rolled and ends sooner. Inside work()."""
    found: ApiKey | None = ApiKey.objects.filter(public_id=public_id, revoked_at=None).first()
    if found is not None and found.expires_at is not None and found.expires_at > clock.wall():
        emit(ApiKeyEnding(found.public_id, found.version, found.expires_at.isoformat(), days))


def digest(secret: str) -> str:
    """What the database knows of a key. The secret is random, so a fast hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def roll(public_id: str) -> Fresh:
    """A new key like this one, which itself goes on for OVERLAP, so that a program can be changed over. Inside work().

    Raises Conflict for one that is over, BeyondOwnRights, Forbidden for somebody else's, NotFound.
    """
    old = _live_key(public_id)
    if old.member_id != _acting_member().pk:
        raise Forbidden("Only the member a key acts for can roll it; make a key of your own.")
    if old.permissions is not None:
        require_within_own(old.permissions, what=old.name)
    until = clock.wall() + OVERLAP
    fresh = _made(
        name=old.name,
        member=old.member,
        permissions=old.permissions,
        expires_at=old.expires_at,
        addresses=old.addresses,
        rolled_from=old,
    )
    if old.expires_at is None or old.expires_at > until:
        old.expires_at = until
        old.touch("expires_at")
    emit(ApiKeyChanged(old.public_id, old.version, "rolled"))
    return fresh


def _live_key(public_id: str) -> ApiKey:
    key: ApiKey = lock_one(ApiKey.objects.select_related("member").filter(public_id=public_id))
    if key.revoked_at or (key.expires_at and key.expires_at <= clock.wall()):
        raise Conflict("That key is over already.", code="key_over")
    return key


def revoke(public_id: str) -> ApiKey:
    """End a key with its next request. Inside work(). Raises Conflict for one that is over, NotFound."""
    key = _live_key(public_id)
    key.revoked_at = clock.wall()
    key.touch("revoked_at")
    emit(ApiKeyChanged(key.public_id, key.version, "revoked"))
    return key


def organization_of(secret: str) -> int | None:
    """Whose key this is or was; None for one that never was any."""
    if not secret.isascii() or len(secret) > 100:  # noqa: PLR2004
        return None
    return doors.org_of_api_key(digest(secret))


def opened(secret: str, *, address: str, request_id: str) -> Opened | None:
    """The key of this secret, if it is alive and asked from an allowed address; read anew for each request.

    Outside work(); None for every other, without saying why.
    """
    organization_id = organization_of(secret)
    if organization_id is None:
        return None
    hashed = digest(secret)
    bare = Scope(organization_id, Actor("key"), origin="api", request_id=request_id)
    with enter(bare), work():
        found = find_alive(hashed, address)
    if found is None:
        return None
    key, member = found
    if key.organization.live_twin_id is None:
        return _opened(bare, key, rights_of_member(member))
    seat = seat_of(member.user, organization_id, origin="api", request_id=request_id)
    return _opened(bare, key, seat.scope.permissions) if seat else None


def find_alive(hashed: str, address: str) -> tuple[ApiKey, Membership] | None:
    """The key of a secret's hash that is alive and may be used from there, and its member who may come in.

    Inside work().
    """
    now = clock.wall()
    used = ApiKeyUse.objects.filter(key=OuterRef("pk")).values("at")
    found = ApiKey.objects.filter(digest=hashed, revoked_at=None).annotate(used_at=Subquery(used))
    key: ApiKey | None = found.select_related("organization").first()
    if key is None or (key.expires_at and key.expires_at <= now) or not _allowed(key, address):
        return None
    member = with_groups(live(now).select_related("user")).filter(pk=key.member_id).first()
    if member is None:
        return None
    key.member = member
    return key, member


def _opened(bare: Scope, key: ApiKey, rights: frozenset[str]) -> Opened:
    organization = key.organization
    scope = replace(
        bare,
        actor=Actor("key", key.pk, f"{key.name} ({key.member.user.name})", key.member.user_id),
        permissions=rights if key.permissions is None else rights & frozenset(key.permissions),
        clock_offset=organization.clock_offset,
        memo={"sandbox": organization.live_twin_id is not None},
    )
    return Opened(key, scope, organization)


def _allowed(key: ApiKey, address: str) -> bool:
    if not key.addresses:
        return True
    try:
        asked = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(asked in ipaddress.ip_network(each) for each in key.addresses)


@dataclass(frozen=True, slots=True)
class Use:
    """Whether a use was a key's first, and whether it was the first of its minute."""

    first: bool
    of_minute: bool


def note_use(key: ApiKey, address: str) -> Use:
    """Remember that a key that was opened is used, to the minute. Inside work()."""
    now = clock.wall()
    used: datetime | None = key.used_at  # type: ignore[attr-defined]
    if used is not None and used > now - USED_EVERY:
        return Use(first=False, of_minute=False)
    if used is None:
        first = ApiKeyUse.objects.get_or_create(key=key, defaults={"at": now, "address": address})[1]
        return Use(first, first)
    newer = ApiKeyUse.objects.filter(key=key, at__lte=now - USED_EVERY).update(at=now, address=address)
    return Use(first=False, of_minute=bool(newer))

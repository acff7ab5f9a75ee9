"""The sandbox of an organization: a twin with data of its own, opened by the same people with the same rights.

Nobody is a member of a sandbox. What somebody may do in it is read at each request from their membership of the live
organization; the rows here only stand for the person where others refer to them, such as the keys they make.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.db import transaction

from core import clock, doors, jobs
from core.clocks import ClockAdvance
from core.events import emit
from core.locks import lock_one
from core.models import Job, Organization
from core.sandbox import OnlyLive
from core.scope import Scope, current, enter, require, work
from tenants.events import SandboxMade
from tenants.models import Entitlement, LegalEntity, Membership, Role
from tenants.permissions import SANDBOX_MANAGE
from tenants.plans import FIRST, SEATS
from tenants.selectors import Seat
from tenants.services.entities import FIELDS, tell_changed
from tenants.services.organizations import NAME_LENGTH, sync_built_in_roles

_MARK = "-sandbox"
_SLUG_LENGTH, _TRIES = 40, 50


@dataclass(frozen=True, slots=True)
class LiveFacts:
    """What a sandbox begins with: how its live organization is called, and its legal entities."""

    organization: Organization
    entities: tuple[dict[str, Any], ...]


def make_sandbox() -> Organization:
    """The sandbox of the scope's organization, made when there is none. Opens its own transaction, outside work().

    Natural key: the live organization; asked for twice at once, the second waits and gets the first one's. Emits
    SandboxMade in the live organization. Raises OnlyLive in a sandbox, Forbidden without SANDBOX_MANAGE.
    """
    require(SANDBOX_MANAGE)
    live = current()
    with transaction.atomic():
        with work():
            facts = _live_facts(live.organization_id)
            twin_id = doors.twin_of_own()
            made = twin_id is None
            if twin_id is None:
                twin_id = begin(facts.organization)
        with enter(in_twin(live, twin_id)), work():
            if made:
                furnish(facts)
            found: Organization = Organization.objects.get(pk=twin_id)
    return found


def begin_anew(public_id: str) -> Organization:
    """Put the sandbox with this public id away, with data and keys, and make another. From either side, outside work().

    Books are never deleted, so the old one stays as it is and opens for nobody. Natural key: the one to be put away;
    asked again, it answers with the one that is there. Raises Forbidden without SANDBOX_MANAGE. Emits SandboxMade.
    """
    require(SANDBOX_MANAGE)
    own = current()
    with work():
        live_id = Organization.objects.values_list("live_twin_id", flat=True).get(pk=own.organization_id)
    live = replace(own, organization_id=live_id, memo={}, clock_offset=timedelta()) if live_id else own
    with enter(live), transaction.atomic():
        with work():
            _live_facts(live.organization_id)
            twin_id = doors.twin_of_own()
        if twin_id is not None:
            with enter(in_twin(live, twin_id)), work():
                old = lock_one(Organization.objects.filter(pk=twin_id))
                if old.public_id != public_id:
                    return old
                _put_away(old)
        return make_sandbox()


def _put_away(old: Organization) -> None:
    """Its address is free for the next one; what was under way in it is over. Inside its work()."""
    old.slug = old.public_id.lower().replace("_", "-")
    old.archived_at = clock.wall()
    old.save(update_fields=["slug", "archived_at"])
    ClockAdvance.objects.filter(ended_at=None).update(ended_at=clock.wall(), lease_until=None)
    Job.objects.filter(state__in=jobs.OPEN).update(state="cancelled")


def _live_facts(organization_id: int) -> LiveFacts:
    """What the sandbox is made from, its maker waiting for others who make it. Inside work()."""
    house = lock_one(Organization.objects.filter(pk=organization_id))
    if house.live_twin_id:
        raise OnlyLive("A sandbox has no sandbox of its own.")
    rows = LegalEntity.objects.order_by("id").values("code", *FIELDS)
    return LiveFacts(house, tuple(dict(row) for row in rows))


def begin(house: Organization) -> int:
    """Make the twin's row and tell the live organization. Inside its work()."""
    twin_id = doors.create_twin(slug=_free_slug(house.slug), name=_name(house.name))
    emit(SandboxMade(house.public_id, 1))
    return twin_id


def _name(live: str) -> str:
    mark = " (sandbox)"
    return live[: NAME_LENGTH - len(mark)] + mark


def _free_slug(live: str) -> str:
    for n in range(1, _TRIES):
        end = _MARK if n == 1 else f"{_MARK}-{n}"
        slug = live[: _SLUG_LENGTH - len(end)].rstrip("-") + end
        if doors.org_of_slug(slug) is None:
            return slug
    raise OnlyLive("Every address for the sandbox is taken.")


def in_twin(live: Scope, twin_id: int) -> Scope:
    """The actor's scope in the twin: the rights they hold in the live organization, nothing remembered of it."""
    return replace(live, organization_id=twin_id, memo={})


def furnish(facts: LiveFacts) -> None:
    """Give a new sandbox what every organization has. Inside its work()."""
    sync_built_in_roles()
    Entitlement.objects.create(key=SEATS, plan=FIRST, most=None)
    tell_changed(LegalEntity.objects.bulk_create(LegalEntity(**each) for each in facts.entities))


def stand_in(seat: Seat) -> None:
    """Keep the row that stands for a person in a sandbox as their live membership is. Outside work().

    Natural key: the person. It takes no seat, and grants nothing.
    """
    actor = seat.scope.actor
    with enter(seat.scope), work():
        there = Membership.objects.select_related("role").filter(user_id=actor.id).first()
        if there is not None and _is_like(there.role, seat.role):
            return
        role = _role_like(seat.role)
        if there is None:
            Membership.objects.get_or_create(user_id=actor.id, defaults={"role": role})
        else:
            there.role = role
            there.touch("role")


def _is_like(mine: Role, live: Role) -> bool:
    if live.key:
        return mine.key == live.key
    return (mine.external_id, mine.name, mine.permissions) == (live.public_id, live.name, live.permissions)


def _role_like(live: Role) -> Role:
    """The sandbox's copy of a role of the live organization. Natural key: its key, or the live one's public id."""
    if live.key:
        found: Role = Role.objects.get_or_create(key=live.key, defaults={"name": live.name})[0]
        return found
    copy_roles([(live.public_id, live.name, live.permissions)])
    copied: Role = Role.objects.get(external_id=live.public_id)
    return copied


def copy_roles(rows: Iterable[tuple[str, str, list[str]]]) -> int:
    """Roles of the live organization (public id, name, rights) as the sandbox has them; how many are new.

    Natural key: the live one's public id. Inside the sandbox's work().
    """
    made = 0
    for live_id, name, rights in rows:
        role = Role.objects.filter(external_id=live_id).first()
        taken = Role.objects.filter(name=name).exclude(external_id=live_id).exists()
        wanted = f"{name[:40]} {live_id[-8:]}" if taken else name
        if role is None:
            Role.objects.create(name=wanted, permissions=rights, external_id=live_id)
            made += 1
        elif (role.name, role.permissions) != (wanted, rights):
            role.name, role.permissions = wanted, rights
            role.touch("name", "permissions")
    return made

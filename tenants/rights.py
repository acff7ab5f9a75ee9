"""What a role grants, who holds a right, and which rights are better held by two people. Reads only."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject
from django.utils.functional import Promise

from core import clock, registry
from core.errors import Forbidden
from core.registry import Conflict
from core.scope import current
from tenants.models import GroupMember, Membership, Role
from tenants.permissions import MEMBERS_EDIT, built_in_roles


def rights_of(role: Role) -> frozenset[str]:
    """What a role grants; a built-in one whatever the product now has, so that a new right needs no migration."""
    return _rights(role.key, role.permissions)


def _rights(key: str, permissions: Iterable[str]) -> frozenset[str]:
    if key:
        return built_in_roles()[key].rights
    return frozenset(permissions) & registry.permissions.keys()


def live(now: Any = None) -> "QuerySet[Membership]":
    """Memberships that open the organization now: not shut out, begun, not over. Inside work()."""
    now = now or clock.wall()
    found: QuerySet[Membership] = Membership.objects.filter(
        Q(valid_from=None) | Q(valid_from__lte=now), disabled_at=None, user__is_active=True
    ).filter(Q(valid_until=None) | Q(valid_until__gt=now))
    return found


def with_groups(memberships: "QuerySet[Membership]") -> "QuerySet[Membership]":
    """The memberships with their role, and the roles of their groups as `group_roles`; still one query."""
    roles = GroupMember.objects.filter(member=OuterRef("pk")).values(
        json=JSONObject(key="group__role__key", permissions="group__role__permissions")
    )
    return memberships.select_related("role").annotate(group_roles=ArraySubquery(roles))


def rights_of_member(membership: Membership) -> frozenset[str]:
    """Everything a member of `with_groups` may do: by their role and by the role of each of their groups."""
    granted = [_rights(role["key"], role["permissions"]) for role in membership.group_roles]  # type: ignore[attr-defined]
    return rights_of(membership.role).union(*granted)


def conflicts_in(rights: frozenset[str]) -> list[Conflict]:
    """The pairs of rights in a set that are better held by two people."""
    return [each for each in registry.conflicts if each.first in rights and each.second in rights]


def acting_member() -> Membership:
    """The membership of whoever acts; raises Forbidden where that is no member. One query, inside work()."""
    actor = current().actor
    found = live().filter(user_id=actor.id or 0).first() if actor.kind == "member" else None
    if found is None:
        raise Forbidden("This belongs to a member.")
    return found


@dataclass(frozen=True, slots=True)
class Holder:
    """A member who holds a right that was asked for, and all they may do."""

    name: str
    email: str
    rights: frozenset[str]


def holders_of(permission: str) -> list[Holder]:
    """Members who hold a right now, by name; one query. Inside work()."""
    return [
        Holder(row.user.name, row.user.email, rights)
        for row in with_groups(live().select_related("user")).order_by("user__name", "id")
        if permission in (rights := rights_of_member(row))
    ]


def who_grants(permission: str) -> list[str]:
    """Names of those who may give a right: they hold it and may change members. One query a scope. Inside work()."""
    memo = current().memo
    if "granters" not in memo:
        memo["granters"] = holders_of(MEMBERS_EDIT)
    return [each.name for each in memo["granters"] if permission in each.rights]


def label_of(permission: str) -> str | Promise:
    """What people call a right."""
    return registry.permissions[permission].label


registry.who_grants = who_grants

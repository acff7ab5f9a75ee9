"""Roles an organization makes for itself, and groups that share one."""

from collections.abc import Callable, Collection
from typing import TypeVar

from django.db import IntegrityError, transaction

from core import registry
from core.errors import Conflict, Invalid
from core.locks import lock_one
from core.sandbox import require_own_people
from tenants.models import Group, GroupMember, Invitation, Membership, Role
from tenants.permissions import OWNER
from tenants.services.guard import require_givable, require_within_own

T = TypeVar("T")


class NameTaken(Conflict):
    """A role, or a group, of this name is here already."""

    code = "name_taken"


class InUse(Conflict):
    """Members, groups or invitations still have this role."""

    code = "in_use"


def make_role(*, name: str, rights: Collection[str]) -> Role:
    """A new role of the organization. Natural key: its name. Inside work().

    Raises BeyondOwnRights, Invalid for a right that is none, NameTaken.
    """
    require_own_people()
    _require_rights(rights, name)
    return _named(lambda: Role.objects.create(name=name, permissions=sorted(rights)))


def change_role(public_id: str, *, version: int, name: str, rights: Collection[str]) -> Role:
    """Rename a role, and give it other rights unless it is built in. Inside work(). The same again changes nothing.

    Whoever has the role is bound by it with their next request. Raises BeyondOwnRights when the role may or would do
    more than the actor, Conflict when somebody changed it since `version`, Invalid, NameTaken, NotFound.
    """
    require_own_people()
    role: Role = lock_one(Role.objects.filter(public_id=public_id))
    require_givable(role)
    wanted = [] if role.key else sorted(rights)
    if (role.name, sorted(role.permissions)) == (name, wanted):
        return role
    if role.version != version:
        raise Conflict("Somebody changed this role first.", code="stale")
    _require_rights(wanted, name)
    role.name, role.permissions = name, wanted
    return _named(lambda: role.touch("name", "permissions"))


def _require_rights(rights: Collection[str], name: str) -> None:
    if unknown := set(rights) - registry.permissions.keys():
        raise Invalid("There is no such right.", fields={"rights": ", ".join(sorted(unknown))})
    require_within_own(rights, what=name)


def _named(make: Callable[[], T]) -> T:
    try:
        with transaction.atomic():
            return make()
    except IntegrityError as error:
        raise NameTaken("That name is taken.") from error


def drop_role(public_id: str) -> str:
    """Delete a role nobody has; returns its name. Raises InUse, BeyondOwnRights, Conflict (built in), NotFound.

    Inside work().
    """
    require_own_people()
    role: Role = lock_one(Role.objects.filter(public_id=public_id))
    require_givable(role)
    if role.key:
        raise Conflict("A role that is built in stays.", code="built_in")
    users = (
        Membership.objects.filter(role=role),
        Group.objects.filter(role=role),
        Invitation.objects.filter(role=role),
    )
    if any(rows.exists() for rows in users):
        raise InUse("Somebody has this role, or was asked with it. Give them another one first.")
    role.delete()
    return role.name


def save_group(public_id: str, *, name: str, role: Role, members: Collection[str]) -> Group:
    """Make a group (`public_id` empty) or change one: its name, its role, and exactly these members (public ids).

    Natural key: its name. Inside work(). Raises BeyondOwnRights, Invalid (the Owner's role, an unknown member),
    NameTaken, NotFound.
    """
    require_own_people()
    if role.key == OWNER:
        raise Invalid("Owner is given to people one by one.", fields={"role": "Choose another role."})
    people = list(Membership.objects.filter(public_id__in=members))
    if len(people) != len(set(members)):
        raise Invalid("That member is not here.", fields={"members": "Choose members from the list."})
    require_givable(role)
    if public_id:
        group: Group = lock_one(Group.objects.select_related("role").filter(public_id=public_id))
        require_givable(group.role)
        group.name, group.role = name, role
        _named(lambda: group.touch("name", "role"))
    else:
        group = _named(lambda: Group.objects.create(name=name, role=role))
    GroupMember.objects.filter(group=group).exclude(member__in=people).delete()
    there = set(GroupMember.objects.filter(group=group).values_list("member_id", flat=True))
    GroupMember.objects.bulk_create(
        GroupMember(group=group, member=person) for person in people if person.pk not in there
    )
    return group


def drop_group(public_id: str) -> str:
    """Delete a group; its members keep what they have by themselves. Returns its name. Inside work().

    Raises BeyondOwnRights, NotFound.
    """
    require_own_people()
    group: Group = lock_one(Group.objects.select_related("role").filter(public_id=public_id))
    require_givable(group.role)
    GroupMember.objects.filter(group=group).delete()
    group.delete()
    return group.name

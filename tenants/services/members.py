"""Members of an organization: their role, their groups, their time, and shutting them out."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q

from core import clock
from core.errors import Conflict, Invalid, NotFound
from core.events import emit
from core.locks import lock
from core.sandbox import require_own_people
from tenants.events import MemberChanged
from tenants.models import Group, GroupMember, Membership, Role
from tenants.permissions import OWNER
from tenants.rights import rights_of_member, with_groups
from tenants.services.guard import require_givable, require_within_own
from tenants.services.seats import require_seat
from tenants.services.temporary import watch


class LastOwner(Conflict):
    """An organization keeps at least one live Owner without an end; nothing was changed."""

    code = "last_owner"


def role(public_id: str) -> Role:
    """The scope's role with this public id; raises Invalid. Inside work()."""
    found: Role | None = Role.objects.filter(public_id=public_id).first()
    if found is None:
        raise Invalid("That role is not here.", fields={"role": "Choose a role."})
    return found


def _locked(public_id: str) -> tuple[Membership, list[Membership]]:
    """The member, and the Owners who stay, all locked so that two Owners cannot remove each other at once."""
    require_own_people()
    wanted = Q(public_id=public_id) | Q(role__key=OWNER, disabled_at=None)
    rows = lock(Membership.objects.filter(wanted).select_related("role", "user"))
    member = next((row for row in rows if row.public_id == public_id), None)
    if member is None:
        raise NotFound("That member is not here.")
    owners = [
        row
        for row in rows
        if row.role.key == OWNER
        and row.disabled_at is None
        and row.user.is_active
        and row.valid_until is None
        and (row.valid_from is None or row.valid_from <= clock.wall())
    ]
    return member, owners


def _require_mine(member: Membership) -> None:
    rights = rights_of_member(with_groups(Membership.objects.filter(pk=member.pk)).get())
    require_within_own(rights, what=member.user.name)


def _keep_an_owner(member: Membership, owners: list[Membership]) -> None:
    if [row.pk for row in owners] == [member.pk]:
        raise LastOwner(f"{member.user.name} is the last Owner. Make somebody else Owner first.")


def _changed(member: Membership, change: str, *fields: str) -> Membership:
    member.touch(*fields)
    emit(MemberChanged(member.public_id, member.version, change))
    return member


def change_role(public_id: str, *, role: Role) -> Membership:
    """Give a member another role. Inside work(). The same role again changes nothing.

    Raises BeyondOwnRights when the member or the new role may do more than the actor, LastOwner, NotFound.
    """
    member, owners = _locked(public_id)
    if member.role_id == role.pk:
        return member
    _require_mine(member)
    require_givable(role)
    _keep_an_owner(member, owners)
    member.role = role
    return _changed(member, "role", "role")


def set_time(public_id: str, *, starts: datetime | None, ends: datetime | None) -> Membership:
    """Let a member in from `starts` to `ends` (wall time, exclusive); None is without a bound. Inside work().

    Raises Invalid when it ends before it starts or is over already, BeyondOwnRights, LastOwner, NotFound.
    """
    require_times(starts, ends)
    member, owners = _locked(public_id)
    if (member.valid_from, member.valid_until) == (starts, ends):
        return member
    _require_mine(member)
    if ends is not None or (starts is not None and starts > clock.wall()):
        _keep_an_owner(member, owners)
    was_over = member.valid_until is not None and member.valid_until <= clock.wall()
    if was_over and (member.disabled_at is None or member.disabled_at == member.valid_until):
        require_seat()
        member.disabled_at = None  # their time was over; with more of it they come in again
    member.valid_from, member.valid_until = starts, ends
    watch(member)
    return _changed(member, "time", "valid_from", "valid_until", "disabled_at")


def require_times(starts: datetime | None, ends: datetime | None) -> None:
    """Raise Invalid unless access with these bounds can be used at all."""
    if ends is not None and ends <= clock.wall():
        raise Invalid("That time is over.", fields={"ends": "Choose a later day."})
    if starts is not None and ends is not None and starts >= ends:
        raise Invalid("It ends before it starts.", fields={"ends": "Choose a later day."})


def set_groups(public_id: str, *, groups: Collection[str]) -> Membership:
    """Put a member into exactly these groups (public ids). Inside work(). The same groups again change nothing.

    Raises BeyondOwnRights when the member, or a group given or taken, may do more than the actor; NotFound.
    """
    member, _owners = _locked(public_id)
    wanted = {row.pk: row for row in Group.objects.select_related("role").filter(public_id__in=groups)}
    if len(wanted) != len(set(groups)):
        raise NotFound("That group is not here.")
    now = set(GroupMember.objects.filter(member=member).values_list("group_id", flat=True))
    if now == wanted.keys():
        return member
    _require_mine(member)
    require_givable(*(row.role for row in wanted.values()))
    GroupMember.objects.filter(member=member, group_id__in=now - wanted.keys()).delete()
    GroupMember.objects.bulk_create(
        GroupMember(group_id=pk, member=member) for pk in sorted(wanted.keys() - now)
    )
    return _changed(member, "groups")


def set_disabled(public_id: str, *, disabled: bool) -> Membership:
    """Shut a member out, or let them in again; they keep their account. Inside work(). Again changes nothing.

    Raises BeyondOwnRights when the member may do more than the actor, LastOwner, NoSeat, NotFound.
    """
    member, owners = _locked(public_id)
    if bool(member.disabled_at) == disabled:
        return member
    _require_mine(member)
    if disabled:
        _keep_an_owner(member, owners)
    else:
        require_seat()
    member.disabled_at = clock.wall() if disabled else None
    return _changed(member, "shut_out" if disabled else "let_in", "disabled_at")

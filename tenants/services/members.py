"""Members of an organization: who comes in, with which role, and who no longer does."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Q

from core import clock, doors
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.locks import lock
from core.scope import current
from tenants.models import Membership, Role, User
from tenants.permissions import OWNER
from tenants.services.accounts import find_user


class LastOwner(Conflict):
    """An organization keeps at least one live Owner; nothing was changed."""

    code = "last_owner"


class BeyondOwnRights(Forbidden):
    """Nobody gives, or takes from, a role that may do more than they may themselves."""

    code = "beyond_own_rights"


@dataclass(frozen=True, slots=True)
class Invited:
    """The membership, and whether the person must set a password first."""

    membership: Membership
    needs_password: bool


def role(public_id: str) -> Role:
    """The scope's role with this public id; raises Invalid. Inside work()."""
    found: Role | None = Role.objects.filter(public_id=public_id).first()
    if found is None:
        raise Invalid("That role is not here.", fields={"role": "Choose a role."})
    return found


def _guard(*roles: Role) -> None:
    scope = current()
    for each in roles:
        if not all(scope.may(permission) for permission in each.permissions):
            raise BeyondOwnRights(
                f"{each.name} may do more than you may, so you cannot give or take this role."
            )


def invite(*, email: str, name: str, role: Role) -> Invited:
    """Make a person a member, with an account without password when they have none. Inside work().

    Natural key: the person in the organization; the same invitation sent again is answered the same. Raises
    BeyondOwnRights, and Conflict when they are a member with another role.
    """
    _guard(role)
    user = find_user(email) or _new_user(email=email, name=name)
    membership = Membership.objects.filter(user=user).first()
    if membership is None:
        try:
            with transaction.atomic():
                membership = Membership.objects.create(user=user, role=role)
        except IntegrityError:
            membership = Membership.objects.get(user=user)
    if membership.role_id != role.pk or membership.disabled_at:
        raise Conflict("This person is a member already; change their role in the list.", code="is_member")
    return Invited(membership, needs_password=may_have_link(membership))


def _new_user(*, email: str, name: str) -> User:
    try:
        with transaction.atomic():
            made: User = User.objects.create_user(email, name or email.partition("@")[0])
    except IntegrityError:
        there = find_user(email)
        if there is None:
            raise
        return there
    return made


def may_have_link(membership: Membership) -> bool:
    """Whether this organization may hand out a link that sets the person's password.

    Only for an account that has none and belongs to no other organization: whoever holds the link becomes them.
    """
    user: User = membership.user
    others = set(doors.orgs_of_user(user.pk)) - {membership.organization_id}
    return user.is_active and not user.has_usable_password() and not others


def _locked(public_id: str) -> tuple[Membership, list[Membership]]:
    """The member, and the live Owners, all locked so that two Owners cannot remove each other at once."""
    wanted = Q(public_id=public_id) | Q(role__name=OWNER, role__built_in=True, disabled_at=None)
    rows = lock(Membership.objects.filter(wanted).select_related("role", "user"))
    member = next((row for row in rows if row.public_id == public_id), None)
    if member is None:
        raise NotFound("That member is not here.")
    now = clock.wall()
    owners = [
        row
        for row in rows
        if row.role.built_in
        and row.role.name == OWNER
        and row.disabled_at is None
        and row.user.is_active
        and (row.valid_until is None or row.valid_until > now)
    ]
    return member, owners


def _keep_an_owner(member: Membership, owners: list[Membership]) -> None:
    if [row.pk for row in owners] == [member.pk]:
        raise LastOwner(f"{member.user.name} is the last Owner. Make somebody else Owner first.")


def change_role(public_id: str, *, role: Role) -> Membership:
    """Give a member another role. Inside work(). The same role again changes nothing.

    Raises BeyondOwnRights when the old or the new role may do more than the actor, LastOwner, NotFound.
    """
    member, owners = _locked(public_id)
    if member.role_id == role.pk:
        return member
    _guard(member.role, role)
    _keep_an_owner(member, owners)
    member.role = role
    return member.touch("role")


def set_disabled(public_id: str, *, disabled: bool) -> Membership:
    """Shut a member out, or let them in again; they keep their account. Inside work(). Again changes nothing.

    Raises BeyondOwnRights when the member may do more than the actor, LastOwner, NotFound.
    """
    member, owners = _locked(public_id)
    if bool(member.disabled_at) == disabled:
        return member
    _guard(member.role)
    if disabled:
        _keep_an_owner(member, owners)
    member.disabled_at = clock.wall() if disabled else None
    return member.touch("disabled_at")

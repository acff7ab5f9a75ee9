"""Asking people in: by a mail whose link proves the address, until it is accepted, withdrawn or too old.

The token is derived from the invitation's row and the secret key, so that the mail can be written again while a
dump of the database opens nothing.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse

from core import clock, doors
from core.errors import Conflict, Invalid, NotFound
from core.events import emit
from core.locks import lock_one
from core.models import Organization
from core.sandbox import require_own_people
from core.scope import Actor, Scope, current, enter, work
from tenants.events import MemberInvited, MemberJoined
from tenants.models import Invitation, Membership, Role, User
from tenants.services.accounts import find_user
from tenants.services.guard import require_givable
from tenants.services.members import require_times
from tenants.services.seats import require_seat
from tenants.services.temporary import watch

LIFE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Asked:
    """An invitation as its link opens it."""

    scope: Scope
    organization: Organization
    invitation: Invitation


def invite(
    *, email: str, role: Role, name: str = "", starts: datetime | None = None, ends: datetime | None = None
) -> Invitation:
    """Ask a person to become a member with a role, for the time from `starts` to `ends`. Inside work().

    Natural key: the address among open invitations; the same one sent again is answered the same. Emits
    MemberInvited, which sends the mail. Raises BeyondOwnRights, Invalid, NoSeat, and Conflict when they are a member
    already or were asked for another role.
    """
    require_own_people()
    require_givable(role)
    require_times(starts, ends)
    address = email.strip().lower()
    user = find_user(address)
    if user and Membership.objects.filter(user=user).exists():
        raise Conflict("This person is a member already; change them in the list.", code="is_member")
    _end_old(address)
    given: dict[str, object] = {"role": role, "valid_from": starts, "valid_until": ends}
    if there := _there(address):
        return _the_same(there, given)
    try:
        with transaction.atomic():
            require_seat()
            made = Invitation.objects.create(
                email=address,
                name=name,
                invited_by=current().actor.label,
                expires_at=clock.wall() + LIFE,
                **given,
            )
    except IntegrityError:
        return _the_same(_there(address), given)
    emit(MemberInvited(made.public_id, made.version, address, role.public_id))
    return made


def _end_old(address: str) -> None:
    """Make room for a new invitation where the last one is too old."""
    Invitation.objects.filter(
        email=address, accepted_at=None, withdrawn_at=None, expires_at__lte=clock.wall()
    ).update(withdrawn_at=clock.wall())


def _there(address: str) -> Invitation | None:
    found: Invitation | None = (
        Invitation.objects.select_related("role")
        .filter(email=address, accepted_at=None, withdrawn_at=None)
        .first()
    )
    return found


def _the_same(there: Invitation | None, given: dict[str, object]) -> Invitation:
    if there is None or any(getattr(there, name) != value for name, value in given.items()):
        raise Conflict(
            "This person was asked already; withdraw that invitation to send another.", code="is_asked"
        )
    return there


def _open(public_id: str) -> Invitation:
    return lock_one(
        Invitation.objects.select_related("role").filter(
            public_id=public_id, accepted_at=None, withdrawn_at=None
        )
    )


def send_again(public_id: str) -> Invitation:
    """Send the mail once more and let the link live as long again. Raises BeyondOwnRights, NoSeat, NotFound.

    Inside work().
    """
    row = _open(public_id)
    require_givable(row.role)
    if row.expires_at <= clock.wall():
        require_seat()
    row.expires_at = clock.wall() + LIFE
    row.touch("expires_at")
    emit(MemberInvited(row.public_id, row.version, row.email, row.role.public_id))
    return row


def withdraw(public_id: str) -> Invitation:
    """Take an invitation back; its link opens nothing any more. Raises NotFound when there is none. Inside work()."""
    row = _open(public_id)
    row.withdrawn_at = clock.wall()
    return row.touch("withdrawn_at")


def _token(public_id: str) -> str:
    message = f"invitation:{current().organization_id}:{public_id}".encode()
    return hmac.new(settings.SECRET_KEY.encode(), message, hashlib.sha256).hexdigest()


def join_url(row: Invitation, slug: str) -> str:
    """The address in the mail. In the organization's scope."""
    return settings.BASE_URL + reverse("join-link", args=[slug, row.public_id, _token(row.public_id)])


def opened(slug: str, public_id: str, token: str) -> Asked:
    """The invitation a genuine, living link opens; NotFound for every other. Outside work()."""
    missing = NotFound("This invitation was used or withdrawn already, or it is too old. Ask for a new one.")
    organization_id = doors.org_of_slug(slug)
    if organization_id is None:
        raise missing
    scope = Scope(organization_id, Actor("link", label="invitation"), origin="page")
    with enter(scope), work():
        if not hmac.compare_digest(_token(public_id).encode(), token.encode()):
            raise missing
        row = (
            Invitation.objects.select_related("role", "organization")
            .filter(public_id=public_id, accepted_at=None, withdrawn_at=None, expires_at__gt=clock.wall())
            .first()
        )
    if row is None:
        raise missing
    return Asked(scope, row.organization, row)


def accept(asked: Asked, *, user: User) -> Membership:
    """Make the person a member. Natural key: the invitation; outside work(), its own transaction.

    Raises Invalid when the account has another address than the invitation, NotFound when it was used meanwhile.
    """
    if user.email.strip().lower() != asked.invitation.email:
        raise Invalid(f"This invitation is for {asked.invitation.email}; you are signed in as {user.email}.")
    actor = Actor("member", user.pk, user.name)
    with enter(Scope(asked.scope.organization_id, actor, origin="page")), work():
        row = _open(asked.invitation.public_id)
        member = Membership.objects.create(
            user=user, role=row.role, valid_from=row.valid_from, valid_until=row.valid_until
        )
        watch(member)
        row.accepted_at = clock.wall()
        row.touch("accepted_at")
        emit(MemberJoined(row.public_id, row.version, member.public_id, row.role.public_id))
    return member

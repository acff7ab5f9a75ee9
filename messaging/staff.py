"""Mails to the people who work with the product, as against those to customers."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core import clock
from core.models import OutboxEvent
from core.registry import handles
from core.templatetags.fmt import longdate
from messaging.composers import Answer, Ready, Skip, composer
from messaging.domain.letters import Letter
from messaging.services.queue import Draft, queue_for_event
from tenants.events import AccessEnding, MemberInvited, PasswordAsked
from tenants.permissions import MEMBERS_EDIT
from tenants.rights import holders_of
from tenants.selectors import entity, invitation, membership, organization, person
from tenants.services.accounts import password_url
from tenants.services.invitations import join_url

INVITATION, PASSWORD, ENDING = "invitation", "password", "access_ending"


@dataclass(frozen=True, kw_only=True)
class Invited(Letter):
    """Somebody is asked to become a member; `ends` is the last day of temporary access."""

    template: ClassVar[str] = "invitation"

    invited_by: str
    role: str
    expires: str
    join_url: str
    ends: str = ""


@handles(MemberInvited)
def mail_invitations(rows: list[OutboxEvent]) -> None:
    """Queue the mail of each invitation, once for each time it was sent."""
    events = [MemberInvited.of(row) for row in rows]
    queue_for_event(
        [
            Draft(INVITATION, event.object_id, to=event.email, dedupe=str(event.object_version))
            for event in events
        ]
    )


@composer(INVITATION, _("Invitation"))
def compose_invitation(message: Any) -> Answer:
    """The invitation with its link; nothing when it was withdrawn, accepted or sent anew meanwhile."""
    row = invitation(message.about)
    if row is None or row.expires_at <= clock.wall():
        return Skip("The invitation was withdrawn or used before it was sent.")
    house = organization()
    return Ready(
        Invited(
            organization_name=house.name,
            customer_name=row.name or row.email,
            invited_by=row.invited_by,
            role=row.role.name,
            expires=longdate(row.expires_at),
            join_url=join_url(row, house.slug),
            ends=longdate(row.valid_until) if row.valid_until else "",
        )
    )


@dataclass(frozen=True, kw_only=True)
class PasswordForgotten(Letter):
    """A link to set a new password."""

    template: ClassVar[str] = "password"

    set_url: str


@handles(PasswordAsked)
def mail_password_links(rows: list[OutboxEvent]) -> None:
    """Queue the mail, once for each time it was asked for."""
    queue_for_event(
        [Draft(PASSWORD, row.object_public_id, to=row.payload["email"], dedupe=row.public_id) for row in rows]
    )


@composer(PASSWORD, _("New password"))
def compose_password(message: Any) -> Answer:
    """The link, made at the moment it is sent."""
    user = person(message.about)
    if user is None or not user.is_active:
        return Skip("The account is gone.")
    return Ready(
        PasswordForgotten(
            organization_name=organization().name, customer_name=user.name, set_url=password_url(user)
        )
    )


@dataclass(frozen=True, kw_only=True)
class AccessEnds(Letter):
    """Temporary access is about to end; `member` is whose, empty when it is the reader's own."""

    template: ClassVar[str] = "access_ending"

    last_day: str
    members_url: str = ""
    member: str = ""


@handles(AccessEnding)
def mail_endings(rows: list[OutboxEvent]) -> None:
    """Tell the member and those who can prolong it, once for each warning."""
    for row in rows:
        event = AccessEnding.of(row)
        member = membership(event.object_id)
        readers = {member.user.email, *(each.email for each in holders_of(MEMBERS_EDIT))}
        drafts = [
            Draft(
                ENDING,
                event.object_id,
                to=to,
                dedupe=f"{event.until}:{event.days}:{to}"[:120],
                facts={"to": to},
            )
            for to in sorted(readers)
        ]
        queue_for_event(drafts)


@composer(ENDING, _("Access ends"))
def compose_ending(message: Any) -> Answer:
    """When it ends as things are now; nothing when it does not end any more or is over."""
    member, house = membership(message.about), organization()
    until = member.valid_until
    if member.disabled_at or until is None or until <= clock.wall():
        return Skip("The access was prolonged or ended meanwhile.")
    own = member.user.email == message.to_address
    if not own and message.to_address not in {each.email for each in holders_of(MEMBERS_EDIT)}:
        return Skip("Who it is for may not change members any more.")
    last = (until - timedelta(seconds=1)).astimezone(ZoneInfo(entity().zone))
    return Ready(
        AccessEnds(
            organization_name=house.name,
            customer_name=member.user.name if own else message.to_address,
            last_day=longdate(last.date()),
            member="" if own else member.user.name,
            members_url="" if own else settings.BASE_URL + reverse("members", args=[house.slug]),
        )
    )

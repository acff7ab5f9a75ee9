"""Signing in, and whether that was from a place where the person never came from before."""

from core import doors
from core.events import emit
from core.limits import network_of
from core.scope import Actor, Scope, enter, work
from tenants.events import SignedInElsewhere
from tenants.models import AccessEvent, Membership, User
from tenants.rights import live
from tenants.services import access
from tenants.services.access import Caller

CAME_IN = ("signed_in", "joined")


def signed_in(caller: Caller, user: User) -> None:
    """Log the sign-in and make a new place known, in one transaction. Outside work(). Emits member.new_place.

    A place is new when none of the person's organizations saw them come from it; the first one of all says nothing. One
    organization alone makes it known, so that there is one mail, however many the person belongs to.
    """
    known, teller = _seen(user)
    if teller is None or not known or network_of(caller.address) in known:
        access.at_the_door("signed_in", caller, user)
        return
    actor = Actor("member", user.pk, user.name)
    scope = Scope(teller.organization_id, actor, origin="page", request_id=caller.request_id)
    with enter(scope), work():
        access.at_the_door("signed_in", caller, user)
        emit(SignedInElsewhere(teller.public_id, teller.version, request=caller.request_id))


def _seen(user: User) -> tuple[set[str], Membership | None]:
    """The places that the person came from, and the oldest membership through which they can be told."""
    known: set[str] = set()
    teller: Membership | None = None
    for organization_id in doors.orgs_of_user(user.pk):
        with enter(Scope(organization_id, Actor("member", user.pk, user.name), origin="page")), work():
            if teller is None:
                teller = live().filter(user=user).first()
            lines = AccessEvent.objects.filter(user=user, kind__in=CAME_IN)
            known |= {network_of(each) for each in lines.values_list("address", flat=True).distinct()}
    return known, teller

"""The access log: sign-ins, failures, refusals, files taken along. Never what was typed, no token, no query."""

from dataclasses import dataclass

from django.http import HttpRequest

from core import clock, doors
from core.limits import client_address
from core.scope import Actor, Scope, current, enter, work
from tenants.models import AccessEvent, User

_AGENT, _DETAIL = 200, 200


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request came from."""

    address: str
    agent: str
    request_id: str


def caller(request: HttpRequest) -> Caller:
    """The request's address, program and id, as the log may hold them."""
    agent = "".join(char for char in request.headers.get("User-Agent", "")[:_AGENT] if char.isprintable())
    return Caller(client_address(request)[:45], agent, str(getattr(request, "request_id", "")))


def at_the_door(kind: str, caller: Caller, user: User | None) -> None:
    """Something that belongs to no organization: signed_in, sign_in_failed, signed_out, password_set, key_wrong.

    Each organization in which the person is a member is told. Where there is none, or nobody knows them, it is kept
    apart, without what was typed: people type passwords into the wrong field.
    """
    doors.note_access(
        kind,
        user_id=user.pk if user else None,
        who=user.name if user else "",
        address=caller.address,
        agent=caller.agent,
        request_id=caller.request_id,
    )


def inside(kind: str, caller: Caller, *, detail: str = "") -> None:
    """Something in the scope's organization, done by its actor: refused, exported, key_first. Inside work()."""
    actor = current().actor
    AccessEvent.objects.create(
        kind=kind,
        user_id=actor.id if actor.kind == "member" else None,
        who=actor.label[:200],
        at=clock.wall(),
        address=caller.address,
        agent=caller.agent,
        request_id=caller.request_id,
        detail=detail[:_DETAIL],
    )


def joined(caller: Caller, organization_id: int, user: User) -> None:
    """The person accepted an invitation; only that organization is told. Outside work()."""
    with enter(Scope(organization_id, Actor("member", user.pk, user.name), origin="page")), work():
        inside("joined", caller)


def key_refused(caller: Caller, organization_id: int | None) -> None:
    """A key that opens nothing: told to the organization whose it was, else kept apart. Outside work()."""
    if organization_id is None:
        return at_the_door("key_wrong", caller, None)
    with enter(Scope(organization_id, Actor("key"), origin="api")), work():
        inside("key_wrong", caller)
    return None

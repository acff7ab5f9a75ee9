"""Signed links that were mailed: what opens a customer's document without an account.

The token is derived from the link's row and the secret key, so it can be put into a mail again, while the database
holds only its hash: a dump opens nothing.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import timedelta

from django.conf import settings
from django.urls import reverse

from core import bulk, clock, doors
from core.errors import NotFound
from core.scope import Actor, Scope, current, enter, work
from core.tasks import system_scope
from customers.models import Link

LIFE = timedelta(days=400)
PAY = "pay"
SUBSCRIPTION = "subscription"
CARD = "card"
_PAGES = {PAY: "pay-link", SUBSCRIPTION: "own-link", CARD: "card-link"}
_LABELS = {PAY: "pay link", SUBSCRIPTION: "link of a subscription", CARD: "link of a card"}


@dataclass(frozen=True, slots=True)
class OpenedLink:
    """A link that is genuine and alive: the scope it opens and the public id it is about."""

    scope: Scope
    target: str
    customer_id: int


def _token(link_id: int) -> str:
    message = f"link:{current().organization_id}:{link_id}".encode()
    digest = hmac.new(settings.SECRET_KEY.encode(), message, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def digest(token: str) -> str:
    """What the database knows of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def token_for(*, purpose: str, target: str, customer_id: int) -> str:
    """The token of the live link for an object, the link being made when there is none. Inside work()."""
    link = (
        Link.objects.filter(
            purpose=purpose,
            target=target,
            customer_id=customer_id,
            revoked_at=None,
            expires_at__gt=clock.wall(),
        )
        .order_by("-id")
        .first()
    )
    if link is None:
        (link_id,) = bulk.reserve_ids(Link, 1)
        link = Link.objects.create(
            pk=link_id,
            purpose=purpose,
            target=target,
            customer_id=customer_id,
            digest=digest(_token(link_id)),
            expires_at=clock.wall() + LIFE,
        )
    return _token(link.pk)


def link_path(purpose: str, target: str, customer_id: int) -> str:
    """Where a customer opens an object (public id), on this very site; the same each time it is asked for.

    Inside work().
    """
    token = token_for(purpose=purpose, target=target, customer_id=customer_id)
    return reverse(_PAGES[purpose], args=[token])


def link_url(purpose: str, target: str, customer_id: int) -> str:
    """The same as an address for a mail or a program. Inside work()."""
    return f"{settings.BASE_URL}{link_path(purpose, target, customer_id)}"


def open_link(token_digest: str, *, purpose: str, request_id: str = "") -> OpenedLink:
    """What a link opens, found by the hash of its token; raises NotFound when unknown, over, or for another purpose."""
    organization_id = doors.org_of_link(token_digest)
    if organization_id is None:
        raise NotFound("This link is no longer valid.")
    scope = system_scope(organization_id, origin="portal", label=_LABELS[purpose])
    with enter(scope), work():
        link = Link.objects.filter(digest=token_digest, purpose=purpose, revoked_at=None).first()
    if link is None or link.expires_at <= clock.wall():
        raise NotFound("This link is no longer valid.")
    scope = replace(scope, actor=Actor("link", link.pk, _LABELS[purpose]), request_id=request_id)
    return OpenedLink(scope, link.target, link.customer_id)

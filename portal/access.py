"""The one way from a link to what it opens. Everything else in the portal asks here, and gets it or 404."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from core import registry
from core.errors import NotFound
from core.scope import enter
from customers.services.links import CARD as OWN_CARD
from customers.services.links import PAY, SUBSCRIPTION, digest, open_link

SECONDS = 24 * 60 * 60

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Door:
    """What links of one purpose open: the page called `page`, by a cookie bound to its address."""

    purpose: str
    cookie: str
    page: str

    @property
    def salt(self) -> str:
        return f"portal.{self.cookie}"

    def exchange(self, request: HttpRequest, token: str) -> HttpResponse:
        """Exchange the link for a cookie bound to what it opens, so that the token leaves the address bar."""
        hashed = digest(token)
        link = open_link(hashed, purpose=self.purpose)
        address = reverse(self.page, args=[link.target])
        response = redirect(address)
        response.set_signed_cookie(
            self.cookie,
            hashed,
            salt=self.salt,
            max_age=SECONDS,
            path=address,
            httponly=True,
            samesite="Lax",
            secure=request.is_secure(),
        )
        response["Referrer-Policy"] = "no-referrer"
        response["Cache-Control"] = "no-store"
        return response

    def behind(self, view: View) -> View:
        """Decorate a page of one object: the cookie names a live link for exactly this one, else 404.

        The view runs in the link's scope and opens its own work(); the link carries no permission of a member.
        """
        registry.views[f"{view.__module__}.{view.__qualname__}"] = "open: a signed link bound to one object"

        @wraps(view)
        def run(request: HttpRequest, target: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
            hashed = request.get_signed_cookie(self.cookie, default=None, salt=self.salt, max_age=SECONDS)
            if not hashed:
                raise NotFound("Open the link in your e-mail again.")
            link = open_link(hashed, purpose=self.purpose, request_id=getattr(request, "request_id", ""))
            if link.target != target:
                raise NotFound("This link is no longer valid.")
            with enter(link.scope):
                response = view(request, target, *args, **kwargs)
            response.setdefault("Cache-Control", "private, no-store")
            # Not no-referrer: browsers then send the form with `Origin: null`, which the forgery check refuses.
            response.setdefault("Referrer-Policy", "same-origin")
            return response

        run.permission = ""  # type: ignore[attr-defined]
        return run


PAYING = Door(PAY, "pay", "pay")
OWN = Door(SUBSCRIPTION, "own", "own-subscription")
CARD = Door(OWN_CARD, "card", "own-card")

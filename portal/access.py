"""The one way from a link to what it opens. Everything else in the portal asks here, and gets it or 404."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from core import registry
from core.errors import NotFound
from core.scope import enter
from customers.services.links import PAY, OpenedLink, open_link

COOKIE = "pay"
SALT = "portal.pay"
SECONDS = 24 * 60 * 60

View = Callable[..., HttpResponseBase]


def pay_page(view: View) -> View:
    """Decorate a page of one document: the cookie names a live link for exactly this document, else 404.

    The view runs in the link's scope and opens its own work(); the link carries no permission of a member.
    """
    registry.views[f"{view.__module__}.{view.__qualname__}"] = "open: a signed link bound to one document"

    @wraps(view)
    def run(request: HttpRequest, document: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        link = _link(request)
        if link.target != document:
            raise NotFound("This link is no longer valid.")
        with enter(link.scope):
            response = view(request, document, *args, **kwargs)
        response.setdefault("Cache-Control", "private, no-store")
        # Not no-referrer: browsers then send the form with `Origin: null`, which the forgery check refuses.
        response.setdefault("Referrer-Policy", "same-origin")
        return response

    run.permission = ""  # type: ignore[attr-defined]
    return run


def _link(request: HttpRequest) -> OpenedLink:
    digest = request.get_signed_cookie(COOKIE, default=None, salt=SALT, max_age=SECONDS)
    if not digest:
        raise NotFound("Open the link in your e-mail again.")
    return open_link(digest, purpose=PAY, request_id=getattr(request, "request_id", ""))

"""Opens the scope for staff pages from the address and the membership; opens no transaction."""

from collections.abc import Callable

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse

from core import doors
from core.scope import enter, work
from tenants.selectors import seat_of
from tenants.services import access
from tenants.services.sandbox import stand_in

PREFIX = "/o/"


REFUSED = 403


class SeatMiddleware:
    """`/o/<slug>/…` answers members only; for everybody else it is not there."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return self._as_member(request)

    def _as_member(self, request: HttpRequest) -> HttpResponse:
        slug = request.path_info[len(PREFIX) :].split("/", 1)[0]
        organization_id = doors.org_of_slug(slug)
        seat = organization_id and seat_of(
            request.user,  # type: ignore[arg-type]
            organization_id,
            origin="page",
            request_id=request.request_id,  # type: ignore[attr-defined]
        )
        if not seat:
            raise Http404
        if seat.organization.live_twin_id:
            stand_in(seat)
        request.seat = seat  # type: ignore[attr-defined]
        with enter(seat.scope):
            response = self.get_response(request)
            _note(request, response)
        response.setdefault("Cache-Control", "private, no-store")
        return response


def _note(request: HttpRequest, response: HttpResponse) -> None:
    """Log what a member was refused and which files they took along: the page's name, never what was asked of it."""
    page = request.resolver_match.url_name if request.resolver_match else ""
    if response.status_code == REFUSED:
        with work():
            access.inside(
                "refused", access.caller(request), detail=f"{page}: {request.method} {request.path}"
            )
    elif response.headers.get("Content-Disposition", "").startswith("attachment"):
        with work():
            access.inside("exported", access.caller(request), detail=f"{page}: {request.path}")

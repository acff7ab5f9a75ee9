"""Request ids, and the one place where errors become pages."""

from collections.abc import Callable
from typing import Any

from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from psycopg2 import errorcodes

from core import ids
from core.errors import AppError, Busy, NotFound

GetResponse = Callable[[HttpRequest], HttpResponse]
_PAGES = {403, 404, 409, 429, 503}


class TooSlow(AppError):
    """A statement ran into its time limit."""

    status = 503
    code = "too_slow"


class RequestIdMiddleware:
    """Gives each request an id that is in the answer, the log, the audit and every error page."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.request_id = ids.new("req")  # type: ignore[attr-defined]
        response = self.get_response(request)
        response["Request-Id"] = request.request_id  # type: ignore[attr-defined]
        return response


class ErrorMiddleware:
    """Translates AppError and a lock not had in time into the matching page."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, OperationalError) and is_lock_timeout(error):
            error = Busy("Somebody else is working on this. Nothing was changed; try again.")
        if isinstance(error, OperationalError) and pgcode(error) == errorcodes.QUERY_CANCELED:
            error = TooSlow("This took too long and was stopped. Nothing was changed; try again.")
        if not isinstance(error, AppError):
            return None
        if isinstance(error, NotFound):
            raise Http404(error.message)
        status = error.status if error.status in _PAGES else 409
        return render(request, f"{status}.html", {"error": error}, status=error.status)


def is_lock_timeout(error: OperationalError) -> bool:
    """Whether the server gave up waiting for a lock: it took too long, or two waited for each other."""
    return pgcode(error) in {errorcodes.LOCK_NOT_AVAILABLE, errorcodes.DEADLOCK_DETECTED}


def pgcode(error: OperationalError) -> Any:
    """The server's five-character code of an error, or None."""
    return getattr(error.__cause__, "pgcode", None)

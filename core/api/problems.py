"""Refusals as problem details (RFC 9457): one shape for every error of the API, made in one place."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from psycopg2 import errorcodes
from rest_framework import exceptions as drf

from core.errors import AppError, Busy
from core.middleware import is_lock_timeout, pgcode

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    412: "Changed meanwhile",
    413: "Too large",
    415: "Unsupported media type",
    422: "Not acceptable as it is",
    429: "Too many requests",
    500: "Our fault",
    502: "No answer from another system",
    503: "Not available",
}


class BadRequest(AppError):
    """The request itself cannot be read."""


class Unauthenticated(AppError):
    """No key, or one that opens nothing."""

    status = 401
    code = "unauthenticated"


class Precondition(AppError):
    """The object is not at the version that If-Match names."""

    status = 412
    code = "version_mismatch"


class TooLarge(AppError):
    """The body is larger than is read."""

    status = 413
    code = "too_large"


def problem(
    request: HttpRequest,
    *,
    status: int,
    code: str,
    detail: str,
    errors: list[dict[str, str]] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> JsonResponse:
    """The answer for a refusal. `errors` name a field each by a JSON pointer."""
    body: dict[str, Any] = {
        "type": f"/api/docs/errors/#{code}",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": getattr(request, "request_id", ""),
    }
    if errors:
        body["errors"] = errors
    answer = JsonResponse({**dict(extra or {}), **body}, status=status, content_type=MEDIA_TYPE)
    if status == Unauthenticated.status:
        answer["WWW-Authenticate"] = 'Bearer realm="api"'
    return answer


def answer_for(request: HttpRequest, error: Exception) -> JsonResponse | None:
    """The problem an exception is, or None for one that is a fault of ours."""
    known = _known(error)
    return refusal(request, known) if isinstance(known, AppError) else _of_framework(request, error)


def refusal(request: HttpRequest, error: AppError) -> JsonResponse:
    """The problem that a refusal of ours is."""
    answer = problem(
        request,
        status=error.status,
        code=error.code,
        detail=str(error.message),
        errors=_fields(error),
        extra=_plain(error.extra),
    )
    if isinstance(error, Busy):
        answer["Retry-After"] = "1"
    elif "retry_after" in error.extra:
        answer["Retry-After"] = str(error.extra["retry_after"])
    return answer


def _known(error: Exception) -> Exception:
    if isinstance(error, OperationalError):
        if is_lock_timeout(error):
            return Busy("Somebody else is working on this. Nothing was changed; try again.")
        if pgcode(error) == errorcodes.QUERY_CANCELED:
            slow = AppError("This took too long and was stopped. Nothing was changed.", code="too_slow")
            slow.status = 503
            return slow
    if isinstance(error, RequestDataTooBig):
        return TooLarge("The body is larger than one megabyte.")
    if isinstance(error, SuspiciousOperation):
        return BadRequest("The request cannot be read.")
    return error


def _fields(error: AppError) -> list[dict[str, str]]:
    return [
        {"pointer": "/" + name.replace(".", "/"), "message": str(message)}
        for name, message in error.fields.items()
    ]


def _plain(extra: Mapping[str, Any]) -> dict[str, Any]:
    """What of an error's facts a program may see: plain values only."""
    return {name: value for name, value in extra.items() if isinstance(value, str | int | bool | None)}


_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 415: "unsupported_media_type"}


def _of_framework(request: HttpRequest, error: Exception) -> JsonResponse | None:
    if isinstance(error, drf.ValidationError):
        found = list(pointers(error.detail))
        return problem(
            request, status=422, code="invalid", detail="Some fields are not acceptable.", errors=found
        )
    if isinstance(error, Http404):
        return problem(request, status=404, code="not_found", detail="That is not here.")
    if isinstance(error, drf.APIException):
        code = _CODES.get(error.status_code, str(error.default_code))
        return problem(request, status=error.status_code, code=code, detail=str(error.detail))
    return None


def pointers(detail: Any, path: str = "") -> Any:
    """Each message of nested validation errors with the JSON pointer of its field."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else "/" + str(name).replace("~", "~0").replace("/", "~1")
            yield from pointers(inner, path + own)
    elif isinstance(detail, list):
        for place, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list)
            yield from pointers(inner, f"{path}/{place}" if nested else path)
    else:
        yield {"pointer": path, "message": str(detail)}

"""Opens the scope for the API from the key, and answers for what happens before and after an operation."""

import json
import logging
import time
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse

from core.api.problems import MEDIA_TYPE, BadRequest, Unauthenticated, answer_for, problem, refusal
from core.errors import AppError
from core.limits import Allowance, client_address, spend
from core.scope import enter, work
from tenants.services import access, keys, requests
from tenants.services.keys import Opened

log = logging.getLogger(__name__)

PREFIX = "/api/v1/"
VERSION_HEADER = "Api-Version"
PER_KEY, PER_ORGANIZATION, WINDOW = 1200, 3000, 60
WRONG_KEYS = 60
_KEPT_BODY = 20_000


class KeyMiddleware:
    """`/api/v1/…` answers programs that hold a key; every refusal is a problem, also those of the framework."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        try:
            opened = _opened(request)
        except AppError as error:
            return refusal(request, error)
        return self._with_key(request, opened)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A fault of ours is said as one, without what it was."""
        if not request.path_info.startswith(PREFIX):
            return None
        answer = answer_for(request, error)
        if answer is None:
            log.error("An API request failed", exc_info=error)
            answer = problem(request, status=500, code="internal", detail="Something failed on our side.")
        return answer

    def _with_key(self, request: HttpRequest, opened: Opened) -> HttpResponse:
        began = time.perf_counter()
        with enter(opened.scope):
            allowance: Allowance | None = None
            try:
                _require_version(request)
                allowance = _spend(opened)
                answer = self._answered(request)
            except AppError as error:
                answer = refusal(request, error)
            _note(request, answer, opened, milliseconds=int((time.perf_counter() - began) * 1000))
        answer[VERSION_HEADER] = request.headers.get(VERSION_HEADER) or opened.key.api_version
        answer["Cache-Control"] = "private, no-store"
        if allowance:
            _say_limits(answer, allowance)
        return answer

    def _answered(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        if answer.status_code >= 400 and answer.headers.get("Content-Type") != MEDIA_TYPE:  # noqa: PLR2004
            code = "not_found" if answer.status_code == 404 else "error"  # noqa: PLR2004
            return problem(request, status=answer.status_code, code=code, detail="There is no such address.")
        return answer


def _opened(request: HttpRequest) -> Opened:
    """The key of the request; raises Unauthenticated, and TooMany for one address with many wrong keys."""
    address = client_address(request)
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Unauthenticated("Send your key as `Authorization: Bearer sk_…`.", code="no_key")
    request_id = request.request_id  # type: ignore[attr-defined]
    opened = keys.opened(secret.strip(), address=address, request_id=request_id)
    if opened is None:
        spend("wrong-key", address, limit=WRONG_KEYS, seconds=WINDOW)
        access.key_refused(access.caller(request), keys.organization_of(secret.strip()))
        raise Unauthenticated("This key opens nothing.", code="wrong_key")
    return opened


def _require_version(request: HttpRequest) -> None:
    wanted = request.headers.get(VERSION_HEADER)
    if wanted and wanted not in keys.VERSIONS:
        raise BadRequest(f"{VERSION_HEADER} is one of: {', '.join(keys.VERSIONS)}.", code="unknown_version")


def _spend(opened: Opened) -> Allowance:
    organization_id = opened.scope.organization_id
    spend("api-organization", str(organization_id), limit=PER_ORGANIZATION, seconds=WINDOW)
    return spend("api-key", str(opened.key.pk), limit=PER_KEY, seconds=WINDOW)


def _say_limits(answer: HttpResponse, allowance: Allowance) -> None:
    left = max(0, allowance.left)
    answer["RateLimit-Policy"] = f'"key";q={allowance.limit};w={allowance.seconds}'
    answer["RateLimit"] = f'"key";r={left};t={allowance.reset}'
    answer["X-RateLimit-Limit"] = str(allowance.limit)
    answer["X-RateLimit-Remaining"] = str(left)
    answer["X-RateLimit-Reset"] = str(allowance.reset)


def _note(request: HttpRequest, answer: HttpResponse, opened: Opened, *, milliseconds: int) -> None:
    """Log the request; that it could not be logged never changes what was answered."""
    try:
        with work(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit TO off")  # a log; a crash may cost its last lines
            use = keys.note_use(opened.key, client_address(request))
            if use.of_minute:
                requests.remember_to_forget()
            if use.first:
                access.inside("key_first", access.caller(request), detail=opened.key.name)
            if kind := _told(answer):
                access.inside(kind, access.caller(request), detail=f"{request.method} {request.path}"[:200])
            requests.note(
                opened.key,
                request_id=request.request_id,  # type: ignore[attr-defined]
                method=str(request.method),
                path=request.path_info,
                query=request.META.get("QUERY_STRING", ""),
                status=answer.status_code,
                milliseconds=milliseconds,
                address=client_address(request),
                body=_json(getattr(request, "_body", b"")),
                problem=_json(answer.content) if answer.status_code >= 400 else None,  # noqa: PLR2004
            )
    except Exception:
        log.exception("An API request could not be logged")


def _told(answer: HttpResponse) -> str:
    """What of an answer the access log is told: a refusal for want of a right, a file that was taken along."""
    if answer.status_code == 403:  # noqa: PLR2004
        return "refused"
    taken = answer.headers.get("Content-Disposition", "").startswith("attachment")
    return "exported" if taken else ""


def _json(text: bytes) -> Any:
    if not text or len(text) > _KEPT_BODY:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None

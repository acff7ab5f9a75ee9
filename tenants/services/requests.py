"""The log of API requests: what was asked and answered, with secrets and long texts cut out, for thirty days."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from core import clock, effects
from core.models import IdempotencyKey
from core.scope import work
from tenants.models import ApiKey, ApiRequest

KEPT = timedelta(days=30)
FORGET_AFTER = KEPT + timedelta(days=1)
_LONGEST, _DEEPEST, _MOST = 200, 6, 50
_AT_ONCE = 2000
FORGET = "api.forget"
_SECRET = ("secret", "password", "token", "iban", "account", "card", "cvc")
CUT = "[cut]"


def redacted(value: Any, depth: int = 0) -> Any:
    """The value with what is named like a secret, and what is long or deep, cut out."""
    if depth > _DEEPEST:
        return CUT
    if isinstance(value, Mapping):
        return {
            str(name)[:80]: CUT if _is_secret(str(name)) else redacted(inner, depth + 1)
            for name, inner in list(value.items())[:_MOST]
        }
    if isinstance(value, list):
        return [redacted(inner, depth + 1) for inner in value[:_MOST]]
    if isinstance(value, str):
        text = value.replace("\0", "").encode("utf-8", "replace").decode()
        return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    return value if isinstance(value, int | float | None) else str(value)[:_LONGEST]


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET)


def note(
    key: ApiKey,
    *,
    request_id: str,
    method: str,
    path: str,
    query: str,
    status: int,
    milliseconds: int,
    address: str,
    body: Any,
    problem: Any,
) -> None:
    """Write one request into the log. Inside work()."""
    ApiRequest.objects.create(
        key=key,
        request_id=request_id,
        at=clock.wall(),
        method=method[:7],
        path=redacted(path)[:300],
        query=redacted(query)[:500],
        status=status,
        code=str(problem.get("code", ""))[:60] if isinstance(problem, Mapping) else "",
        milliseconds=milliseconds,
        address=address[:45],
        body=redacted(body) if body is not None else None,
        problem=redacted(problem) if problem is not None else None,
    )


def remember_to_forget() -> None:
    """Make due, once for a day with requests, that what is of this day is deleted when it is old. Inside work()."""
    now = clock.wall()
    effects.due(FORGET, [(now.date().isoformat(), {})], at=clock.now() + FORGET_AFTER)


def too_early(day: str) -> timedelta:
    """How long the requests of a day (ISO, real time) are still kept; zero or less when they are old."""
    return datetime.combine(date.fromisoformat(day), time(), UTC) + FORGET_AFTER - clock.wall()


def forget_old() -> None:
    """Delete requests, and answers kept for repeated ones, older than KEPT, in batches. Outside work()."""
    while True:
        with work():
            before = clock.wall() - KEPT
            done = 0
            for rows in (
                ApiRequest.objects.filter(at__lt=before),
                IdempotencyKey.objects.filter(at__lt=before),
            ):
                old = list(rows.order_by("at").values_list("pk", flat=True)[:_AT_ONCE])
                done += rows.filter(pk__in=old).delete()[0]
        if not done:
            return

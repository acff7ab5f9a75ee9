"""The log of API requests: what was asked and answered, with secrets and long texts cut out, for thirty days."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from core import clock
from tenants.models import ApiKey, ApiRequest

KEPT = timedelta(days=30)
_LONGEST, _DEEPEST, _MOST = 200, 6, 50
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


def forget_old(*, at_most: int = 5000) -> int:
    """Delete requests older than KEPT, so many at a time; returns how many. Inside work()."""
    old = ApiRequest.objects.filter(at__lt=clock.wall() - KEPT).order_by("at")[:at_most]
    return int(ApiRequest.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()[0])

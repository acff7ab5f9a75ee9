"""The API as people read it, made from the OpenAPI document and from the refusals in the code."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.utils.text import slugify

from arapp.api.changes import METHODS
from core.api.schema import document
from core.errors import AppError

_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a body or an answer; `inside` are those of an object or of a list of objects."""

    name: str
    kind: str
    required: bool
    says: str
    inside: tuple["Field", ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation."""

    anchor: str
    method: str
    path: str
    summary: str
    says: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    answer: tuple[Field, ...]
    status: str
    call: str


@dataclass(frozen=True, slots=True)
class Part:
    """The operations about one thing, and its place among the pages of the reference."""

    name: str
    slug: str
    entries: tuple[Entry, ...]


@cache
def parts() -> tuple[Part, ...]:
    """The reference, one part for each tag in the order of the document."""
    found: dict[str, list[Entry]] = {}
    whole = document()
    for path, methods in whole["paths"].items():
        for method in METHODS:
            if method in methods:
                found.setdefault(methods[method]["tags"][0], []).append(
                    _entry(whole, path, method, methods[method])
                )
    return tuple(Part(name, slugify(name), tuple(entries)) for name, entries in sorted(found.items()))


def _entry(whole: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> Entry:
    status = next(code for code in operation["responses"] if code.startswith("2"))
    body = _content(operation.get("requestBody", {}))
    return Entry(
        anchor=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"].removesuffix("."),
        says=operation.get("description", "").replace("`", ""),
        parameters=tuple(
            Field(
                each["name"],
                _kind(whole, each["schema"]),
                each.get("required", False),
                each.get("description", ""),
            )
            for each in operation.get("parameters", [])
        ),
        body=tuple(_fields(whole, body, 1)),
        answer=tuple(_fields(whole, _content(operation["responses"][status]), 1)),
        status=status,
        call=_call(whole, method, path, operation),
    )


def _content(holder: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = holder.get("content", {}).get("application/json", {}).get("schema", {})
    return found


def _resolved(whole: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = whole["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def _fields(whole: dict[str, Any], schema: dict[str, Any], depth: int) -> Iterator[Field]:
    schema = _resolved(whole, schema)
    if schema.get("type") == "array":
        schema = _resolved(whole, schema["items"])
    required = set(schema.get("required", []))
    for name, each in schema.get("properties", {}).items():
        inside = tuple(_fields(whole, each, depth + 1)) if depth < _DEPTH else ()
        yield Field(
            name, _kind(whole, each), name in required, each.get("description", "").replace("`", ""), inside
        )


def _kind(whole: dict[str, Any], schema: dict[str, Any]) -> str:
    """What a value is, in a few words."""
    schema = _resolved(whole, schema)
    if "const" in schema:
        return f"“{schema['const']}”"
    if "enum" in schema:
        return " or ".join(f"“{each}”" for each in schema["enum"])
    several = schema.get("oneOf") or schema.get("anyOf") or []
    if several:
        return " or ".join(dict.fromkeys(_kind(whole, each) for each in several))
    kinds = schema.get("type", "object")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "array" in kinds:
        return f"list of {_kind(whole, schema['items'])}"
    words = [{"string": schema.get("format", "text")}.get(kind, str(kind)) for kind in kinds]
    return " or ".join(words) + _range(schema)


def _range(schema: dict[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None and abs(high) < 10**9:
        return f", {low} to {high}"
    return f", up to {schema['maxLength']} characters" if "maxLength" in schema else ""


def _call(whole: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> str:
    """The operation as a command to try."""
    body = _content(operation.get("requestBody", {}))
    file = next(iter(operation.get("requestBody", {}).get("content", {})), "") if not body else ""
    lines = [f"curl https://…{path}" if method == "get" else f"curl -X {method.upper()} https://…{path}"]
    lines.append('  -H "Authorization: Bearer $KEY"')
    if method == "post":
        lines.append('  -H "Idempotency-Key: $(uuidgen)"')
    if body:
        lines.append('  -H "Content-Type: application/json"')
        lines.append(f"  -d '{json.dumps(_example(whole, body), ensure_ascii=False)}'")
    if file:
        lines += [f'  -H "Content-Type: {file}"', "  --data-binary @file.csv"]
    return " \\\n".join(lines)


def _example(whole: dict[str, Any], schema: dict[str, Any]) -> Any:
    """What is required, with something of its kind."""
    schema = _resolved(whole, schema)
    if schema.get("type") == "array":
        return [_example(whole, schema["items"])]
    if "properties" in schema:
        required = schema.get("required", [])
        return {
            name: _example(whole, each) for name, each in schema["properties"].items() if name in required
        }
    if "enum" in schema:
        return schema["enum"][0]
    kinds = {"integer": 1, "boolean": True, "object": {}}
    return kinds.get(schema.get("type", ""), "2026-11-26" if schema.get("format") == "date" else "…")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A code that a problem may carry."""

    code: str
    status: int
    says: str


_OF_THE_FRAMEWORK = (
    ("method_not_allowed", 405, "The address does not know this method; Allow names those it knows."),
    ("unsupported_media_type", 415, "The body is not JSON, or Content-Type does not say so."),
    ("internal", 500, "Something failed on our side. The request id finds it in the log."),
    ("no_key", 401, "The request carries no key."),
    ("wrong_key", 401, "The key is unknown, over, revoked, used from elsewhere, or its member has left."),
)


@cache
def refusals() -> tuple[Refusal, ...]:
    """Every kind of refusal the code knows, by code."""
    found = {code: Refusal(code, status, says) for code, status, says in _OF_THE_FRAMEWORK}
    found |= {
        kind.code: Refusal(kind.code, kind.status, " ".join((kind.__doc__ or "").split()))
        for kind in _kinds(AppError)
    }
    return tuple(found[code] for code in sorted(found))


def _kinds(kind: type[AppError]) -> list[type[AppError]]:
    return [sub for direct in kind.__subclasses__() for sub in (direct, *_kinds(direct))]

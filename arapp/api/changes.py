"""What a change of the OpenAPI document takes away from a program that was written against it before."""

from collections.abc import Iterator
from typing import Any

METHODS = ("get", "post", "put", "patch", "delete")


def breaking(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Each way in which `after` breaks a caller of `before`: what was there is gone, what was optional is required."""
    return [*_operations(before, after), *_schemas(before, after)]


def _operations(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    for path, methods in before["paths"].items():
        for method in METHODS:
            if method not in methods:
                continue
            now = after["paths"].get(path, {}).get(method)
            name = f"{method.upper()} {path}"
            if now is None:
                yield f"{name} is gone"
                continue
            yield from _parameters(name, methods[method], now)


def _parameters(name: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    had = {each["name"]: each for each in before.get("parameters", [])}
    has = {each["name"]: each for each in after.get("parameters", [])}
    for parameter in had.keys() - has.keys():
        yield f"{name} no longer takes {parameter}"
    for parameter, each in has.items():
        if each.get("required") and not had.get(parameter, {}).get("required"):
            yield f"{name} requires {parameter} now"


def _schemas(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    then, now = (each.get("components", {}).get("schemas", {}) for each in (before, after))
    for name, schema in then.items():
        if name not in now:
            continue  # whoever used it is named above, unless nobody does
        properties = now[name].get("properties", {})
        for field, kind in schema.get("properties", {}).items():
            if field not in properties:
                yield f"{name}.{field} is gone"
            elif kind.get("type") != properties[field].get("type"):
                yield f"{name}.{field} has another type"
        if now[name].get("additionalProperties") is False:  # what comes in
            for field in set(now[name].get("required", [])) - set(schema.get("required", [])):
                yield f"{name}.{field} is required now"

"""Reading the body of a request."""

import json
from collections.abc import Mapping
from typing import Any

from rest_framework.parsers import BaseParser

from core.api.problems import BadRequest

DEPTH = 32
"""How deep lists and objects of a body may lie in each other."""


class Json(BaseParser):
    """Strict JSON: what two readers could understand in two ways, or is too deep to read, is a bad request."""

    media_type = "application/json"

    def parse(self, _stream: Any, _kind: Any = None, context: Mapping[str, Any] | None = None) -> Any:
        sent: bytes = (
            context["request"].body if context else b""
        )  # Django counts what it reads, and says too large
        try:
            said = json.loads(sent.decode(), object_pairs_hook=_once_each, parse_constant=_no_such_number)
        except RecursionError as error:
            raise BadRequest("The JSON is nested too deeply.") from error
        except ValueError as error:
            raise BadRequest(f"The JSON cannot be read: {str(error)[:200]}") from error
        if _deeper(said, DEPTH):
            raise BadRequest("The JSON is nested too deeply.")
        return said


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of its members; one that comes twice would be read as the first by some and the last by others."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a field of an object came more than once")
    return members


def _no_such_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _deeper(said: Any, levels: int) -> bool:
    """Whether lists and objects lie deeper in each other than `levels`."""
    layer = [said]
    for _level in range(levels + 1):
        layer = [
            inner
            for each in layer
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not layer:
            return False
    return True

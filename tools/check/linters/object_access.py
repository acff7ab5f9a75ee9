"""Pages and API find an object through one selector per kind: it answers 404 for what the person may not see."""

import ast
from collections.abc import Iterator

from tools.check.files import Source

EDGES = frozenset({"views", "views.py", "api", "api.py"})
KEYS = frozenset({"pk", "id", "public_id", "pk__in", "id__in"})


def applies(source: Source) -> bool:
    return source.is_product and bool(EDGES & set(source.parts))


def find(source: Source) -> Iterator[tuple[int, str]]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and _fetches(node.func) and KEYS & {word.arg for word in node.keywords}:
            yield node.lineno, "find it through the app's selector, which knows who may see it"


def _fetches(function: ast.expr) -> bool:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name in {"get_object_or_404", "get_list_or_404", "aget_object_or_404"}:
        return True
    return name in {"get", "filter", "first", "aget"} and ".objects." in f"{ast.unparse(function)}."

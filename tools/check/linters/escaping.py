"""What a customer typed is shown, never run: nothing switches the templates' escaping off.

Markup made in Python goes through `format_html`, which escapes its arguments.
"""

import ast
import re
from collections.abc import Iterator

from tools.check.files import Source

MARKER = "mark_safe"
TYPES = frozenset({"SafeString", "SafeText"})
"""Fine to name as a type, not to call: calling one is the same as marking."""
_TEMPLATE = re.compile(r"\|\s*safe(?:seq)?\b|{%\s*autoescape\s+off\b|{%\s*filter\s+safe\b")


def applies(source: Source) -> bool:
    is_template = "templates" in source.parts and source.path.endswith((".html", ".txt"))
    return source.is_product or is_template


def find(source: Source) -> Iterator[tuple[int, str]]:
    yield from _in_python(source.tree) if source.is_python else _in_template(source.lines)


def _in_python(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if _marks(node):
            yield getattr(node, "lineno", 1), "use format_html, which escapes its arguments"


def _marks(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return any(alias.name == MARKER for alias in node.names)
    if isinstance(node, ast.Call):
        return getattr(node.func, "id", getattr(node.func, "attr", "")) in TYPES
    return isinstance(node, ast.Attribute) and node.attr == MARKER


def _in_template(lines: list[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, 1):
        if found := _TEMPLATE.search(line):
            yield number, f"`{found[0]}` switches escaping off"

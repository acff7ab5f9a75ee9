"""Reading SQL out of Python: the strings of a module that are not documentation."""

import ast
from collections.abc import Iterator


def strings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, text) of each string literal; an f-string is one text with `{}` where values go."""
    skipped = _documentation(tree)
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.JoinedStr):
            skipped.update(id(part) for part in node.values)
            yield node.lineno, "".join(_text(part) for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def _text(part: ast.expr) -> str:
    return str(part.value) if isinstance(part, ast.Constant) else "{}"


def _documentation(tree: ast.Module) -> set[int]:
    """Strings that stand alone as a statement: docstrings, and notes under a name."""
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }

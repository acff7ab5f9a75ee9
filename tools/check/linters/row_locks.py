"""Rows are locked in core/locks.py only: one order everywhere, or two workers wait for each other."""

import ast
from collections.abc import Iterator

from tools.check.files import Source


def applies(source: Source) -> bool:
    return source.is_python and source.path != "core/locks.py"


def find(source: Source) -> Iterator[tuple[int, str]]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and node.attr == "select_for_update":
            yield node.lineno, "lock rows through core.locks"

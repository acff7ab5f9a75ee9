"""Work to do lives in the database and core wakes its workers: a task sent from elsewhere can be lost.

A broker message that leaves before COMMIT finds no row, and one that a flush of Redis drops is never missed.
"""

import ast
from collections.abc import Iterator

from tools.check.files import Source

SENDERS = frozenset({"delay", "apply_async", "send_task"})


def applies(source: Source) -> bool:
    return source.is_product and source.parts[0] != "core"


def find(source: Source) -> Iterator[tuple[int, str]]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SENDERS:
            yield node.lineno, f"write a due row or emit an event instead of .{node.func.attr}()"

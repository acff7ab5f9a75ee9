"""A task's message carries ids and scalars by keyword: it is JSON and may be old, so the rest is loaded afresh."""

import ast
from collections.abc import Iterator

from tools.check.files import Source

SCALARS = frozenset({"int", "str", "bool"})


def applies(source: Source) -> bool:
    return source.is_product


def find(source: Source) -> Iterator[tuple[int, str]]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef) and any(map(_makes_task, node.decorator_list)):
            yield from _judge(node)


def _makes_task(decorator: ast.expr) -> bool:
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
    return name in {"task", "shared_task"} or name.endswith("_task")


def _judge(task: ast.FunctionDef) -> Iterator[tuple[int, str]]:
    given = task.args
    positional = [arg for arg in (*given.posonlyargs, *given.args) if arg.arg != "self"]
    for arg in (*positional, *filter(None, (given.vararg, given.kwarg))):
        yield arg.lineno, f"{task.name}({arg.arg}): a task takes named keyword arguments only"
    for arg in given.kwonlyargs:
        if not _is_plain(arg):
            yield arg.lineno, f"{task.name}({arg.arg}): pass an id (…_id, …_ids) or an int, str or bool"


def _is_plain(arg: ast.arg) -> bool:
    kinds = {part.strip() for part in ast.unparse(arg.annotation).split("|")} if arg.annotation else set()
    kinds.discard("None")
    if arg.arg.endswith("_ids"):
        return kinds <= {"list[int]", "list[str]"} and bool(kinds)
    return kinds <= SCALARS and bool(kinds)

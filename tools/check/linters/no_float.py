"""No binary fraction near money: 0.1 + 0.2 is not 0.3, and a cent is lost without anybody doing wrong."""

import ast
from collections.abc import Iterator

from tools.check.files import Source

FILES = frozenset({"core/money.py", "core/fx.py"})
APPS = frozenset({"ledger", "receivables"})


def applies(source: Source) -> bool:
    if not source.is_product or source.is_migration:
        return False
    is_domain = source.parts[1:2] in {("domain",), ("domain.py",)}
    return is_domain or source.parts[0] in APPS or source.path in FILES


def find(source: Source) -> Iterator[tuple[int, str]]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield node.lineno, f"{node.value!r} is binary; use int minor units or Decimal from text"
        elif isinstance(node, ast.Name) and node.id == "float":
            yield node.lineno, "float has no place near money"
        elif isinstance(node, ast.Attribute) and node.attr == "FloatField":
            yield node.lineno, "a money column is a BigIntegerField, a rate a DecimalField"

"""A session-level SET outlives its transaction: through a pooled connection it leaks an organization's scope."""

import re
from collections.abc import Iterator

from tools.check.files import Source
from tools.check.linters._strings import strings

_SET = re.compile(r"(?:^|;)\s*SET\s+(?!LOCAL\b|CONSTRAINTS\b|TRANSACTION\b)[\w.\"{]")
_ASSIGNMENT = re.compile(r"(?:^|;)\s*set\s+(?:session\s+)?[\w.]+\s*=", re.IGNORECASE)
_CONFIG = re.compile(r"set_config\s*\((?:[^()]|\([^()]*\))*,\s*false\s*\)", re.IGNORECASE)


def applies(source: Source) -> bool:
    return source.is_python and not source.is_test


def find(source: Source) -> Iterator[tuple[int, str]]:
    for line, text in strings(source.tree):
        if _SET.search(text) or _ASSIGNMENT.search(text):
            yield line, "this SET outlives the transaction; use SET LOCAL, and work() for the scope"
        if _CONFIG.search(text):
            yield line, "set_config with false outlives the transaction; pass true"

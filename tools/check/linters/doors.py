"""The functions that look across organizations are called from core/doors.py only; there is no other way round.

Their names are read from core/sql/doors.sql, so a new door is guarded from its first commit.
"""

import re
from collections.abc import Iterator
from functools import cache

from tools.check.files import ROOT, Source
from tools.check.linters._strings import strings

LIST = ROOT / "core" / "sql" / "doors.sql"
_FUNCTION = re.compile(r"CREATE\s+(?:OR\s+REPLACE\s+)?FUNCTION\s+(?:\w+\.)?(\w+)\s*\(", re.IGNORECASE)


def names_in(sql: str) -> list[str]:
    """The functions that a file of SQL creates."""
    return sorted(set(_FUNCTION.findall(sql)))


@cache
def _call() -> re.Pattern[str] | None:
    names = names_in(LIST.read_text(encoding="utf-8")) if LIST.exists() else []
    if not names:
        return None
    return re.compile(rf"\b(?:FROM|SELECT|CALL|PERFORM|JOIN|,)\s+({'|'.join(names)})\s*\(", re.IGNORECASE)


def applies(source: Source) -> bool:
    return source.is_product and source.path != "core/doors.py" and not source.is_migration


def find(source: Source) -> Iterator[tuple[int, str]]:
    call = _call()
    for line, text in strings(source.tree):
        if call and (found := call.search(text)):
            yield line, f"{found[1]}() is a door: call it through core.doors"

"""Rules of this house that no general linter knows, one module each.

A module has `applies(source)` and `find(source)`, which yields (line, sentence). A line may carry
`allow <rule>: <reason>` in a comment, where <rule> is the module's name with hyphens; the reason is required and
is what a reviewer reads.
"""

import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol, cast

from tools.check.files import Source

Finding = tuple[int, str]


class Linter(Protocol):
    """The shape of a module in this package."""

    __name__: str

    def applies(self, source: Source) -> bool: ...

    def find(self, source: Source) -> Iterator[Finding]: ...


def load() -> dict[str, Linter]:
    """Every rule by its name."""
    names = sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))
    return {name.replace("_", "-"): cast(Linter, import_module(f"{__name__}.{name}")) for name in names}


def judge(name: str, linter: Linter, source: Source) -> Iterator[Finding]:
    """What the rule finds in the file, less the lines that are allowed with a reason."""
    if not linter.applies(source):
        return
    allowed = re.compile(rf"\ballow {re.escape(name)}: \S")
    for line, sentence in linter.find(source):
        text = source.lines[line - 1] if 0 < line <= len(source.lines) else ""
        if not allowed.search(text):
            yield line, sentence


def judge_all(sources: Iterable[Source]) -> list[str]:
    """One line per finding of every rule, as `path:line: rule: sentence`."""
    rules = load()
    return [
        f"{source.path}:{line}: {name}: {sentence}"
        for source in sources
        for name, linter in rules.items()
        for line, sentence in judge(name, linter, source)
    ]

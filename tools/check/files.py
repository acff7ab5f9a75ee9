"""The files the checks look at: what is tracked or about to be, read once."""

import ast
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

BINARY = frozenset({".png", ".jpg", ".jpeg", ".gif", ".ico", ".woff2", ".pdf", ".zip", ".gz", ".mo", ".xlsx"})


@dataclass(frozen=True)
class Source:
    """One file: its path from the repository's root, with forward slashes, and its text."""

    path: str
    text: str

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.path.split("/"))

    @property
    def is_python(self) -> bool:
        return self.path.endswith(".py")

    @property
    def is_test(self) -> bool:
        return self.parts[0] == "tests"

    @property
    def is_migration(self) -> bool:
        return "migrations" in self.parts[:-1]

    @property
    def is_product(self) -> bool:
        """Python that runs in the product: no test, no developer command."""
        return self.is_python and self.parts[0] not in {"tests", "tools", "run.py"}


def repository_paths() -> list[str]:
    """Tracked files and new ones that are not ignored, so that a check speaks before the commit does."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError):  # an unpacked archive has no history
        return sorted(_walk())
    return sorted({path for path in listed.split("\0") if path and (ROOT / path).is_file()})


def _walk() -> Iterable[str]:
    hidden = {"node_modules", "staticfiles", "media", "__pycache__", "dist"}
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        if path.is_file() and not any(part in hidden or part.startswith(".") for part in parts):
            yield "/".join(parts)


def read_sources() -> list[Source]:
    """Every text file of the repository; what is not UTF-8 is nobody's source and is passed over."""
    sources = []
    for path in repository_paths():
        if Path(path).suffix in BINARY:
            continue
        try:
            sources.append(Source(path, (ROOT / path).read_text(encoding="utf-8")))
        except (UnicodeDecodeError, FileNotFoundError):
            continue
    return sources

"""The checks: what each one runs. A step is a name and a function that gives (passed, output)."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from tools.check import links, linters, sizes
from tools.check.files import ROOT, Source, read_sources

Outcome = tuple[bool, str]

# Enough to import the settings; nothing answers at these addresses and no check here needs that it does.
PLACEHOLDERS = {
    "DATABASE_URL": "postgresql://arapp_app@127.0.0.1:1/arapp",
    "DATABASE_OWNER_URL": "postgresql://arapp_owner@127.0.0.1:1/arapp",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "for-checks-only-" + "0123456789abcdef" * 3,
    "MASTER_KEYS": "none:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "DJANGO_SETTINGS_MODULE": "arapp.settings",
}
TYPED_EXTRAS = ("tools", "run.py", "manage.py")


@dataclass(frozen=True)
class Step:
    """One line of the report. `slow` steps start first, so that the short ones fill the other processor."""

    name: str
    run: Callable[[], Outcome]
    slow: bool = False


def command(*words: str, **environment: str) -> Outcome:
    """Run a program from the repository's root; passed when it says 0."""
    done = subprocess.run(
        words,
        cwd=ROOT,
        env={**PLACEHOLDERS, **os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode == 0, done.stdout.strip()


def tool(name: str) -> str:
    """A program installed beside the running Python, else the one on the path."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else name


def python_packages() -> list[str]:
    """The local apps and whatever else of ours is typed."""
    apps = sorted(path.parent.name for path in ROOT.glob("*/apps.py"))
    return [*apps, *(name for name in TYPED_EXTRAS if (ROOT / name).exists())]


def html_templates() -> list[str]:
    found = {*ROOT.glob("templates/**/*.html"), *ROOT.glob("*/templates/**/*.html")}
    return sorted(str(path.relative_to(ROOT)) for path in found)


@cache
def sources() -> tuple[Source, ...]:
    return tuple(read_sources())


def report(find: Callable[[Sequence[Source]], list[str]]) -> Outcome:
    """A check of our own over all files: passed when it finds nothing."""
    found = find(sources())
    return not found, "\n".join(found)


def mypy() -> Outcome:
    """Types. A failure is believed only without the cache, which misses modules that appeared since."""
    passed, output = command(tool("mypy"), *python_packages())
    if passed:
        return passed, output
    return command(tool("mypy"), "--cache-dir", os.devnull, *python_packages())


def djade(*options: str) -> Outcome:
    files = html_templates()
    return command(tool("djade"), "--target-version", "5.2", *options, *files) if files else (True, "")


def tidy_templates() -> Outcome:
    """djade says 1 when it has changed something; what counts is that nothing is left to change."""
    djade()
    return djade("--check")


def migrations() -> Outcome:
    """Models and migrations agree. The owner asks, who alone may read which ones a database has had."""
    return command(
        sys.executable, "-W", "ignore::RuntimeWarning", "manage.py", "makemigrations",
        "--check", "--dry-run", "--skip-checks", "--no-input", ARAPP_AS="owner",
    )  # fmt: skip


STEPS = [
    Step("ruff check", partial(command, tool("ruff"), "check", "--output-format", "concise")),
    Step("ruff format", partial(command, tool("ruff"), "format", "--check", "--output-format", "concise")),
    Step("mypy", mypy, slow=True),
    Step("imports", partial(command, tool("lint-imports"), "--no-logo")),
    Step("sizes", partial(report, sizes.oversized)),
    Step("house rules", partial(report, linters.judge_all)),
    Step("migrations", migrations),
    Step("django", partial(command, sys.executable, "manage.py", "check", "--fail-level", "WARNING")),
    Step("templates", partial(command, sys.executable, "-m", "tools.check.templates")),
    Step("djade", partial(djade, "--check")),
    Step("links", partial(report, links.broken)),
]

FIXES = [
    Step("ruff check", partial(command, tool("ruff"), "check", "--fix", "--output-format", "concise")),
    Step("ruff format", partial(command, tool("ruff"), "format")),
    Step("djade", tidy_templates),
]

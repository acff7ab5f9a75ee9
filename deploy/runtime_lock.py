"""Prints the part of requirements.lock that the product itself needs: no tests, no linters, no demo servers.

The lock says beside each package who asked for it; what the project's dependencies lead to is kept, hashes included.
Standard library only: it runs before anything is installed.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def name_of(requirement: str) -> str:
    """`Celery[redis]>=5 ; …` is celery."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement  # noqa: S101 - a lock that is none
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def blocks(lock: str) -> dict[str, str]:
    """The lines of each package by its name."""
    parts = re.split(r"(?m)^(?=[A-Za-z0-9])", lock)
    return {name_of(part): part for part in parts if part.strip() and not part.startswith("#")}


def asked_by(block: str) -> set[str]:
    """Names of the packages that need this one, from its `via` lines."""
    words = [line.strip(" #") for line in block.splitlines() if line.lstrip().startswith("#")]
    return {name_of(word.removeprefix("via").strip()) for word in words if word.removeprefix("via").strip()}


def runtime(lock: str, wanted: set[str]) -> str:
    """The blocks of the wanted packages and of everything they lead to."""
    packages = blocks(lock)
    kept = wanted & set(packages)
    while more := {name for name, block in packages.items() if name not in kept and asked_by(block) & kept}:
        kept |= more
    return "".join(block for name, block in packages.items() if name in kept)


def main() -> None:
    """Read the project's files and print."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {name_of(each) for each in project["dependencies"]}
    sys.stdout.write(runtime((ROOT / "requirements.lock").read_text(encoding="utf-8"), wanted))


if __name__ == "__main__":
    main()

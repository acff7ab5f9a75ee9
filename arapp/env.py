"""Typed readers of the process environment that fail loudly.

Every setting named NAME may also come from a file named by NAME_FILE, as container secrets do.
"""

import os
from pathlib import Path


class MissingSetting(RuntimeError):
    pass


def text(name: str, default: str | None = None) -> str:
    """Value of NAME, else the contents of the file in NAME_FILE, else default; raises MissingSetting."""
    value = os.environ.get(name)
    if value is None and (path := os.environ.get(f"{name}_FILE")):
        value = Path(path).read_text(encoding="utf-8").strip()
    if value is None:
        value = default
    if value is None:
        raise MissingSetting(f"Set {name} (or {name}_FILE) in the environment.")
    return value


def flag(name: str, *, default: bool) -> bool:
    """NAME as a yes or no: 1/true/yes/on or 0/false/no/off; raises MissingSetting on anything else."""
    value = os.environ.get(name, "").lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise MissingSetting(f"{name} must be yes or no, not {value!r}.")


def listing(name: str, default: str = "") -> list[str]:
    """NAME as comma-separated values, blanks dropped."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]

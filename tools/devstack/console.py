"""What the commands say to the person who started them."""

import sys
from typing import NoReturn


class Stopped(SystemExit):
    """A signal asked for the end; carries the exit code."""


def say(text: str = "") -> None:
    """One line on standard output, shown at once even through a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def die(text: str) -> NoReturn:
    """Ends the command with one line on standard error and exit code 1."""
    raise SystemExit(text)


def confirm(question: str) -> bool:
    """Yes only when a person typed it; no terminal means no."""
    if not sys.stdin.isatty():
        return False
    sys.stdout.write(f"{question} [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}

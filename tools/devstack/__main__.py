"""Entry point inside `.venv`: picks the command and turns signals into an orderly end."""

import os
import sys
from collections.abc import Callable, Sequence

from tools.devstack import commands, doctor
from tools.devstack.console import say
from tools.devstack.paths import ROOT
from tools.devstack.processes import stop_on_signals

COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "up": commands.up,
    "test": commands.test,
    "check": commands.check,
    "manage": commands.manage,
    "bench": commands.bench,
    "soak": commands.soak,
    "mutants": commands.mutants,
    "reset": commands.reset,
    "doctor": doctor.doctor,
}


def main(args: Sequence[str]) -> int:
    """Runs one command; 2 when there is none of that name."""
    name = args[0] if args else "up"
    if name in {"help", "-h", "--help"}:
        return _help()
    command = COMMANDS.get(name)
    if command is None:
        say(f"There is no command {name!r}.")
        _help()
        return 2
    os.chdir(ROOT)
    stop_on_signals()
    return command(args[1:])


def _help() -> int:
    say("python3 run.py [command]")
    for name, command in COMMANDS.items():
        say(f"  {name:8} {(command.__doc__ or '').splitlines()[0]}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

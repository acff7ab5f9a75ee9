"""Database, broker and the environment that everything started from a checkout gets."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tools.devstack import postgres, valkey
from tools.devstack.console import die
from tools.devstack.paths import ROOT, Home, throw_away_home
from tools.devstack.processes import Supervisor

DATABASE_NAMES = ("DATABASE_URL", "DATABASE_OWNER_URL")


@dataclass
class Stack:
    """What runs below the product, and how to reach it."""

    supervisor: Supervisor
    settings: dict[str, str]
    """Only what the stack itself decides; goes on top of the caller's environment."""
    notes: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        return environment(self.settings)


@contextmanager
def running(home: Home, *, throw_away: bool) -> Iterator[Stack]:
    """Starts what the caller's environment does not already name; stops it at the end."""
    with Supervisor(home) as supervisor:
        stack = Stack(supervisor, _base_settings(home))
        _add_database(stack, throw_away=throw_away)
        _add_broker(stack)
        yield stack


@contextmanager
def throw_away(*, in_memory: bool = False) -> Iterator[Stack]:
    """A stack of its own that leaves nothing, quick because nothing in it must survive."""
    with throw_away_home(in_memory=in_memory) as home, running(home, throw_away=True) as stack:
        yield stack


def environment(settings: dict[str, str]) -> dict[str, str]:
    """The caller's environment with ours on top, without the switch that makes a process the owner."""
    kept = {name: value for name, value in os.environ.items() if name != "ARAPP_AS"}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    return {**kept, "PATH": path, "PYTHONUNBUFFERED": "1", **settings}


def given(name: str) -> bool:
    """Whether the caller named an address, directly or as a file."""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def _base_settings(home: Home) -> dict[str, str]:
    replaceable = {
        "DJANGO_SETTINGS_MODULE": "arapp.settings",
        "MEDIA_ROOT": str(home.folder("media")),
        "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
        "EMAIL_FILE_PATH": str(home.folder("mail")),
    }
    settings = {name: os.environ.get(name, value) for name, value in replaceable.items()}
    settings["ARAPP_STATE_DIR"] = str(home.path)
    if not given("SECRET_KEY"):
        settings["SECRET_KEY"] = home.secret()
    if not given("MASTER_KEYS"):
        settings["MASTER_KEYS"] = home.master_keys()
    return settings


def _add_database(stack: Stack, *, throw_away: bool) -> None:
    named = [name for name in DATABASE_NAMES if given(name)]
    if len(named) == 1:
        die(
            f"{named[0]} alone is not enough, both roles are needed: `python3 run.py doctor` prints how to make them."
        )
    if named:
        stack.notes.append("database: the one in DATABASE_URL")
        return
    addresses = postgres.start(stack.supervisor, throw_away=throw_away)
    stack.settings |= {"DATABASE_URL": addresses.app, "DATABASE_OWNER_URL": addresses.owner}
    stack.notes.append(f"database: {addresses.note}")


def _add_broker(stack: Stack) -> None:
    if given("REDIS_URL"):
        stack.notes.append("broker: the one in REDIS_URL")
        return
    broker = valkey.start(stack.supervisor)
    stack.settings["REDIS_URL"] = broker.url
    stack.notes.append(f"broker: {broker.note}")


def has_module(name: str) -> bool:
    """Whether a part of the project is there, looked up without importing it."""
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__main__.py").exists()

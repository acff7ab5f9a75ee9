"""A home of its own for each test, outside pytest's folders: the database user must be able to walk to it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tools.devstack.paths import ROOT, Home
from tools.devstack.processes import birth, reap

NOT_OURS = (
    "DATABASE_URL",
    "DATABASE_OWNER_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "MASTER_KEYS",
    "MEDIA_ROOT",
    "BASE_URL",
    "DEBUG",
    "PORT",
)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    path = Path(tempfile.mkdtemp(prefix="ds-", dir="/var/tmp"))
    monkeypatch.setenv("DEVSTACK_HOME", str(path))
    for name in NOT_OURS:
        monkeypatch.delenv(name, raising=False)
    path.chmod(0o711)
    yield Home(path)
    reap(Home(path))  # what a test killed its supervisor for
    shutil.rmtree(path, ignore_errors=True)


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts Python code or a module as another process; whatever is left of it is killed at the end."""
    started: list[subprocess.Popen[str]] = []

    def begin(*args: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, *args],
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def wait_for_line(process: "subprocess.Popen[str]", part: str) -> str:
    """Everything said up to the line that has `part` in it; fails when the process ends without it."""
    assert process.stdout
    said: list[str] = []
    for line in process.stdout:
        said.append(line)
        if part in line:
            return "".join(said)
    raise AssertionError("".join(said))


def services(home: Home) -> dict[str, int]:
    """The children a supervisor wrote down, by pid."""
    return {entry["name"]: entry["pid"] for entry in json.loads(home.pids.read_text())}


def gone(pids: list[int], seconds: float = 15) -> bool:
    until = time.monotonic() + seconds
    while any(birth(pid) for pid in pids):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def everything_in(home: Home) -> list[int]:
    """Every process whose command line or environment names the home (Linux)."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            continue
        if str(home.path).encode() in text and int(folder.name) != os.getpid() and birth(int(folder.name)):
            found.append(int(folder.name))
    return found

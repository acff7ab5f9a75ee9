"""Children that never outlive their supervisor, however it ends."""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from tools.devstack.console import Stopped, die, say
from tools.devstack.paths import Home, write_private

GRACE_SECONDS = 15.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SET_PARENT_DEATH_SIGNAL = 1
# Looked up before any fork: a child between fork and exec must not load libraries.
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


@dataclass(frozen=True)
class Service:
    """One long-running child."""

    name: str
    args: Sequence[str]
    stop: signal.Signals = signal.SIGTERM
    """Asks for an orderly end."""
    orphaned: signal.Signals = signal.SIGTERM
    """Sent by the kernel when the supervisor is gone: nobody is left to wait, so the quick way out."""
    force: signal.Signals = signal.SIGKILL
    leans_on_others: bool = False
    """Whether it must be gone before those it talks to are told to go."""
    env: Mapping[str, str] | None = None
    user: Mapping[str, Any] = field(default_factory=dict)
    cwd: str | None = None


@dataclass
class Child:
    service: Service
    process: subprocess.Popen[bytes]
    log: Path


class Supervisor:
    """Starts services in order; its end is their end."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.children: list[Child] = []
        self.litter: list[Path] = []
        """Folders outside the home that go when everything has stopped."""
        self._hurry = False

    def __enter__(self) -> Self:
        reap(self.home)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop_all()
        for folder in self.litter:
            shutil.rmtree(folder, ignore_errors=True)

    def start(self, service: Service, *, feed: bytes | None = None) -> Child:
        """Starts a service in a session of its own, its output in a log file, `feed` on its input.

        The log of the time before is kept once.
        """
        log = self.home.logs / f"{service.name}.log"
        with suppress(FileNotFoundError):
            log.replace(log.with_suffix(".log.before"))
        with log.open("wb") as out:
            process = subprocess.Popen(
                list(service.args),
                stdin=subprocess.PIPE if feed is not None else subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=service.env,
                cwd=service.cwd,
                start_new_session=True,
                preexec_fn=die_with_parent(service.orphaned),  # noqa: PLW1509 - one thread only
                **service.user,
            )
        child = Child(service, process, log)
        self.children.append(child)
        self._write_pids()
        if process.stdin and feed is not None:
            with suppress(BrokenPipeError), process.stdin as pipe:
                pipe.write(feed)
        return child

    def ended(self) -> Child | None:
        """The first child that is no longer running."""
        return next((child for child in self.children if child.process.poll() is not None), None)

    def stop_all(self) -> None:
        """Stops the product, then what it leans on; a second Ctrl-C or a long wait makes it rough."""
        before = [(number, signal.signal(number, self._hurry_up)) for number in _SIGNALS]
        try:
            self._stop([child for child in self.children if child.service.leans_on_others])
            self._stop([child for child in self.children if not child.service.leans_on_others])
        finally:
            for number, handler in before:
                signal.signal(number, handler)

    def _hurry_up(self, _number: int, _frame: FrameType | None) -> None:
        self._hurry = True

    def _stop(self, wave: Sequence[Child]) -> None:
        for child in wave:
            if child.process.poll() is None:
                child.process.send_signal(child.service.stop)
        _wait(lambda: self._hurry or all(child.process.poll() is not None for child in wave), GRACE_SECONDS)
        for child in wave:
            if child.process.poll() is None:
                _signal_group(child.process.pid, child.service.force)
            child.process.wait()
            _signal_group(child.process.pid, signal.SIGKILL)  # pool workers whose own parent died first
            self.children.remove(child)
        self._write_pids()

    def _write_pids(self) -> None:
        listed = [
            {
                "name": child.service.name,
                "pid": child.process.pid,
                "born": birth(child.process.pid),
                "stop": int(child.service.stop),
            }
            for child in self.children
        ]
        write_private(self.home.pids, json.dumps(listed))


def reap(home: Home) -> None:
    """Stops what an earlier supervisor of this home could not take along (only with the home held)."""
    try:
        listed = json.loads(home.pids.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    for entry in reversed(listed):
        pid = int(entry["pid"])
        if birth(pid) not in {None, entry["born"]}:
            continue  # the number belongs to somebody else by now
        _signal_group(pid, signal.Signals(entry["stop"]))
        if not _wait(lambda pid=pid: not _group_alive(pid), GRACE_SECONDS):  # type: ignore[misc]
            _signal_group(pid, signal.SIGKILL)
    home.pids.unlink(missing_ok=True)


def run_foreground(args: Sequence[str], env: Mapping[str, str]) -> int:
    """Runs a command on this terminal and returns its exit code; signals reach it, and it dies with us."""
    child = subprocess.Popen(
        list(args),
        env=env,
        preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - one thread only
    )

    def forward(number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGINT or not _terminal_tells_everyone():
            child.send_signal(number)

    before = [(number, signal.signal(number, forward)) for number in _SIGNALS]
    try:
        code = child.wait()
    finally:
        for number, handler in before:
            signal.signal(number, handler)
    return code if code >= 0 else 128 - code


def stop_on_signals() -> None:
    """Turns Ctrl-C, SIGTERM and SIGHUP into an orderly end.

    All three are set by hand: a shell starts background jobs with SIGINT ignored. An ignored SIGHUP
    stays ignored, for that is what nohup asks for.
    """

    def handler(number: int, _frame: FrameType | None) -> None:
        raise Stopped(0 if number == signal.SIGINT else 128 + number)

    for number in _SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)


def terminate(pid: int) -> None:
    """Asks another supervisor to stop and waits for it."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    if not _wait(lambda: birth(pid) is None, 60):
        die(f"The running stack (pid {pid}) does not stop.")


def die_with_parent(number: signal.Signals) -> Callable[[], None]:
    """For Popen's preexec_fn: the kernel sends `number` to the child when the supervisor is gone (Linux)."""
    parent = os.getpid()

    def prepare() -> None:
        if _prctl is not None:
            _prctl(_SET_PARENT_DEATH_SIGNAL, int(number))
            if os.getppid() != parent:  # it died before the kernel was told
                os._exit(1)

    return prepare


def birth(pid: int) -> str | None:
    """When a process began, as an opaque word; None when there is none. Tells a pid from its reuse."""
    if sys.platform == "linux":
        try:
            words = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            return None
        return None if words[0] == "Z" else words[19]
    found = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or None


def tail(log: Path, lines: int = 15) -> str:
    """The end of a log, for the message about why something stopped."""
    with suppress(OSError):
        text = log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(f"  {line}" for line in text.splitlines()[-lines:])
    return ""


def report_end(child: Child) -> None:
    """Says which service ended by itself, and the last it wrote."""
    say(f"{child.service.name} ended with code {child.process.returncode}; {child.log} says:")
    say(tail(child.log))


def _wait(done: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def _signal_group(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _group_alive(pid: int) -> bool:
    if sys.platform == "linux":  # a signal 0 would also find dead members that nobody has collected yet
        return any(_group_of(stat) == pid for stat in Path("/proc").glob("[0-9]*/stat"))
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _group_of(stat: Path) -> int | None:
    try:
        state, _parent, group = stat.read_text(encoding="utf-8").rpartition(")")[2].split()[:3]
    except (OSError, ValueError):
        return None
    return None if state == "Z" else int(group)


def _terminal_tells_everyone() -> bool:
    """Whether a Ctrl-C on the terminal already reached the child, which is in our process group."""
    with suppress(OSError, ValueError):
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    return False

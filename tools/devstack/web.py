"""The product's own processes: web, worker, beat."""

import http.client
import os
import signal
import socket
import sys
import time

from tools.devstack.console import die
from tools.devstack.paths import Home
from tools.devstack.processes import Child, Service, Supervisor, report_end
from tools.devstack.system import has_shared_memory

HOST = "127.0.0.1"
DEFAULT_PORT = 8377
_START_SECONDS = 60


def pick_port() -> int:
    """$PORT or the usual one; the next free one when it is taken."""
    wanted = os.environ.get("PORT", str(DEFAULT_PORT))
    if not wanted.isdecimal() or not 0 < int(wanted) < 65536:
        die(f"PORT must be a number from 1 to 65535, not {wanted!r}.")
    for port in range(int(wanted), min(int(wanted) + 100, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if probe.connect_ex((HOST, port)) and _binds(probe, port):
                return port
    die(f"No free port from {wanted} on.")


def start(supervisor: Supervisor, environment: dict[str, str], port: int) -> Child:
    """Starts all three and returns the web process."""
    web = supervisor.start(_web(environment, port))
    supervisor.start(_worker(environment))
    supervisor.start(_beat(environment, supervisor.home))
    return web


def wait_until_ready(child: Child, port: int) -> None:
    """Returns at the first HTTP answer: the port alone is open before the product is loaded."""
    until = time.monotonic() + _START_SECONDS
    while not _answers(port):
        if child.process.poll() is not None or time.monotonic() > until:
            report_end(child)
            die("The web process did not start.")
        time.sleep(0.1)


def _web(environment: dict[str, str], port: int) -> Service:
    options = {
        "bind": f"{HOST}:{port}",
        "worker-class": "gthread",
        "workers": "2",
        "threads": "4",
        "graceful-timeout": "5",
        "access-logfile": "-",
    }
    words = [f"--{name}={value}" for name, value in options.items()]
    return Service(
        "web",
        [sys.executable, "-m", "gunicorn", *words, "--no-control-socket", "arapp.wsgi"],
        leans_on_others=True,
        env=environment,
        orphaned=signal.SIGINT,  # without waiting for open requests
    )


def _worker(environment: dict[str, str]) -> Service:
    pool = ["-c", "2"] if has_shared_memory() else ["-c", "2", "-P", "threads"]
    return Service(
        "worker",
        [*_celery("worker"), *pool, "-l", "info", "--without-gossip", "--without-mingle"],
        leans_on_others=True,
        env=environment,
        orphaned=signal.SIGKILL,  # an orderly end waits for a broker that is gone; tasks are due in the database
    )


def _beat(environment: dict[str, str], home: Home) -> Service:
    files = ["-s", str(home.path / "beat-schedule"), "--pidfile="]
    return Service("beat", [*_celery("beat"), "-l", "info", *files], leans_on_others=True, env=environment)


def _celery(command: str) -> list[str]:
    return [sys.executable, "-m", "celery", "-A", "arapp", command]


def _binds(probe: socket.socket, port: int) -> bool:
    try:
        probe.bind((HOST, port))
    except OSError:
        return False
    return True


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    try:
        connection.request("HEAD", "/")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True

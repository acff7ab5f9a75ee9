"""Processes of the product by the dozen: one imports it once, and is copied for each that a test wants.

A copy differs in its database and its folders only (MAY_DIFFER); what wants more than that starts by itself.
Servers are gunicorn as it is deployed, a worker with four threads. Everything else runs as `python` with the same words
would.
"""

import json
import os
import random
import runpy
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
MAY_DIFFER = {"DATABASE_URL", "DATABASE_OWNER_URL", "MEDIA_ROOT", "EMAIL_FILE_PATH"}


class Nursery:
    """The process that imported the product in this environment, and how it is asked for copies."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = {**environment, "DJANGO_SETTINGS_MODULE": "arapp.settings"}
        self._process: subprocess.Popen[str] | None = None
        self._started_in: dict[str, str] = {}

    def may(self, environment: Mapping[str, str]) -> bool:
        """Whether a copy can have this environment: but for what may differ it is the nursery's own."""
        mine = self._started_in or {**os.environ, **self.environment}
        names = (mine.keys() | environment.keys()) - MAY_DIFFER - {"PYTEST_CURRENT_TEST"}
        return all(mine.get(name) == environment.get(name) for name in names)

    @contextmanager
    def serving(self, environment: Mapping[str, str]) -> Iterator[str]:
        """The address of a copy that serves this database; it is killed after the block."""
        assert environment.keys() <= MAY_DIFFER
        said = self.ask("serve", environment=dict(environment))
        server = Copy(self, said["pid"])
        try:
            yield f"http://127.0.0.1:{said['port']}"
        finally:
            assert server.poll() is None, "the server ended"
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(10)

    def run(self, words: Sequence[str], environment: Mapping[str, str], log: Path) -> "Copy":
        """A copy that does what `python` with these words would."""
        wanted = {name: environment[name] for name in MAY_DIFFER & environment.keys()}
        return Copy(self, self.ask("run", words=list(words), environment=wanted, log=str(log))["pid"])

    def ask(self, what: str, **order: Any) -> Any:
        """Give an order and read the answer."""
        if self._process is None:
            self._started_in = {**os.environ, **self.environment}
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.nursery"],
                cwd=ROOT,
                env=self._started_in,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"what": what, **order}) + "\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline()
        assert said, "the process that imported the product is gone"
        return json.loads(said)


class Copy:
    """What a test sees of a copy, as of a Popen: it leads a group of its own, named by its pid."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self.pid = pid
        self._nursery = nursery
        self._code: int | None = None

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it lives."""
        if self._code is None:
            self._code = self._nursery.ask("poll", pid=self.pid)["code"]
        return self._code

    def wait(self, timeout: float = 60) -> int:
        """The exit code, once it has ended."""
        until = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired("a copy", timeout)
            time.sleep(0.02)
        return code


def main() -> None:
    """Copies itself as each line of standard input says, and ends with it."""
    application = _imported()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a copy prints is no answer
    alive: set[int] = set()
    for line in sys.stdin:
        order = json.loads(line)
        if order["what"] == "poll":
            said = {"code": _poll(order["pid"])}
            if said["code"] is not None:
                alive.discard(order["pid"])
        else:
            # Whoever connects from now on waits for the copy.
            listener = socket.create_server(("127.0.0.1", 0))
            if (pid := os.fork()) == 0:
                os.close(answers.fileno())
                _become(order, application, listener)
            with suppress(PermissionError, ProcessLookupError):  # by both, whoever is first
                os.setpgid(pid, pid)
            alive.add(pid)
            said = {"pid": pid, "port": listener.getsockname()[1]}
            listener.close()
        print(json.dumps(said), file=answers, flush=True)
    for pid in alive:  # the tests were killed
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def _imported() -> Any:
    """The product with all that a server or a worker reads at its start, and nothing connected."""
    from django.db import connection
    from django.template.exceptions import TemplateSyntaxError
    from django.template.loader import get_template
    from django.test import Client

    from arapp.celery import app
    from arapp.wsgi import application

    app.loader.import_default_modules()
    for page in (ROOT / "templates").rglob("*.html"):
        with suppress(TemplateSyntaxError):  # a few are only read by others
            get_template(str(page.relative_to(ROOT / "templates")))
    assert Client(headers={"host": "127.0.0.1"}).get("/sign-in/").status_code == 200
    assert connection.connection is None
    return application


def _poll(pid: int) -> int | None:
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def _become(order: dict[str, Any], application: Any, listener: socket.socket) -> None:
    """Never returns."""
    os.setpgid(0, 0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    random.seed()
    _settle(order["environment"])
    if order["what"] == "serve":
        _serve(application, listener)
    listener.close()
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    _run(order["words"])
    sys.exit(0)


def _settle(environment: dict[str, str]) -> None:
    from django.conf import settings
    from django.db import connection

    os.environ |= environment
    name = urlsplit(environment["DATABASE_URL"]).path.removeprefix("/")
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
    settings.MEDIA_ROOT = Path(environment.get("MEDIA_ROOT", settings.MEDIA_ROOT))
    settings.EMAIL_FILE_PATH = environment.get("EMAIL_FILE_PATH", settings.EMAIL_FILE_PATH)


def _serve(application: Any, listener: socket.socket) -> None:
    from gunicorn.app.base import BaseApplication

    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            self.cfg.set("bind", f"fd://{listener.detach()}")
            self.cfg.set("threads", 4)
            self.cfg.set("loglevel", "error")
            self.cfg.set("control_socket_disable", True)

        def load(self) -> Any:
            return application

    Server().run()


def _run(words: list[str]) -> None:
    if words[0] == "-c":
        sys.argv = ["-c", *words[2:]]
        exec(compile(words[1], "<string>", "exec"), {"__name__": "__main__"})
    elif words[0] == "-m":
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    main()

"""Servers of the product by the dozen: one process imports it once, and is copied for each test that wants a server.

What a copy serves differs in its database and its folder of files only; a test that wants more than that starts a
server by itself (`serving`). The copies are gunicorn as it is deployed, a worker with four threads.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
MAY_DIFFER = {"DATABASE_URL", "DATABASE_OWNER_URL", "MEDIA_ROOT"}


class Nursery:
    """The process that imported the product, and how it is asked for copies."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    @contextmanager
    def serving(self, environment: Mapping[str, str]) -> Iterator[str]:
        """The address of a copy that serves this database; it is gone after the block."""
        born = self._ask(dict(environment))
        try:
            yield f"http://127.0.0.1:{born['port']}"
        finally:
            assert self._ask({"END": str(born["pid"])}) == {"lived": True}

    def _ask(self, order: dict[str, str]) -> Any:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.browser.nursery"],
                cwd=ROOT,
                env={**os.environ, "DEBUG": "1", "DJANGO_SETTINGS_MODULE": "arapp.settings"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline()
        assert said, "the process that imported the product is gone"
        return json.loads(said)

    def close(self) -> None:
        if self._process is not None:
            assert self._process.stdin
            self._process.stdin.close()
            self._process.wait(15)


def main() -> None:
    """Copies itself for each line of standard input, and ends with it."""
    import socket

    from django.template.exceptions import TemplateSyntaxError
    from django.template.loader import get_template
    from django.test import Client
    from django.urls import get_resolver

    from arapp.wsgi import application

    assert get_resolver().url_patterns
    for page in (ROOT / "templates").rglob("*.html"):
        with suppress(TemplateSyntaxError):  # a few are only read by others
            get_template(str(page.relative_to(ROOT / "templates")))
    assert Client(headers={"host": "127.0.0.1"}).get("/sign-in/").status_code == 200
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a server prints is no answer
    alive: set[int] = set()
    for line in sys.stdin:
        order = json.loads(line)
        if "END" in order:
            pid = int(order["END"])
            alive.remove(pid)
            said = {"lived": _end(pid)}
        else:
            # Whoever connects from now on waits for the copy.
            listener = socket.create_server(("127.0.0.1", 0))
            if (pid := os.fork()) == 0:
                _serve(application, order, listener)
            os.setpgid(pid, pid)  # by both, whoever is first
            alive.add(pid)
            said = {"pid": pid, "port": listener.getsockname()[1]}
            listener.close()
        print(json.dumps(said), file=answers, flush=True)
    for pid in alive:  # the tests were killed
        _end(pid)


def _end(pid: int) -> bool:
    """Kill a copy and its worker, which in good order takes seconds; whether it still lived."""
    lived = os.waitpid(pid, os.WNOHANG) == (0, 0)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    if lived:
        os.waitpid(pid, 0)
    return lived


def _serve(application: Any, environment: dict[str, str], listener: Any) -> None:
    """Never returns."""
    from django.conf import settings
    from django.db import connection
    from gunicorn.app.base import BaseApplication

    assert set(environment) <= MAY_DIFFER, environment
    assert connection.connection is None
    os.setpgid(0, 0)
    os.environ |= environment
    name = urlsplit(environment["DATABASE_URL"]).path.removeprefix("/")
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
    settings.MEDIA_ROOT = Path(environment.get("MEDIA_ROOT", settings.MEDIA_ROOT))

    class Copy(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            self.cfg.set("bind", f"fd://{listener.detach()}")
            self.cfg.set("threads", 4)
            self.cfg.set("loglevel", "error")
            self.cfg.set("control_socket_disable", True)

        def load(self) -> Any:
            return application

    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    Copy().run()


if __name__ == "__main__":
    main()

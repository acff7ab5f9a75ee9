"""A real server and a real browser. Pages without a database are served by a process that has none."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.nursery import MAY_DIFFER, Nursery
from tools.devstack import system

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("CHROMIUM") or system.browser()
NURSERY = Nursery({"DEBUG": "1"})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(150):
        if process.poll() is not None:
            pytest.fail(f"The server ended with {process.returncode}.")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("The server did not answer in 15 seconds.")


@contextmanager
def serving(environment: Mapping[str, str]) -> Iterator[str]:
    """Address of the product, served with DEBUG on by a process of its own with this in its environment."""
    if not (ROOT / "static" / "dist" / "app.css").exists():
        pytest.skip("Build the pages first: npm ci --ignore-scripts && npm run build in frontend/.")
    served = NURSERY.serving if set(environment) <= MAY_DIFFER else _started
    with served(environment) as origin:
        yield origin


@contextmanager
def _started(environment: Mapping[str, str]) -> Iterator[str]:
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "arapp.wsgi",
        "--bind",
        f"127.0.0.1:{port}",
        "--threads",
        "4",
    ]
    process = subprocess.Popen(
        [*command, "--log-level", "error"],
        cwd=ROOT,
        env={**os.environ, "DEBUG": "1", "DJANGO_SETTINGS_MODULE": "arapp.settings", **environment},
    )
    try:
        wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="session")
def bare_server() -> Iterator[str]:
    """Address of the product with no database behind it: the style guide, error pages."""
    nothing = {
        "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none",
        "REDIS_URL": "redis://127.0.0.1:9",
        "SECRET_KEY": "only for tests",
        "MASTER_KEYS": "none:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    }
    with serving(nothing) as origin:
        yield origin


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not (CHROMIUM and shutil.which(CHROMIUM)):
        pytest.skip("No Chromium was found; name one in CHROMIUM.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def _is_wrong(said: ConsoleMessage) -> bool:
    """A request that a newer one takes the place of is broken off, which htmx says as an error by these two names."""
    return said.type == "error" and not said.text.startswith(("htmx:afterRequest,", "htmx:sendAbort,"))


class Watched:
    """A page that remembers what went wrong: console errors, refused inline code, exceptions."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.wrong: list[str] = []
        page.on("console", lambda said: self.wrong.append(said.text) if _is_wrong(said) else None)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))


@pytest.fixture
def watched(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """Parametrize indirectly with (width, "light" | "dark"); 1440 light otherwise."""
    width, scheme = getattr(request, "param", (1440, "light"))
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    yield Watched(context.new_page())
    context.close()

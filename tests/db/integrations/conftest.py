"""A receiver of webhooks on this machine, and a worker's turn."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from core import effects
from core.relay import relay
from core.scope import Scope, enter
from core.tasks import system_scope


@dataclass
class Receiver:
    """What arrived, and what is answered: `answer(n, headers, body)` gives the status of the n-th request."""

    url: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answer: Callable[[int, dict[str, str], bytes], int] = lambda _n, _headers, _body: 200


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """An http server on loopback, which DEBUG allows to be called."""
    settings.DEBUG = True
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.got.append((headers, body))
            self.send_response(found.answer(len(found.got), headers, body))
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"seen")

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield found
    server.shutdown()
    server.server_close()


def turn(scope: Scope) -> None:
    """What a worker does in a turn: tell events, then work off what is due."""
    with enter(system_scope(scope.organization_id)):
        relay([])
        effects.work_off([])

"""A mail server that misbehaves on demand and remembers what it took."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_string
from email.message import Message


class Session(socketserver.StreamRequestHandler):
    """One conversation. `server.plan` says what to answer, the last entry for good: ok, rcpt:<code>, data:<code>,
    after:<code>, drop (after the mail was taken), drop_rcpt, slow."""

    server: "StubServer"

    def handle(self) -> None:
        self.say("220 stub")
        with self.server.lock:
            plan = self.server.plan.pop(0) if len(self.server.plan) > 1 else self.server.plan[0]
        while line := self.rfile.readline().decode().strip():
            verb = line.split(":")[0].split(" ")[0].upper()
            if verb == "QUIT":
                return self.say("221 bye")
            if verb == "RCPT" and plan == "drop_rcpt":
                return None
            if verb == "DATA" and not plan.startswith("data"):
                if not self.take(plan):
                    return None
                continue
            self.say(self.answer(verb, plan))
        return None

    def answer(self, verb: str, plan: str) -> str:
        where, _, code = plan.partition(":")
        return f"{code} no" if where.upper() == verb else "250 ok"

    def take(self, plan: str) -> bool:
        self.say("354 go on")
        lines = []
        while (line := self.rfile.readline().decode()) not in {".\r\n", ""}:
            lines.append(line)
        if plan.startswith("after"):
            self.say(f"{plan.partition(':')[2]} no")
            return True
        self.server.taken.append(message_from_string("".join(lines)))
        if plan == "drop":
            return False
        if plan == "slow":
            self.server.release.wait(20)
        self.say("250 taken")
        return True

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")


class StubServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int, plan: list[str]) -> None:
        super().__init__(("127.0.0.1", port), Session)
        self.plan, self.taken, self.lock = plan, list[Message](), threading.Lock()
        self.release = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])


@contextmanager
def smtp(*plan: str, port: int = 0) -> Iterator[StubServer]:
    """A server on a free port that follows the plan, one entry a conversation."""
    server = StubServer(port, list(plan) or ["ok"])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.release.set()
        server.shutdown()
        thread.join()
        server.server_close()

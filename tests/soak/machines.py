"""The product's real processes, a mail server, and what is done to both."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from random import Random
from threading import Event, Thread

import redis

from tests.databases import ROOT
from tests.faults.smtp import StubServer
from tools.devstack.valkey import free_port

CELERY = ["-m", "celery", "-A", "arapp"]


class Machines:
    """Web, two workers, two beats. Killed with kill -9 and started again at once, as a supervisor would."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        self.env, self.folder = env, folder
        self.port = free_port()
        self.broker = redis.Redis.from_url(env["REDIS_URL"])
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.kills = 0
        bind = f"127.0.0.1:{self.port}"
        web = ["-m", "gunicorn", "arapp.wsgi", "--bind", bind, "--workers", "2", "--threads", "4"]
        worker = [*CELERY, "worker", "-c", "2", "-l", "ERROR", "--without-mingle", "--without-gossip"]
        beat = [*CELERY, "beat", "-l", "ERROR", "--pidfile=", "-s"]
        self.programs = {
            "web": [*web, "--log-level", "error", "--no-control-socket"],
            "worker1": [*worker, "-n", "one@%h"],
            "worker2": [*worker, "-n", "two@%h"],
            "beat1": [*beat, str(folder / "beat1")],
            "beat2": [*beat, str(folder / "beat2")],
        }

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *names: str) -> None:
        for name in names or self.programs:
            with (self.folder / f"{name}.log").open("ab") as log:
                self.running[name] = subprocess.Popen(
                    [sys.executable, *self.programs[name]],
                    cwd=ROOT, env=self.env, start_new_session=True, stdout=log, stderr=log,
                )  # fmt: skip

    def kill(self, *names: str) -> None:
        """kill -9 of each and of everything it started."""
        for name in names or tuple(self.running):
            process = self.running.pop(name)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            self.kills += 1

    def hurt(self, dice: Random) -> str:
        """Kill one at random, or flush the broker; what was done."""
        if dice.random() < 0.25:
            self.broker.flushdb()
            return "broker flushed"
        name = dice.choice(sorted(self.programs))
        self.kill(name)
        self.start(name)
        return f"{name} killed"

    def fallen(self) -> list[str]:
        """Those that ended although nobody killed them."""
        return [name for name, process in self.running.items() if process.poll() is not None]

    def wait_for_web(self, seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with suppress(OSError):
                urllib.request.urlopen(f"{self.origin}/health/", timeout=10).close()
                return
            time.sleep(0.3)
        raise TimeoutError("The web process does not answer.")

    def complaints(self) -> dict[str, int]:
        """The last line of every traceback in the logs, counted."""
        found: dict[str, int] = {}
        for log in self.folder.glob("*.log"):
            inside = False
            for line in log.read_text(errors="replace").splitlines():
                inside = inside or line.startswith("Traceback")
                if inside and line and not line.startswith((" ", "Traceback", "During", "The above")):
                    inside = False
                    name = f"{log.stem}: {line[:200]}"
                    found[name] = found.get(name, 0) + 1
        return found


class Post:
    """A mail server that goes away, refuses for now, or breaks off after it took a mail. It keeps what it took."""

    PLANS = (["ok"], ["mail:451", "ok"], ["drop", "ok"], ["rcpt:450", "drop_rcpt", "ok"])

    def __init__(self) -> None:
        self.port, self.taken, self.drops = free_port(), [], 0  # type: ignore[var-annotated]
        self.server: StubServer | None = None

    def come(self, plan: list[str]) -> None:
        self.leave()
        server = StubServer(self.port, list(plan))
        server.taken = self.taken
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a killed worker hangs up
        self.drops += plan.count("drop")
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.server = server

    def leave(self) -> None:
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def change(self, dice: Random) -> str:
        if dice.random() < 0.4:
            self.leave()
            return "mail server away"
        plan = dice.choice(self.PLANS)
        self.come(plan)
        return f"mail server {plan}"


class Faults(Thread):
    """Breaks something every few seconds while life goes on, in the middle of whatever is done just then."""

    def __init__(self, machines: Machines, post: Post, dice: Random) -> None:
        super().__init__(daemon=True)
        self.machines, self.post, self.dice = machines, post, dice
        self.over, self.done = Event(), list[str]()

    def run(self) -> None:
        while not self.over.wait(self.dice.uniform(0.3, 3)):
            break_it = self.machines.hurt if self.dice.random() < 0.7 else self.post.change
            self.done.append(break_it(self.dice))

    def end(self) -> None:
        self.over.set()
        self.join()

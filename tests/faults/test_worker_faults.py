"""Real processes killed, doubled and cut off from their broker: the books verify and nothing happens twice."""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import redis
from django.conf import settings

from billing.models import BilledPeriod
from core import clock
from core.books import verify
from core.models import Effect, OutboxEvent
from core.scope import Scope, work
from invoicing.models import Document
from tests import factories
from tests.databases import ROOT
from tests.nursery import Copy, Nursery

pytestmark = pytest.mark.fault

DAY = date(2026, 11, 1)
RUNNER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
BROKER = f"{settings.CELERY_BROKER_URL.rsplit('/', 1)[0]}/{9 + RUNNER % 6}"
"""A database of the broker that no test beside this one uses."""
NURSERY = Nursery(
    {
        "REDIS_URL": BROKER,
        "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
        "DEBUG": "1",
    }
)
Process = subprocess.Popen[bytes] | Copy


class Processes:
    """Starts the product's own processes against the test's database and kills what is left."""

    def __init__(self, env: dict[str, str], log: Path) -> None:
        self.env = env
        self.log = log
        self.started: list[Process] = []

    def start(self, *args: str) -> Process:
        process = NURSERY.run(args, self.env, self.log) if NURSERY.may(self.env) else self._start(*args)
        self.started.append(process)
        return process

    def _start(self, *args: str) -> Process:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *args],
                cwd=ROOT,
                env=self.env,
                start_new_session=True,
                stdout=log,
                stderr=log,
            )

    def worker(self) -> Process:
        return self.start(
            "-m", "celery", "-A", "arapp", "worker", "-c", "2", "-l", "ERROR", "--without-mingle"
        )

    def beat(self, schedule: Path) -> Process:
        return self.start("-m", "celery", "-A", "arapp", "beat", "-s", str(schedule), "-l", "ERROR")

    def kill(self, process: Process) -> None:
        """kill -9 of the process and everything it started."""
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def kill_all(self) -> None:
        for process in self.started:
            self.kill(process)


@pytest.fixture
def broker() -> Iterator[redis.Redis]:
    """The broker's database, empty."""
    client = redis.Redis.from_url(BROKER)
    client.flushdb()
    yield client
    client.flushdb()
    client.close()


@pytest.fixture
def processes(
    committed_acorn: Scope, committed: dict[str, str], broker: redis.Redis, tmp_path: Path
) -> Iterator[Processes]:
    kept = {**os.environ, **committed}
    made = Processes({
        **kept,
        **NURSERY.environment,
        "EMAIL_FILE_PATH": str(tmp_path / "mail"),
        "MEDIA_ROOT": str(tmp_path / "media"),
    }, tmp_path / "processes.log")  # fmt: skip
    yield made
    made.kill_all()


def wait_until(reached: Callable[[], bool], seconds: float = 150) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def counted(model: type, **where: object) -> int:
    with work():
        return model.objects.filter(**where).count()  # type: ignore[attr-defined,no-any-return]


def letters(folder: Path) -> Counter[bytes]:
    """How often each mail left, by its Message-ID; those that left in one second may stand in one file, mixed."""
    found: Counter[bytes] = Counter()
    for path in folder.iterdir():
        found.update(re.findall(rb"Message-ID: (<[^>]+>)", path.read_bytes()))
    return found


def subscribe(count: int, starts_on: date = DAY) -> None:
    with work():
        for n in range(count):
            owner = factories.customer(email=f"payer{n}@kestrel.example")
            factories.subscription(owner, starts_on, quantity=Decimal(n + 1))


def test_a_run_killed_again_and_again_bills_each_period_once(
    committed_acorn: Scope, processes: Processes
) -> None:
    subscribe(24)
    command = (
        "manage.py",
        "run_billing",
        "--organization",
        "acorn",
        "--as-of",
        DAY.isoformat(),
        "--batch",
        "2",
    )
    for goal in (2, 8, 14):
        run = processes.start(*command)
        wait_until(lambda goal=goal: counted(BilledPeriod) >= goal)  # type: ignore[misc]
        processes.kill(run)
        with work():
            assert verify() == []
    assert processes.start(*command).wait(60) == 0
    assert counted(BilledPeriod) == counted(Document) == counted(OutboxEvent, name="invoice.issued") == 24
    with work():
        assert sorted(Document.objects.values_list("number", flat=True))[-1] == "INV-2026-00024"
    assert processes.start(*command).wait(60) == 0
    assert counted(Document) == 24


def test_workers_killed_broker_flushed_and_two_beats_send_everything_once(
    committed_acorn: Scope, processes: Processes, broker: redis.Redis, tmp_path: Path
) -> None:
    subscribe(8, starts_on=clock.today("Europe/Berlin"))
    worker = processes.worker()
    beats = [processes.beat(tmp_path / f"beat{n}") for n in range(2)]
    wait_until(lambda: counted(Effect) > 0)
    processes.kill(worker)
    broker.flushdb()
    with work():  # what a dead worker held runs out; here at once instead of in minutes
        Effect.objects.filter(done_at=None).update(lease_until=None)
    processes.worker()
    wait_until(
        lambda: counted(Document) == 8 and counted(Effect) > 0
        and counted(Effect, done_at=None, due_at__lte=clock.wall()) == 0
        and counted(Effect, done_at=None, kind="message.send") == 0  # it may wait a moment for its PDF
        and counted(OutboxEvent, relayed_at=None) == 0,
        seconds=90,
    )  # fmt: skip
    for beat in beats:
        assert beat.poll() is None
    assert counted(BilledPeriod) == 8
    assert counted(Document, pdf=None) == 0
    copies = letters(tmp_path / "mail")
    assert len(copies) == 8
    assert copies.total() <= 8 + 2  # one per killed child may be sent again, under its own Message-ID
    with work():
        assert verify() == []


ISSUER = """
import django
django.setup()
from core import doors
from core.scope import enter, work
from core.tasks import system_scope
from tests import factories

with enter(system_scope(doors.org_of_slug("acorn"))), work():
    factories.invoice(factories.customer(email="payer@kestrel.example"))
"""


def test_with_the_broker_away_work_is_written_at_once_and_found_later(
    committed_acorn: Scope, processes: Processes, tmp_path: Path
) -> None:
    online = processes.env["REDIS_URL"]
    processes.env["REDIS_URL"] = "redis://127.0.0.1:9/0"
    assert processes.start("-c", ISSUER).wait(45) == 0
    assert counted(OutboxEvent, relayed_at=None) > 0
    processes.env["REDIS_URL"] = online
    processes.worker()
    processes.beat(tmp_path / "beat")
    wait_until(lambda: counted(Document) == 1 and counted(Document, pdf=None) == 0)

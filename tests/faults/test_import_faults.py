"""Workers of imports killed with kill -9, again and again: each row comes in once, the counts are complete."""

from pathlib import Path
from typing import Any

import pytest

from core.books import verify
from core.imports import work as imports
from core.models import Effect, ImportRow, OutboxEvent
from core.scope import Scope, work
from customers.models import Customer
from invoicing.models import Document
from tests.db.core.imports import INVOICES, checked, counts, csv, now, undone, uploaded
from tests.faults.test_worker_faults import Processes, broker, counted, processes, wait_until  # noqa: F401

pytestmark = pytest.mark.fault
ROWS = 9_000


def file_of(rows: int) -> bytes:
    return csv(
        INVOICES,
        [(f"A-{n}", f"C{n % 300}", "Kestrel", "EUR", "10.00", "2026-11-02", "") for n in range(rows)],
    )


@pytest.fixture
def same_files(processes: Processes, settings: Any) -> Path:  # noqa: F811
    """The store that the processes of the test use."""
    settings.MEDIA_ROOT = processes.env["MEDIA_ROOT"]
    return Path(settings.MEDIA_ROOT)


def kept_whole(source: Any) -> None:
    """What is in is what the import says is in."""
    with work():
        there = imports.by_public_id(source.public_id)
        made = ImportRow.objects.filter(source=there, outcome="created")
        assert made.count() == there.created == Document.objects.count()
        assert counted(OutboxEvent, name="invoice.imported") == there.created
        assert verify() == []


def test_a_run_killed_again_and_again_brings_each_row_in_once(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
    same_files: Path,
) -> None:
    data = file_of(ROWS)
    source = checked("invoices", data)
    assert counts(source) == (ROWS, 0, 0)
    path = same_files / "file.csv"
    path.write_bytes(data)
    with work():
        imports.start(source.public_id, queued=False)
    command = ("manage.py", "import_invoices", str(path), "--organization", "acorn")
    for goal in (1_000, 4_000, 6_000):
        worker = processes.start(*command)
        wait_until(lambda goal=goal: now(source).worked >= goal, 120)  # type: ignore[misc]
        processes.kill(worker)
        kept_whole(source)
        assert now(source).state == "running"
    assert processes.start(*command).wait(180) == 0
    assert (now(source).state, counts(now(source))) == ("done", (ROWS, 0, 0))
    kept_whole(source)
    with work():
        assert Customer.objects.filter(number__startswith="C").count() == 300
        assert Document.objects.values("number").distinct().count() == ROWS
    assert undone(source).state == "undone"


@pytest.mark.timeout(420)  # four workers start in turn, beside whatever else the machine does
def test_a_queued_check_and_run_outlive_their_workers(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
    same_files: Path,
    tmp_path: Path,
) -> None:
    source = uploaded("invoices", file_of(6_000))
    with work():
        imports.prepare(source.public_id, mapping=source.mapping, choices={})
    processes.beat(tmp_path / "beat")
    for state, after in (("checking", "ready"), ("running", "done")):
        worker = processes.worker()
        wait_until(lambda: now(source).worked >= 1_000, 200)
        processes.kill(worker)
        assert now(source).state in {state, after}
        with work():  # what a dead worker held runs out; here at once instead of in minutes
            Effect.objects.filter(done_at=None).update(lease_until=None)
        worker = processes.worker()
        wait_until(lambda after=after: now(source).state == after, 200)  # type: ignore[misc]
        processes.kill(worker)
        assert counts(now(source)) == (6_000, 0, 0)
        if after == "ready":
            with work():
                imports.start(source.public_id)
    kept_whole(source)

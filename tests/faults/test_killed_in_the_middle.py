"""Matching, acts on many documents and the undo of an import, killed in the middle with kill -9: each ends, once."""

import signal
from pathlib import Path
from typing import Any

import pytest

from cashapp.models import BankLine, Payment
from cashapp.services.lines import LineDraft, write
from core import clock
from core.books import verify
from core.effects import due
from core.imports import work as imports
from core.imports.base import Outcome, Planned, Row, Setup
from core.imports.cells import Habits
from core.models import Effect, Import, Job, OutboxEvent, StateChange
from core.scope import Scope, work
from customers.models import Contact
from invoicing.listing import DocumentFilter
from invoicing.models import Document
from invoicing.services import bulk
from invoicing.services.opening import OpeningDraft, open_documents
from messaging.models import Message
from receivables.models import Allocation, OpenItem
from tests import factories
from tests.db.core.imports import INVOICES, brought_in, csv, now
from tests.faults.test_worker_faults import (  # noqa: F401
    Processes,
    broker,
    counted,
    letters,
    processes,
    wait_until,
)

pytestmark = pytest.mark.fault

LINES = 1_100
"""Two chunks of matching."""
DRAFTS = 120
"""Three steps of an act on many."""

DYING = """
import os, signal, sys
import django
django.setup()
from importlib import import_module
from core import doors, effects
from core.scope import enter
from core.tasks import system_scope

place, name, nth = import_module(sys.argv[1]), sys.argv[2], int(sys.argv[3])
real, calls = getattr(place, name), []

def die(*args, **kwargs):
    calls.append(name)
    if len(calls) == nth:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*args, **kwargs)

setattr(place, name, die)
with enter(system_scope(doors.org_of_slug("acorn"))):
    effects.work_off([])
"""


def dies_at(processes: Processes, place: str, name: str, nth: int) -> None:  # noqa: F811
    """A process works off what is due and is killed at the nth call of a function; the books hold then too."""
    assert processes.start("-c", DYING, place, name, str(nth)).wait(120) == -signal.SIGKILL
    let_go()
    with work():
        assert verify() == []


def let_go() -> None:
    """What a dead worker held runs out; here at once instead of in minutes."""
    with work():
        Effect.objects.filter(done_at=None).update(lease_until=None)


def money() -> None:
    """So many customers, each with a debt and the money that quotes it. Inside work()."""
    day = factories.DAY
    owners = [factories.customer(name=f"Payer Number{n:03d}") for n in range(11)]
    open_documents(
        [
            OpeningDraft(
                entity_id=owners[0].entity_id, customer_id=owners[n % 11].pk, number=f"2025-{20_000 + n}",
                currency="EUR", total_minor=10_000 + n, issued_on=day, due_on=day, source=f"test:{n}",
            )
            for n in range(LINES)
        ],
        posted_on=day,
    )  # fmt: skip
    drafts = [
        LineDraft(
            f"ext:{n}", owners[n % 11].name, "", f"2025-{20_000 + n}", "EUR", 10_000 + n, day, None, f"{n}"
        )
        for n in range(LINES)
    ]
    write(
        [Planned(Row(n, {}), Outcome.CREATED, draft) for n, draft in enumerate(drafts, 1)],
        Setup("imp_test", Habits()),
    )


def every_line_is_booked_once() -> None:
    with work():
        assert Payment.objects.count() == Allocation.objects.count() == LINES
        assert BankLine.objects.filter(state="booked").values("payment").distinct().count() == LINES
        assert not OpenItem.objects.exclude(open_minor=0).exists()
        assert StateChange.objects.filter(to_state="booked").count() == LINES
        assert counted(OutboxEvent, name="payment.received") == LINES
        assert verify() == []


@pytest.mark.parametrize(
    ("place", "name", "nth"),
    [
        ("cashapp.services.matching", "propose", 2),
        ("cashapp.services.payments", "allocate", 1),
        ("cashapp.services.payments", "emit_all", 2),
        ("core.states", "record_moves", 2),
    ],
)
def test_matching_killed_at_any_step_books_each_line_once(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
    place: str,
    name: str,
    nth: int,
) -> None:
    with work():
        money()
    dies_at(processes, place, name, nth)
    assert counted(Payment) == (0 if nth == 1 else 1_000)
    processes.start("-c", DYING, place, name, "0").wait(120)
    assert counted(Effect, kind="cashapp.match", done_at=None) == 0
    every_line_is_booked_once()


def test_workers_killed_while_they_match_book_each_line_once(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
    tmp_path: Path,
) -> None:
    with work():
        money()
    processes.beat(tmp_path / "beat")
    for goal in (1, 1_000):
        worker = processes.worker()
        wait_until(lambda goal=goal: counted(Payment) >= goal, 120)  # type: ignore[misc]
        processes.kill(worker)
        with work():
            assert verify() == []
        let_go()
    processes.worker()
    wait_until(lambda: counted(Effect, kind="cashapp.match", done_at=None) == 0, 120)
    every_line_is_booked_once()


def begun(act: str) -> str:
    """A job for every document of the first customer. Inside work()."""
    today = clock.today("Europe/Berlin")
    return bulk.start(act, DocumentFilter(), today=today, key=f"form-{act}")


def job_of(public_id: str) -> Job:
    with work():
        found: Job = Job.objects.get(public_id=public_id)
        return found


def ended(public_id: str) -> bool:
    return job_of(public_id).state == "done"


def issued_once() -> None:
    with work():
        numbers = list(Document.objects.filter(state="issued").values_list("number", flat=True))
        last = [int(number.rpartition("-")[2]) for number in numbers]
        assert sorted(last) == list(range(1, DRAFTS + 1))
        assert OpenItem.objects.count() == DRAFTS
        assert counted(OutboxEvent, name="invoice.issued") == DRAFTS
        assert verify() == []


def drafts() -> None:
    """Inside work()."""
    owner = factories.customer()
    for _ in range(DRAFTS):
        factories.draft_invoice(owner)


@pytest.mark.parametrize(
    ("place", "name", "nth", "done"),
    [
        ("invoicing.services.bulk", "issue", 2, 50),
        ("invoicing.services.issue", "emit_all", 3, 100),
        ("invoicing.services.bulk", "_note", 2, 50),
    ],
)
def test_a_bulk_issue_killed_at_any_step_issues_each_once(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
    place: str,
    name: str,
    nth: int,
    done: int,
) -> None:
    with work():
        drafts()
        job = begun("issue")
    dies_at(processes, place, name, nth)
    assert (job_of(job).done, counted(Document, state="issued")) == (done, done)
    processes.worker()
    while bulk.step(job):  # beside the worker, as a second one
        pass
    wait_until(lambda: ended(job), 120)
    assert job_of(job).done == DRAFTS
    issued_once()


def test_workers_killed_while_they_issue_number_each_once(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
    tmp_path: Path,
) -> None:
    with work():
        drafts()
        job = begun("issue")
    processes.beat(tmp_path / "beat")
    for goal in (1, 51):
        worker = processes.worker()
        wait_until(lambda goal=goal: job_of(job).done >= goal)  # type: ignore[misc]
        processes.kill(worker)
        let_go()
    processes.worker()
    wait_until(lambda: ended(job))
    issued_once()


def test_workers_killed_while_they_send_mail_each_once(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
    tmp_path: Path,
) -> None:
    """The first dies between two steps, the second while mails leave."""
    several = bulk.STEP + 2
    with work():
        owner = factories.customer()
        made = [factories.invoice(owner).public_id for _ in range(several)]
        due("document.pdf", [(each, {"document": each}) for each in made])
        Contact.objects.create(customer=owner, name="Ada", email="ap@kestrel.example")
        OutboxEvent.objects.filter(relayed_at=None).update(
            relayed_at=clock.wall()
        )  # nothing but the job mails
        job = begun("send")
    processes.beat(tmp_path / "beat")
    for reached in (lambda: job_of(job).done >= 1, lambda: counted(Message, state="sent") >= 3):
        worker = processes.worker()
        wait_until(reached)
        processes.kill(worker)
        let_go()
    processes.worker()

    def all_sent() -> bool:
        with work():  # pauses between tries are over
            Effect.objects.filter(done_at=None, due_at__gt=clock.wall()).update(due_at=clock.wall())
        return ended(job) and counted(Message, state="sent") == several

    wait_until(all_sent, 120)
    with work():
        assert Message.objects.values("about").distinct().count() == Message.objects.count() == several
        assert verify() == []
    copies = letters(tmp_path / "mail")
    assert len(copies) == several
    assert copies.total() <= several + 2  # one per child of the second, under its own Message-ID


@pytest.mark.parametrize(
    ("place", "name", "nth"),
    [
        ("invoicing.services.bulk", "_note", 2),
        ("invoicing.services.bulk", "send_all", 3),
    ],
)
def test_a_bulk_send_killed_at_any_step_queues_each_mail_once(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
    place: str,
    name: str,
    nth: int,
) -> None:
    with work():
        owner = factories.customer(email="ap@kestrel.example")
        for _ in range(DRAFTS):
            factories.invoice(owner)
        job = begun("send")
        Effect.objects.exclude(kind=bulk.KIND).delete()
    dies_at(processes, place, name, nth)
    done = 50 * (nth - 1)
    assert (job_of(job).done, counted(Message)) == (done, done)
    while bulk.step(job):
        pass
    assert (job_of(job).state, counted(Message)) == ("done", DRAFTS)
    with work():
        assert Message.objects.values("about").distinct().count() == DRAFTS


@pytest.fixture
def same_files(processes: Processes, settings: Any) -> None:  # noqa: F811
    """The store that the processes of the test use."""
    settings.MEDIA_ROOT = processes.env["MEDIA_ROOT"]


def invoices(rows: int) -> Import:
    found = brought_in(
        "invoices",
        csv(
            INVOICES,
            [(f"A-{n}", f"C{n % 30}", "Kestrel", "EUR", "10.00", "2026-11-02", "") for n in range(rows)],
        ),
    )
    assert found.state == "done"
    with work():
        imports.undo(found.public_id)
    return found


def undone_once(source: Import, rows: int) -> None:
    assert now(source).state == "undone"
    with work():
        assert Document.objects.filter(state="void").count() == rows
        assert not OpenItem.objects.filter(open_minor__gt=0).exists()
        assert StateChange.objects.filter(to_state="void").count() == rows
        moves = StateChange.objects.filter(object_public_id=source.public_id, to_state="undone")
        assert moves.count() == 1
        assert verify() == []


@pytest.mark.parametrize(
    ("place", "name"), [("core.imports.work", "lock_one"), ("receivables.services.allocate", "settle")]
)
def test_an_undo_killed_at_any_step_takes_back_all_once(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
    same_files: None,
    place: str,
    name: str,
) -> None:
    source = invoices(300)
    dies_at(processes, place, name, 1)
    assert now(source).state == "undoing"
    assert counted(Document, state="void") == 0
    processes.start("-c", DYING, place, name, "0").wait(120)
    undone_once(source, 300)


def test_workers_killed_while_they_undo_an_import_take_back_all_once(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
    same_files: None,
    tmp_path: Path,
) -> None:
    rows = 4_000
    source = invoices(rows)
    processes.beat(tmp_path / "beat")
    for tries in (1, 2):
        worker = processes.worker()
        wait_until(lambda tries=tries: counted(Effect, kind="import", attempts=tries) == 1, 60)  # type: ignore[misc]
        processes.kill(worker)
        assert now(source).state == "undoing"
        let_go()
    processes.worker()
    wait_until(lambda: now(source).state == "undone", 120)
    undone_once(source, rows)

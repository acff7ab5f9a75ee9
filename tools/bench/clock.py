"""A sandbox's clock that stops at every instant, against jumping to the end and doing then all that is due."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from django.db import connection

from core import clock, registry, timetravel
from core.models import Organization
from core.scope import Scope, enter, work
from core.tasks import system_scope
from invoicing.models import Document
from tenants.services.sandbox import make_sandbox
from tests import factories
from tests.conftest import seat
from tools.bench.data import acorn
from tools.bench.lists import FRAMES
from tools.bench.report import Row, seconds

SUBSCRIPTIONS, DAYS = 30, 31
MOST_OF_AT_ONCE, MOST_STATEMENTS = 2, 160


@contextmanager
def _sandbox() -> Iterator[int]:
    """A sandbox with monthly subscriptions that begin on as many days, and nobody who works for it beside."""
    with patch("core.tasks.wake"), acorn(), enter(seat("acorn", "ana@acorn.example")):
        twin = make_sandbox()
        with _worker(twin.pk), work():
            first = clock.now().date() + timedelta(days=1)
            for n in range(SUBSCRIPTIONS):
                payer = factories.customer(number=f"B{n}", email=f"payer{n}@kestrel.example")
                factories.subscription(payer, first + timedelta(days=n))
        yield twin.pk


def _worker(organization_id: int) -> AbstractContextManager[Scope]:
    """As a worker comes: with the clock as it stands."""
    return enter(system_scope(organization_id))


def _step_by_step(organization_id: int) -> None:
    with _worker(organization_id), work():
        timetravel.start(timetravel.business_now() + timedelta(days=DAYS))
    while True:
        with _worker(organization_id):
            timetravel.go_on([])
            with work():
                if timetravel.under_way() is None:
                    return


def _at_once(organization_id: int) -> None:
    with _worker(organization_id), work():
        own = Organization.objects.get(pk=organization_id)
        own.clock_offset += timedelta(days=DAYS)
        own.save(update_fields=["clock_offset"])
    with _worker(organization_id):
        while due := timetravel._due():
            for kind in due:
                registry.due_workers[kind]([])


def _documents(organization_id: int) -> int:
    with _worker(organization_id), work():
        return int(Document.objects.count())


def _counted(counts: list[str]) -> Any:
    """A wrapper that notes each statement."""

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        counts.append(sql)
        return execute(sql, *rest)

    return connection.execute_wrapper(note)


def sandbox_clock() -> Iterator[Row]:
    """Both ways over the same subscriptions, PDFs and mails among it, and the statements for each document."""
    counts: list[str] = []
    with _sandbox() as twin:
        with _counted(counts):
            ours = seconds(lambda: _step_by_step(twin))
        each = sum(not sql.startswith(FRAMES) for sql in counts) / _documents(twin)
    with _sandbox() as twin:
        theirs = seconds(lambda: _at_once(twin))
        made = _documents(twin)
    yield Row(
        f"sandbox's clock, {SUBSCRIPTIONS} subscriptions, {DAYS} days", f"{ours:.1f} s", f"{theirs:.1f} s all at once",
        ours / theirs, MOST_OF_AT_ONCE, at_least=False,
    )  # fmt: skip
    yield Row(
        f"the same, statements for each of {made} documents", f"{each:.0f}", f"{MOST_STATEMENTS}",
        each / MOST_STATEMENTS, 1, at_least=False,
    )  # fmt: skip

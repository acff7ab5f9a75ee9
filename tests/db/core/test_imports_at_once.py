"""Several at one import, or at the same rows: each row comes in once, whoever was first."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from core.imports import opening
from core.imports import work as imports
from core.models import Import, StoredFile
from core.scope import Scope, enter, work
from customers.models import Customer
from tests.db.core.imports import (
    INVOICES,
    PEOPLE,
    checked,
    counts,
    csv,
    documents,
    invoice,
    now,
    run,
    undone,
    uploaded,
)


@pytest.fixture(autouse=True)
def own_files(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


def at_once(scope: Scope, work_of_one: Callable[[int], Any], n: int = 4) -> list[Any]:
    barrier, results = threading.Barrier(n), [None] * n

    def one(place: int) -> None:
        try:
            with enter(scope):
                barrier.wait(10)
                results[place] = work_of_one(place)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(place,)) for place in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_the_same_file_sent_at_once_is_one_import(committed_acorn: Scope) -> None:
    data = csv(PEOPLE, [("C1", "Kestrel", "")])
    made = at_once(
        committed_acorn, lambda _place: opening.upload("customers", data=data, name="x.csv").public_id
    )
    assert len(set(made)) == 1, made
    with work():
        assert Import.objects.count() == 1
        assert StoredFile.objects.count() >= 1


def test_workers_at_one_import_bring_each_row_in_once(committed_acorn: Scope) -> None:
    source = checked("invoices", csv(INVOICES, [invoice(n, customer=f"C{n % 9}") for n in range(200)]))
    with work():
        imports.start(source.public_id, queued=False)
    at_once(committed_acorn, lambda _place: imports.work_off(source.public_id, chunk=10))
    imports.work_off(source.public_id)
    assert (now(source).state, counts(now(source))) == ("done", (200, 0, 0))
    assert len(documents()) == 200


def test_imports_that_hold_the_same_rows_bring_each_in_once(committed_acorn: Scope) -> None:
    """Two files, two workers, the same numbers: each is made by one of them and is here already for the other."""
    rows = [invoice(n, customer=f"C{n % 9}") for n in range(60)]
    sources = [checked("invoices", csv(INVOICES, part)) for part in (rows, rows[::-1])]
    for source in sources:
        with work():
            imports.start(source.public_id, queued=False)
    failures = [
        each
        for each in at_once(
            committed_acorn, lambda place: imports.work_off(sources[place].public_id, chunk=7), n=2
        )
        if isinstance(each, Exception)
    ]
    for source in sources:
        imports.work_off(source.public_id)
    done = [now(source) for source in sources]
    assert [source.state for source in done] == ["done", "done"], failures
    assert sum(source.created for source in done) == 60
    assert sum(source.unchanged for source in done) == 60
    assert len(documents()) == 60


def test_a_check_by_two_workers_ends_with_the_right_counts(committed_acorn: Scope) -> None:
    source = uploaded("invoices", csv(INVOICES, [invoice(n % 50) for n in range(120)]))
    with work():
        imports.prepare(source.public_id, mapping=source.mapping, choices={}, queued=False)
    at_once(committed_acorn, lambda _place: imports.work_off(source.public_id, chunk=10), n=3)
    imports.work_off(source.public_id)
    assert (now(source).state, counts(now(source))) == ("ready", (50, 70, 0))


def test_stop_and_undo_meet_a_running_worker(committed_acorn: Scope) -> None:
    source = checked("invoices", csv(INVOICES, [invoice(n) for n in range(300)]))
    with work():
        imports.start(source.public_id, queued=False)

    def act(place: int) -> Any:
        if place:
            while not now(source).worked and now(source).state == "running":
                pass
            with work():
                imports.stop(source.public_id)
            return "stopped"
        return imports.work_off(source.public_id, chunk=5)

    at_once(committed_acorn, act, n=2)
    stopped = now(source)
    assert stopped.state in {"stopped", "done"}
    assert len(documents()) == stopped.created
    assert undone(stopped).state == "undone"


def test_a_row_made_meanwhile_is_planned_anew(
    committed_acorn: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the plan and its writing somebody else made C2: it is here already, and C1 and C3 are made once."""
    from customers.services import imports as plans
    from tests import factories

    source = checked("customers", csv(PEOPLE, [(f"C{n}", "Kestrel", "") for n in (1, 2, 3)]))
    real, met = plans.create_customers, []

    def late(drafts: Any) -> Any:
        if not met:
            met.extend(at_once(committed_acorn, lambda _place: make(), n=1))
        return real(drafts)

    def make() -> None:
        with work():
            factories.customer(number="C2", name="Kestrel")

    monkeypatch.setattr(plans, "create_customers", late)
    source = run(source)
    assert met == [None]
    assert (source.state, counts(source)) == ("done", (2, 1, 0))
    with work():
        assert Customer.objects.filter(number__in=["C1", "C2", "C3"]).count() == 3

"""What holds for every kind of import: a check says what the run does, nothing comes in twice, an undo is whole."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock, effects, registry
from core.books import verify
from core.errors import Conflict
from core.imports import work as imports
from core.imports.reading import Shape, Unreadable
from core.models import Effect, Import, ImportRow, StateChange
from core.relay import PARK_AFTER
from core.scope import Scope, work
from core.states import StateConflict
from customers.models import Customer
from tests.db.core.imports import (
    INVOICES,
    PEOPLE,
    TODAY,
    brought_in,
    checked,
    counts,
    csv,
    documents,
    invoice,
    now,
    problems,
    run,
    undone,
    uploaded,
)


@pytest.fixture(autouse=True)
def own_files(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


# A check and a run

_numbers = st.sampled_from(["A-1", "A-2", "A-3", "A-4", ""])
_rows = st.lists(
    st.tuples(
        _numbers,
        st.sampled_from(["C1", "C2", "C3", "C9"]),
        st.sampled_from(["", "Kestrel", "Moss"]),
        st.sampled_from(["EUR", "EUR", "JPY", "XX"]),
        st.sampled_from(["10.00", "10.00", "7.50", "0", "-1", "x", "1e5", ""]),
        st.sampled_from([TODAY, TODAY, "2026-02-30", "2199-01-01", "0001-01-01"]),
        st.sampled_from(["", "2026-11-01", "2026-12-24"]),
    ),
    min_size=1,
    max_size=12,
)


class Cut(BaseException):
    """The worker is gone."""


def cut_after(chunks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next run loses its worker behind so many chunks."""
    real, left = imports._chunk, [chunks]

    def chunk(*args: Any) -> bool:
        if not left[0]:
            raise Cut
        left[0] -= 1
        return real(*args)

    monkeypatch.setattr(imports, "_chunk", chunk)


@given(rows=_rows, size=st.integers(1, 5), cut=st.integers(0, 4), rounds=st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_check_says_what_the_run_does(
    acorn: Scope, rows: list[tuple[str, ...]], size: int, cut: int, *, rounds: bool
) -> None:
    """Counts and problems are the same, whatever the chunks, and when the run is cut off and gone on with."""
    from django.db import transaction

    with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        with work():
            from tests import factories

            factories.customer(number="C3", terms_days=60)
        told = checked("invoices", csv(INVOICES, rows), rounds=rounds)
        said, wrong = counts(told), problems(told)
        again = checked("invoices", csv(INVOICES, rows), rounds=rounds, chunk=size)
        assert (counts(again), problems(again)) == (said, wrong)
        if said[0]:
            with work():
                imports.start(told.public_id, queued=False)
            cut_after(cut, patch)
            try:
                imports.work_off(told.public_id, chunk=size)
            except Cut:
                patch.undo()
                imports.work_off(told.public_id, chunk=3)
            patch.undo()
            done = now(told)
            assert done.state == "done"
            assert (counts(done), problems(done)) == (said, wrong)
            made = documents()
            assert len(made) == said[0]
            repeated = checked("invoices", csv(INVOICES, rows), rounds=rounds)
            assert counts(repeated) == (0, said[0] + said[1], said[2])
            turned = checked("invoices", csv(INVOICES, sorted(rows, reverse=True)), rounds=rounds)
            assert turned.created + turned.unchanged + turned.failed == turned.rows
        with work():
            assert verify() == []
        transaction.set_rollback(True)


@pytest.mark.parametrize("cut", [0, 1, 3])
def test_a_run_that_was_cut_off_goes_on_behind_what_is_in(acorn: Scope, cut: int) -> None:
    rows = [invoice(n % 8, customer=f"C{n % 3}", amount="x" if n == 5 else "10.00") for n in range(11)]
    told = checked("invoices", csv(INVOICES, rows))
    said, wrong = counts(told), problems(told)
    with work():
        imports.start(told.public_id, queued=False)
    with pytest.MonkeyPatch.context() as patch:
        cut_after(cut, patch)
        with pytest.raises(Cut):
            imports.work_off(told.public_id, chunk=3)
    assert now(told).worked == 3 * cut
    imports.work_off(told.public_id, chunk=4)
    done = now(told)
    assert (done.state, counts(done), problems(done)) == ("done", said, wrong)
    assert len(documents()) == said[0]


def test_due_days_do_not_depend_on_the_chunk(acorn: Scope) -> None:
    """A customer that the file makes has the terms of the legal entity from the first row on."""
    with work():
        from tenants.models import LegalEntity

        LegalEntity.objects.create(
            name="North", code="NORTH", country="DK", currency="DKK", zone="Europe/Copenhagen", terms_days=75
        )
    heading = (*INVOICES, "Legal entity")
    rows = [(*invoice(n), "NORTH") for n in range(6)]
    brought_in("invoices", csv(heading, rows), chunk=2)
    wanted = date.fromisoformat(TODAY) + timedelta(days=75)
    assert {row[4] for row in documents()} == {wanted}


@pytest.mark.parametrize("kind", ["customers", "invoices", "payments"])
def test_the_same_rows_again_and_in_another_order_change_nothing(acorn: Scope, kind: str) -> None:
    heading, rows = {
        "customers": (PEOPLE, [(f"C{n}", f"Kestrel {n}", "de") for n in range(30)]),
        "invoices": (INVOICES, [invoice(n, customer=f"C{n % 4}") for n in range(30)]),
        "payments": (
            ("Received on", "Amount", "Currency", "Payer"),
            [(TODAY, f"{n % 3}5.00", "EUR", "Kestrel") for n in range(30)],
        ),
    }[kind]
    assert counts(brought_in(kind, csv(heading, rows))) == (30, 0, 0)
    with work():
        before = ImportRow.objects.filter(outcome="created").count()
    for part in (rows, rows[::-1], rows[7:] + rows[:7]):
        again = checked(kind, csv(heading, part))
        assert counts(again) == (0, 30, 0)
        with work(), pytest.raises(Conflict):
            imports.start(again.public_id)
    with work():
        assert ImportRow.objects.filter(outcome="created").count() == before


def test_a_check_of_another_reading_starts_over(acorn: Scope) -> None:
    source = checked("customers", b"Number;Name\nC1;Kestrel\nC2;\n")
    assert counts(source) == (1, 0, 1)
    imports.reread(source.public_id, Shape("cp1252", ";"))
    source = now(source)
    assert (source.state, source.worked, counts(source)) == ("uploaded", 0, (0, 0, 0))
    with work():
        assert not ImportRow.objects.filter(source=source).exists()
        assert verify() == []
        with pytest.raises(StateConflict):
            imports.start(source.public_id)


def test_a_reading_that_fails_changes_nothing(acorn: Scope) -> None:
    source = checked("customers", "Number;Name\nC1;Käthe\n".encode())
    with pytest.raises(Unreadable):
        imports.reread(source.public_id, Shape("utf-16", ";"))
    assert (now(source).state, now(source).version) == ("ready", source.version)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("..\\..\\people.csv", "people.csv"),
        ("/etc/people.csv", "people.csv"),
        ("a\u202evsc.exe\x00\r\n\ud800.csv", "avsc.exe.csv"),
        ("x" * 300 + ".csv", "x" * 196 + ".csv"),
        ("\u200b", "file"),
        ("", "file"),
    ],
)
def test_a_name_is_kept_as_people_may_see_it(acorn: Scope, name: str, kept: str) -> None:
    assert now(uploaded("customers", csv(PEOPLE, [("C1", "Kestrel", "")]), name=name)).file.name == kept


# Others at the same moment


def test_what_stays_taken_ends_in_an_error_and_writes_nothing(
    acorn: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    from customers.services import imports as plans

    def taken(_drafts: Any) -> Any:
        raise IntegrityError("customer_number")

    source = checked("customers", csv(PEOPLE, [("C1", "Kestrel", "")]))
    monkeypatch.setattr(plans, "create_customers", taken)
    with pytest.raises(IntegrityError):
        run(source)
    assert (now(source).state, now(source).worked) == ("running", 0)


def test_a_closed_period_stops_the_run_and_keeps_whole_chunks(acorn: Scope) -> None:
    from ledger.models import PeriodLock
    from tenants.selectors import entity

    source = checked("invoices", csv(INVOICES, [invoice(n) for n in range(9)]))
    with work():
        imports.start(source.public_id, queued=False)
    with pytest.MonkeyPatch.context() as patch:
        cut_after(2, patch)
        with pytest.raises(Cut):
            imports.work_off(source.public_id, chunk=3)
    with work():
        PeriodLock.objects.create(entity_id=entity().pk, closed_through=clock.today(entity().zone))
    imports.work_off(source.public_id, chunk=3)
    source = now(source)
    assert (source.state, source.worked, counts(source)) == ("stopped", 6, (6, 0, 0))
    assert "closed" in source.message
    assert len(documents()) == 6
    assert not problems(source)
    again = undone(source)
    assert again.state == "stopped"  # the books are still closed, so nothing can be taken back today
    assert len({row[5] for row in documents()}) == 1


def test_stopped_in_the_middle_undone_and_brought_in_again(acorn: Scope) -> None:
    data = csv(INVOICES, [invoice(n) for n in range(9)])
    source = checked("invoices", data)
    with work():
        imports.start(source.public_id, queued=False)
    with pytest.MonkeyPatch.context() as patch:
        cut_after(1, patch)
        with pytest.raises(Cut):
            imports.work_off(source.public_id, chunk=4)
    with work():
        imports.stop(source.public_id)
        imports.stop(source.public_id)
        assert verify() == []
    imports.work_off(source.public_id)
    source = now(source)
    assert (source.state, counts(source)) == ("stopped", (4, 0, 0))
    rest = checked("invoices", data)
    assert rest.public_id != source.public_id
    assert counts(rest) == (5, 4, 0)
    source = undone(source)
    assert source.state == "undone"
    assert {row[5] for row in documents()} == {"void"}
    with work():
        assert verify() == []
        imports.undo(source.public_id)  # again changes nothing
    assert now(source).version == source.version
    again = run(checked("invoices", data))
    assert (again.state, counts(again)) == ("done", (9, 0, 0))
    assert sorted(row[5] for row in documents()) == ["issued"] * 9 + ["void"] * 4


@pytest.mark.parametrize("use", ["paid", "written off", "voided by hand"])
def test_what_was_used_keeps_the_whole_import(
    acorn: Scope, use: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what was taken back before the used one was met, in parts of two."""
    from cashapp.services.payments import record
    from invoicing.services import opening
    from invoicing.services.correct import void
    from receivables.models import OpenItem
    from receivables.services.write_off import write_off

    monkeypatch.setattr(opening, "_CHUNK", 2)
    source = brought_in("invoices", csv(INVOICES, [invoice(n) for n in range(5)]))
    with work():
        owner = Customer.objects.get(number="C1")
        item = OpenItem.objects.get(label="A-3")
        on = clock.today("Europe/Berlin")
        if use == "paid":
            record(
                customer=owner.public_id,
                minor=1,
                received_on=on,
                method="bank_transfer",
                key="k",
                parts={item.pk: 1},
            )
        elif use == "written off":
            write_off(item.pk, minor=1, on=on, reason="x", key="form_12345678")
        else:
            void(item.source, on=on, reason="twice")
    before = documents()
    after = undone(source)
    if use == "voided by hand":  # taken back already, so nothing stands in the way
        assert after.state == "undone"
        return
    assert after.state == "done"
    assert "A-3" in after.message
    assert documents() == before
    with work():
        assert verify() == []
        assert StateChange.objects.filter(object_public_id=source.public_id).latest("id").to_state == "done"


def test_customers_are_deleted_again_unless_one_is_used(acorn: Scope) -> None:
    from tests import factories

    data = csv(
        ("Number", "Name", "E-mail"), [(f"C{n}", "Kestrel", f"ap{n}@kestrel.example") for n in range(4)]
    )
    source = brought_in("customers", data)
    with work():
        kept = factories.invoice(Customer.objects.get(number="C2"))
    refused = undone(source)
    assert refused.state == "done"
    assert "document, a payment or a subscription" in refused.message
    with work():
        assert Customer.objects.filter(number__startswith="C").count() == 4
        assert kept.customer.number == "C2"
    other = brought_in("customers", csv(PEOPLE, [("D1", "Moss", "DE")]))
    assert undone(other).state == "undone"
    assert brought_in("customers", csv(PEOPLE, [("D1", "Moss", "DE")])).created == 1


def test_a_customer_changed_since_stays(acorn: Scope) -> None:
    source = brought_in("customers", csv(PEOPLE, [("C1", "Kestrel", ""), ("C2", "Moss", "")]))
    with work():
        row = Customer.objects.get(number="C2")
        row.name = "Moss & Sons"
        row.touch("name")
    refused = undone(source)
    assert (refused.state, "C2" in refused.message) == ("done", True)
    with work():
        assert Customer.objects.filter(number__in=["C1", "C2"]).count() == 2


# The queue


def test_a_run_gives_others_their_turn_and_comes_back(acorn: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    source = checked("invoices", csv(INVOICES, [invoice(n) for n in range(6)]))
    with work():
        imports.start(source.public_id)
    monkeypatch.setattr(imports, "TURN", timedelta(0))
    monkeypatch.setattr(effects, "SHIFT", timedelta(seconds=1))  # else it comes back until a minute is over
    effects.work_off([])
    with work():
        waiting = Effect.objects.get(kind=imports.EFFECT, done_at=None)
        assert (waiting.attempts, waiting.parked_at) == (0, None)
    assert now(source).worked == 0
    monkeypatch.undo()
    effects.work_off([])
    assert (now(source).state, now(source).created) == ("done", 6)


def test_a_check_is_not_begun_anew_at_every_turn(acorn: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    """What earlier rows would make is known only to the worker that saw them: such a check could never end."""
    source = uploaded("invoices", csv(INVOICES, [invoice(n) for n in range(6)]))
    with work():
        imports.prepare(source.public_id, mapping=source.mapping, choices={})
    monkeypatch.setattr(imports, "TURN", timedelta(0))
    monkeypatch.setattr(imports, "CHUNK", 2)
    effects.work_off([])
    assert (now(source).state, now(source).created) == ("ready", 6)


def test_a_missing_file_stops_nothing_for_ever(acorn: Scope) -> None:
    from django.core.files.storage import default_storage

    source = uploaded("customers", csv(PEOPLE, [("C1", "Kestrel", "")]))
    with work():
        imports.prepare(source.public_id, mapping=source.mapping, choices={})
    default_storage.delete(source.file.storage_key)
    effects.work_off([])
    assert now(source).state == "checking"
    with work():
        imports.discard(source.public_id)
        assert Effect.objects.get(kind=imports.EFFECT).last_error
    assert uploaded("customers", csv(PEOPLE, [("C1", "Kestrel", "")])).public_id != source.public_id


def test_a_chunk_takes_a_constant_number_of_statements(acorn: Scope) -> None:
    heading = (*INVOICES, "Reference", "Second reference")

    def statements(kind: str, data: bytes, state: str) -> int:
        source = checked(kind, data)
        with CaptureQueriesContext(connection) as captured:
            run(source) if state == "run" else checked(kind, data)
        assert now(source).rows > 2
        return len(captured)

    files = {
        "customers": lambda n, of: csv(PEOPLE, [(f"C{of}{each}", "Kestrel", "DE") for each in range(n)]),
        "invoices": lambda n, of: csv(
            heading,
            [(*invoice(of * 5000 + each, customer=f"D{of}{each % 7}"), f"P{each}", "Q") for each in range(n)],
        ),
        "payments": lambda n, of: csv(
            ("Received on", "Amount", "Currency", "Payer", "Customer number"),
            [(TODAY, f"{of}.{each % 90 + 10}", "EUR", f"Kestrel {each}", "") for each in range(n)],
        ),
    }
    for kind, file in files.items():
        for state in ("check", "run"):
            few = statements(kind, file(10, 1 if state == "run" else 2), state)
            many = statements(kind, file(900, 3 if state == "run" else 4), state)
            assert many <= few + 4, (kind, state, few, many)  # a statement takes 65,535 parameters
            assert many < 90, (kind, state, many)


# The books


def test_counts_that_are_not_those_of_the_rows_are_found(acorn: Scope) -> None:
    source = brought_in("customers", csv(PEOPLE, [("C1", "Kestrel", ""), ("C2", "", "")]))

    def found() -> set[str]:
        with work():
            return {finding.check for finding in verify()}

    with work():
        Import.objects.filter(pk=source.pk).update(created=0, unchanged=1)
    assert any("counts" in name for name in found())
    with work():
        Import.objects.filter(pk=source.pk).update(created=1, unchanged=0)
        assert verify() == []
        Import.objects.filter(pk=source.pk).update(rows=3)
    assert any("counts" in name for name in found())
    with work():
        Import.objects.filter(pk=source.pk).update(rows=2)
        ImportRow.objects.filter(source=source, number=2).update(made="")
    assert any("counts" in name for name in found())
    with work():
        ImportRow.objects.filter(source=source, number=2).update(made="cus_x")
        ImportRow.objects.filter(source=source, number=3).delete()
    assert any("counts" in name for name in found())
    with work():
        ImportRow.objects.create(source=source, number=3, outcome="failed")


def test_each_importer_is_tested_here() -> None:
    assert set(registry.importers) == {"customers", "invoices", "payments"}


@pytest.mark.parametrize(
    ("state", "after"), [("checking", "uploaded"), ("running", "stopped"), ("undoing", "done")]
)
def test_a_file_whose_worker_died_every_time_is_let_go_with_the_reason(
    acorn: Scope, state: str, after: str
) -> None:
    data = csv(INVOICES, [invoice(1), invoice(2)])
    source = uploaded("invoices", data) if state == "checking" else checked("invoices", data)
    with work():
        if state == "checking":
            imports.prepare(source.public_id, mapping=source.mapping, choices={})
        elif state == "running":
            imports.start(source.public_id)
    if state == "undoing":
        run(source)
        with work():
            imports.undo(source.public_id)
    assert now(source).state == state
    with work():
        Effect.objects.filter(kind="import", done_at=None).update(attempts=PARK_AFTER)
    effects.work_off([])
    assert now(source).state == after
    assert "died at every try" in now(source).message
    if state == "checking":
        with work():
            imports.prepare(source.public_id, mapping=source.mapping, choices={}, queued=False)
        assert now(source).message == ""

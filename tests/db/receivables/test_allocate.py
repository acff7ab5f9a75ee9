"""Credits against debits: exact, once, never beyond what is open, and reversible."""

import threading
from datetime import date

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import scope as scopes
from core.books import verify
from core.errors import AppError, Invalid, NotFound
from core.models import AuditEntry, OutboxEvent
from core.scope import Scope, work
from receivables.domain.items import Kind, Target, oldest_first
from receivables.models import Allocation, OpenItem
from receivables.services.allocate import AlreadyUndone, Part, TooMuch, allocate, undo
from receivables.services.write_off import write_off
from tests import factories
from tests.factories import DAY


def open_of(facts: object) -> int:
    return OpenItem.objects.get(pk=facts.item_id).open_minor  # type: ignore[attr-defined,no-any-return]


def test_a_payment_in_full_settles_both_sides_and_says_so(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        invoice, payment = factories.item(owner, 10_000), factories.item(owner, 10_000, Kind.PAYMENT)
        allocate([Part("a", invoice.item_id, payment.item_id, 10_000)], effective_on=DAY)
        assert open_of(invoice) == open_of(payment) == 0
        assert OpenItem.objects.get(pk=invoice.item_id).settled_on == DAY
        assert OutboxEvent.objects.filter(name="item.settled").count() == 2


def test_a_partial_payment_leaves_the_rest_open(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        invoice, payment = factories.item(owner, 10_000), factories.item(owner, 3_000, Kind.PAYMENT)
        allocate([Part("a", invoice.item_id, payment.item_id, 3_000)], effective_on=DAY)
        assert (open_of(invoice), open_of(payment)) == (7_000, 0)


@pytest.mark.parametrize("minor", [0, -1])
def test_an_amount_that_is_not_positive_is_refused(acorn: Scope, minor: int) -> None:
    with work():
        owner = factories.customer()
        invoice, payment = factories.item(owner, 100), factories.item(owner, 100, Kind.PAYMENT)
        with pytest.raises(Invalid):
            allocate([Part("a", invoice.item_id, payment.item_id, minor)], effective_on=DAY)


def test_more_than_is_open_is_refused_and_nothing_is_written(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        invoice, payment = factories.item(owner, 100), factories.item(owner, 500, Kind.PAYMENT)
        with pytest.raises(TooMuch):
            allocate([Part("a", invoice.item_id, payment.item_id, 101)], effective_on=DAY)
        assert not Allocation.objects.exists()


def test_what_is_reserved_for_an_attempt_cannot_be_used_by_others(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        invoice, payment = factories.item(owner, 100), factories.item(owner, 100, Kind.PAYMENT)
        OpenItem.objects.filter(pk=invoice.item_id).update(reserved_minor=60)
        with pytest.raises(TooMuch):
            allocate([Part("a", invoice.item_id, payment.item_id, 41)], effective_on=DAY)
        allocate([Part("a", invoice.item_id, payment.item_id, 40)], effective_on=DAY)
        OpenItem.objects.filter(pk=invoice.item_id).update(reserved_minor=0)


def test_a_rerun_with_the_same_key_adds_nothing(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        invoice, payment = factories.item(owner, 100), factories.item(owner, 100, Kind.PAYMENT)
        part = Part("same", invoice.item_id, payment.item_id, 40)
        for _ in range(3):
            allocate([part], effective_on=DAY)
        assert open_of(invoice) == 60


def test_undo_reopens_and_can_be_done_once(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        invoice, payment = factories.item(owner, 100), factories.item(owner, 100, Kind.PAYMENT)
        allocate([Part("a", invoice.item_id, payment.item_id, 100)], effective_on=DAY)
        done = Allocation.objects.get()
        undo(done.pk, on=DAY, reason="wrong invoice")
        assert open_of(invoice) == open_of(payment) == 100
        assert OpenItem.objects.get(pk=invoice.item_id).settled_on is None
        with pytest.raises(AlreadyUndone):
            undo(done.pk, on=DAY, reason="again")


def test_an_undo_cannot_itself_be_undone(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        invoice, payment = factories.item(owner, 100), factories.item(owner, 100, Kind.PAYMENT)
        allocate([Part("a", invoice.item_id, payment.item_id, 100)], effective_on=DAY)
        undo(Allocation.objects.get().pk, on=DAY, reason="x")
        with pytest.raises(NotFound):
            undo(Allocation.objects.get(minor__lt=0).pk, on=DAY, reason="x")


def test_currencies_do_not_mix(acorn: Scope) -> None:
    with work():
        invoice = factories.item(factories.customer(), 100)
        payment = factories.item(factories.customer(currency="USD"), 100, Kind.PAYMENT)
        with pytest.raises((IntegrityError, AppError, ValueError)), transaction.atomic():
            allocate([Part("a", invoice.item_id, payment.item_id, 100)], effective_on=DAY)


@pytest.mark.parametrize("statement", [
    "UPDATE receivables_openitem SET open_minor = 0",
    "UPDATE receivables_openitem SET total_minor = 1",
    "DELETE FROM receivables_openitem",
    "UPDATE receivables_allocation SET minor = 1",
    "DELETE FROM receivables_allocation",
    "TRUNCATE receivables_allocation, receivables_openitem CASCADE",
])  # fmt: skip
def test_open_amounts_move_by_allocations_alone(acorn: Scope, statement: str) -> None:
    with work():
        owner = factories.customer()
        factories.item(owner, 100)
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_write_off_needs_a_reason_and_stays_within_what_is_open(acorn: Scope) -> None:
    with work():
        invoice = factories.item(factories.customer(), 100)
        with pytest.raises(Invalid):
            write_off(invoice.item_id, minor=10, on=DAY, reason=" ", key="w")
        with pytest.raises(TooMuch):
            write_off(invoice.item_id, minor=101, on=DAY, reason="bankrupt", key="w")
        for _ in range(2):
            write_off(invoice.item_id, minor=100, on=DAY, reason="bankrupt", key="w")
        assert open_of(invoice) == 0


def test_allocating_leaves_an_audit_of_who_and_what(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        invoice, payment = factories.item(owner, 100), factories.item(owner, 100, Kind.PAYMENT)
        allocate([Part("a", invoice.item_id, payment.item_id, 100)], effective_on=DAY)
        moved = AuditEntry.objects.filter(object_id=invoice.item_id, action=AuditEntry.Action.UPDATE)
        changes = [entry.changes for entry in moved if "open_minor" in entry.changes]
        assert [change["open_minor"] for change in changes] == [[100, 0]]
        assert moved[0].actor_email == "Ana"


def test_thirty_threads_cannot_spend_a_payment_twice(committed_acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        payment = factories.item(owner, 10_000, Kind.PAYMENT)
        invoices = [factories.item(owner, 1_000) for _ in range(30)]
    outcomes: list[str] = []
    barrier = threading.Barrier(30)

    def spend(n: int) -> None:
        try:
            barrier.wait()
            with scopes.enter(committed_acorn), work():
                allocate([Part(f"t{n}", invoices[n].item_id, payment.item_id, 1_000)], effective_on=DAY)
            outcomes.append("applied")
        except AppError as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=spend, args=(n,)) for n in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(set(outcomes)) == ["applied", "more_than_open"]
    assert outcomes.count("applied") == 10
    with work():
        assert OpenItem.objects.get(pk=payment.item_id).open_minor == 0
        assert verify() == []


@given(
    st.integers(1, 10_000),
    st.lists(st.tuples(st.integers(1, 3_000), st.dates(date(2026, 1, 1), date(2026, 12, 31))), max_size=12),
)
def test_splitting_oldest_first_never_exceeds_either_side(amount: int, rows: list[tuple[int, date]]) -> None:
    targets = [Target(n, minor, due) for n, (minor, due) in enumerate(rows)]
    parts = oldest_first(amount, targets)
    assert sum(minor for _, minor in parts) == min(amount, sum(minor for minor, _ in rows))
    assert all(0 < minor <= rows[n][0] for n, minor in parts)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(1, 120)), max_size=15))
def test_any_sequence_of_moves_keeps_the_books(acorn: Scope, moves: list[tuple[int, int, int]]) -> None:
    """Random allocations and undos: what is refused changes nothing, what is written adds up."""
    with transaction.atomic():
        with work():
            owner = factories.customer()
            debits = [factories.item(owner, 100) for _ in range(3)]
            credits = [factories.item(owner, 90, Kind.PAYMENT) for _ in range(3)]
            for n, (d, c, minor) in enumerate(moves):
                try:
                    with transaction.atomic():
                        allocate(
                            [Part(f"m{n}", debits[d].item_id, credits[c].item_id, minor)], effective_on=DAY
                        )
                except TooMuch:
                    last = Allocation.objects.filter(reverses=None).order_by("-id").first()
                    if last and not Allocation.objects.filter(reverses=last).exists():
                        undo(last.pk, on=DAY, reason="swap")
            assert verify() == []
        transaction.set_rollback(True)

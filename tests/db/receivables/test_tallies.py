"""Tallies: kept figures equal counted ones after any life, and writers at once neither wait nor lose."""

import threading
from datetime import date, timedelta
from itertools import product

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import tallies
from core.books import verify
from core.models import Tally
from core.scope import Scope, enter, work
from customers.listing import CustomerFilter, customers, sums
from customers.services.customers import set_archived
from invoicing.listing import STATES, DocumentFilter, counted, documents, totals
from invoicing.models import Document
from invoicing.services.correct import void
from invoicing.services.credit import credit
from invoicing.services.edit import delete_draft
from ledger.models import Leg
from ledger.selectors import control_balances, trial_balances
from ledger.services.post import accounts
from receivables import balances
from receivables.ageing import Ageing, ageing
from receivables.domain.items import Kind
from receivables.models import Allocation, OpenItem
from receivables.selectors import item_states
from receivables.services.allocate import Part, allocate, undo
from receivables.services.write_off import write_off
from tests import factories
from tests.factories import DAY

_FORWARD = """
    WITH used AS (
        SELECT item_id, sum(minor) AS minor FROM (
            SELECT debit_item_id AS item_id, minor FROM receivables_allocation WHERE effective_on <= %(on)s
            UNION ALL
            SELECT credit_item_id, minor FROM receivables_allocation WHERE effective_on <= %(on)s) sides
        GROUP BY 1)
    SELECT i.customer_id, i.currency, i.side, i.due_on, i.total_minor, coalesce(u.minor, 0), i.deposit_minor,
           i.deposit_due_on, i.rest_due_on
    FROM receivables_openitem i LEFT JOIN used u ON u.item_id = i.id
    WHERE i.effective_on <= %(on)s AND i.total_minor <> coalesce(u.minor, 0)
"""
"""What was open as of a day from the beginning of time on: slow, and plain to see."""
_Figures = dict[tuple[str, int], list[int]]


def _plain(on: date) -> _Figures:
    found: _Figures = {}
    with connection.cursor() as cursor:
        cursor.execute(_FORWARD, {"on": on})
        for customer_id, code, side, due_on, total, used, deposit, deposit_due_on, rest_due_on in cursor:
            sooner = max(deposit - used, 0)
            for minor, day in ((sooner, deposit_due_on), (total - used - sooner, rest_due_on or due_on)):
                late = (on - day).days if minor else 0
                level = (
                    5
                    if side == "credit"
                    else next((n for n, end in enumerate((0, 30, 60, 90)) if late <= end), 4)
                )
                found.setdefault((code, customer_id), [0] * 6)[level] += int(minor)
    return found


def _aged(found: list[Ageing]) -> _Figures:
    return {
        (each.currency, row.customer_id): [*row.owed, row.credit_minor] for each in found for row in each.rows
    }


@pytest.fixture
def lived(acorn: Scope) -> None:
    """Two customers in two currencies: drafts, paid, late, credited, written off, void, prepaid, archived."""
    with work():
        euro, yen = factories.customer(), factories.customer(currency="JPY")
        gone = factories.customer()
        factories.draft_invoice(euro)
        thrown = Document.objects.get(pk=factories.draft_invoice(euro))
        delete_draft(thrown.public_id, version=thrown.version)
        factories.invoice(euro, ("1", "100.00"), on=date(2020, 1, 1))
        factories.invoice(yen, ("1", "1847"), tax="0", on=date(2026, 2, 1))
        part, whole, lost = (factories.invoice(euro, ("1", "50.00"), on=DAY) for _ in range(3))
        factories.invoice(euro, ("1", "0.00"), on=DAY)
        free = factories.invoice(euro, ("1", "75.00"), on=DAY)
        void(factories.invoice(euro).public_id, on=DAY, reason="twice")
        write_off(OpenItem.objects.get(source=lost.public_id).pk, minor=1_000, on=DAY, reason="gone", key="w")
        credit(part.public_id, amounts={1: 1_000}, on=DAY, reason="late", key="a")
        paid = factories.payment(euro, 10_000, on=DAY)
        item = OpenItem.objects.get(source=whole.public_id)
        allocate([Part("p", item.pk, paid.item_id, item.open_minor)], effective_on=DAY)
        credit(free.public_id, on=DAY, reason="all of it", key="b")
        factories.payment(gone, 500)
        set_archived(gone.pk, archived=True)


@pytest.mark.parametrize("kind", ["", "invoice", "credit_note"])
@pytest.mark.parametrize("currency", ["", "EUR", "JPY", "USD"])
def test_the_list_comes_to_what_its_documents_come_to(lived: None, kind: str, currency: str) -> None:
    with work():
        for state, today in product(("", *STATES), (DAY, DAY + timedelta(days=60))):
            wanted = DocumentFilter(state=state, kind=kind, currency=currency)
            assert wanted.is_tallied
            assert totals(wanted, today=today) == counted(documents(wanted, today=today)), (state, today)


def test_customers_come_to_what_their_items_come_to(lived: None) -> None:
    with work():
        for today in (DAY, DAY + timedelta(days=60)):
            found = customers(CustomerFilter(), today=today)
            plain = balances.of_all(found.values("pk"), today=today)
            assert sums(CustomerFilter(), today=today) == plain
            assert [each.currency for each in plain] == ["EUR", "JPY"]


def test_balances_are_those_of_the_legs(lived: None) -> None:
    with work():
        for as_of in (None, DAY, DAY - timedelta(days=1), date(2019, 1, 1)):
            legs = Leg.objects.filter(entry__effective_on__lte=as_of or date.max)
            plain = legs.order_by().values_list("currency", "account__code").annotate(minor=Sum("minor"))
            kept = {
                (each.currency, row.code): row.balance.minor
                for each in trial_balances(as_of)
                for row in each.rows
            }
            assert kept == {(code, account): int(minor) for code, account, minor in plain}


def test_a_write_that_is_undone_leaves_no_figure(acorn: Scope) -> None:
    with work():
        before = list(tallies.sums("open", "currency", "kind"))
        with transaction.atomic():
            factories.item(factories.customer(), 100)
            transaction.set_rollback(True)
        assert list(tallies.sums("open", "currency", "kind")) == before
        assert verify() == []


def test_writers_at_once_neither_wait_nor_lose(committed_acorn: Scope) -> None:
    """Each holds its transaction open until all have written: with one row for all they would never get there."""
    with work():
        accounts()  # the chart is written at first use
        owners = [factories.customer() for _ in range(4)]
    together = threading.Barrier(len(owners), timeout=30)
    wrong: list[BaseException] = []

    def write(owner: object) -> None:
        try:
            with enter(committed_acorn), work():
                factories.item(owner, 100)  # type: ignore[arg-type]
                together.wait()
        except BaseException as error:  # noqa: BLE001 - told by the main thread
            wrong.append(error)
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=[owner]) for owner in owners]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert wrong == []
    with work():
        (row,) = tallies.sums("open", "currency")
        assert (row["n"], row["sum"]) == (4, 400)
        assert Tally.objects.filter(topic="open").count() == 4
        factories.item(owners[0], 50)
        assert Tally.objects.filter(topic="open").count() == 4


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2), st.integers(0, 2), st.integers(1, 100), st.integers(0, 30), st.booleans()
        ),
        max_size=8,
    )
)
def test_as_of_every_day_ageing_equals_the_plain_computation(
    acorn: Scope, moves: list[tuple[int, int, int, int, bool]]
) -> None:
    with transaction.atomic():
        with work():
            owners = [factories.customer(), factories.customer()]
            debits = [factories.item(owners[0], 100, on=DAY + timedelta(days=n)) for n in range(2)]
            debits += [
                factories.item(owners[n], 100, on=DAY, due_on=DAY + timedelta(days=34), deposit=(30, DAY))
                for n in range(2)
            ]
            debits += [factories.item(owners[1], 70, on=DAY)]
            credits = [factories.payment(owners[0], 100, on=DAY + timedelta(days=2 * n)) for n in range(3)]
            left = {item.item_id: item.total_minor for item in (*debits, *credits)}
            for n, (d, c, wished, after, back) in enumerate(moves):
                debit, paid, on = debits[d].item_id, credits[c].item_id, DAY + timedelta(days=after)
                minor = min(wished, left[debit], left[paid])
                if not minor:
                    continue
                allocate([Part(f"m{n}", debit, paid, minor)], effective_on=on)
                if back:
                    undo(_last_of(debit), on=on + timedelta(days=3), reason="no")
                else:
                    left[debit] -= minor
                    left[paid] -= minor
            for days in range(-1, 40):
                on = DAY + timedelta(days=days)
                found = ageing(on)
                assert _aged(found) == _plain(on)
                assert {each.currency: each.total.net.minor for each in found if each.total.net.minor} == (
                    control_balances(on)
                )
            for days in (-1, 0, 1, 34, 35):  # what is late now, counted and kept
                today = DAY + timedelta(days=days)
                nobody = balances.overdue_ids(today=date.min)
                late = {
                    each.currency: each.overdue_minor for each in balances.of_all_but(nobody, today=today)
                }
                counted = sum(
                    each.overdue_minor
                    for found in balances.by_customer([owner.pk for owner in owners], today=today).values()
                    for each in found
                )
                assert (
                    sum(late.values())
                    == counted
                    == sum(
                        item.due_by(today - timedelta(days=1))
                        for item in item_states(OpenItem.objects.values_list("source", flat=True)).values()
                        if item.side == "debit"
                    )
                )
            assert verify() == []
        transaction.set_rollback(True)


def _last_of(item_id: int) -> int:
    return int(Allocation.objects.filter(debit_item_id=item_id, reverses=None).latest("id").pk)


def test_a_short_ageing_has_the_most_overdue_and_the_totals_of_all(acorn: Scope) -> None:
    with work():
        owners = [factories.customer() for _ in range(5)]
        for n, owner in enumerate(owners):
            factories.item(owner, 100 + n, due_on=DAY)
            factories.item(owner, 10, Kind.PAYMENT)
        on = DAY + timedelta(days=40)
        (whole,), (short,), (none,) = ageing(on), ageing(on, limit=2), ageing(on, limit=0)
        assert [row.customer_id for row in whole.rows] == [owner.pk for owner in reversed(owners)]
        assert short.rows == whole.rows[:2]
        assert whole.total == short.total == none.total
        assert (whole.count, short.count, none.rows) == (5, 5, ())

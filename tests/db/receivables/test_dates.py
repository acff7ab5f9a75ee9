"""When an allocation counts: never before both its items, never undone before it was made; settled with the last."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.scope import Scope, work
from ledger.domain.entries import Purpose
from ledger.models import Leg, PeriodLock
from ledger.services.post import PeriodClosed
from receivables.domain.items import Kind, Side, control_account
from receivables.models import Allocation, OpenItem
from receivables.services.allocate import Part, allocate, undo
from receivables.services.reverse import reverse
from receivables.services.write_off import write_off
from tests import factories
from tests.factories import DAY


def day(n: int) -> date:
    return DAY + timedelta(days=n)


def differences(as_of: date) -> list[tuple[object, ...]]:
    """Control accounts against open items as of a day, by purpose and customer; equal ones are left out."""
    books: dict[tuple[object, ...], int] = {}
    control = {str(Purpose.RECEIVABLE), str(Purpose.UNAPPLIED)}
    for leg in Leg.objects.filter(
        entry__effective_on__lte=as_of, account__purpose__in=control
    ).select_related("account"):
        key = (leg.account.purpose, leg.customer_id)
        books[key] = books.get(key, 0) + leg.minor
    for item in OpenItem.objects.filter(effective_on__lte=as_of):
        sign = 1 if item.side == Side.DEBIT else -1
        used = Allocation.objects.filter(effective_on__lte=as_of, **{f"{item.side}_item": item})
        open_minor = item.total_minor - sum(used.values_list("minor", flat=True))
        key = (str(control_account(Kind(item.kind))), item.customer_id)
        books[key] = books.get(key, 0) - sign * open_minor
    return [(*key, minor) for key, minor in books.items() if minor]


def test_a_payment_received_before_the_invoice_counts_from_the_invoice_on(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        payment = factories.item(owner, 100, Kind.PAYMENT, on=day(0))
        invoice = factories.item(owner, 100, on=day(8))
        allocate([Part("a", invoice.item_id, payment.item_id, 100)], effective_on=day(0))
        assert Allocation.objects.get().effective_on == day(8)
        assert OpenItem.objects.get(pk=invoice.item_id).settled_on == day(8)
        assert [differences(day(n)) for n in range(10)] == [[]] * 10


def test_an_item_is_settled_with_the_last_of_its_allocations(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        invoice = factories.item(owner, 100, on=day(0))
        late, early = (
            factories.item(owner, 60, Kind.PAYMENT, on=day(9)),
            factories.item(owner, 40, Kind.PAYMENT, on=day(2)),
        )
        allocate([Part("late", invoice.item_id, late.item_id, 60)], effective_on=day(9))
        allocate([Part("early", invoice.item_id, early.item_id, 40)], effective_on=day(2))
        assert OpenItem.objects.get(pk=invoice.item_id).settled_on == day(9)
        assert OpenItem.objects.get(pk=early.item_id).settled_on == day(2)


def test_nothing_is_undone_before_it_was_done(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        invoice, payment = factories.item(owner, 100), factories.item(owner, 100, Kind.PAYMENT)
        allocate([Part("a", invoice.item_id, payment.item_id, 100)], effective_on=day(5))
        undo(Allocation.objects.get().pk, on=day(1), reason="wrong")
        assert Allocation.objects.get(minor__lt=0).effective_on == day(5)
        assert differences(day(1)) == []


def test_an_undo_into_a_closed_period_is_refused_and_changes_nothing(acorn: Scope) -> None:
    from django.db import transaction

    with work():
        owner = factories.customer()
        invoice, payment = factories.item(owner, 100), factories.item(owner, 100, Kind.PAYMENT)
        allocate([Part("a", invoice.item_id, payment.item_id, 100)], effective_on=DAY)
        PeriodLock.objects.create(entity_id=owner.entity_id, closed_through=day(3))
        with pytest.raises(PeriodClosed), transaction.atomic():
            undo(Allocation.objects.get().pk, on=day(3), reason="late")
        assert Allocation.objects.count() == 1
        assert OpenItem.objects.get(pk=invoice.item_id).open_minor == 0
        undo(Allocation.objects.get().pk, on=day(4), reason="in the next period")
        assert OpenItem.objects.get(pk=invoice.item_id).open_minor == 100


def test_taking_back_locks_in_order(acorn: Scope) -> None:
    """The credit alone first and its older debits after it would wait for an allocation that locks by id."""
    with work():
        owner = factories.customer()
        invoice, payment = factories.item(owner, 100), factories.item(owner, 100, Kind.PAYMENT)
        allocate([Part("a", invoice.item_id, payment.item_id, 100)], effective_on=DAY)
        with CaptureQueriesContext(connection) as queries:
            reverse(payment.source, against=Purpose.BANK, on=day(1), reason="bounced")
    first = next(query["sql"] for query in queries if "FOR NO KEY UPDATE" in query["sql"])
    assert str(invoice.item_id) in first
    assert str(payment.item_id) in first


def test_a_write_off_taken_back_leaves_no_expense(acorn: Scope) -> None:
    with work():
        invoice = factories.item(factories.customer(), 100)
        write_off(invoice.item_id, minor=100, on=DAY, reason="bankrupt", key="w")
        for _ in range(2):
            reverse("wo_w", against=Purpose.WRITE_OFF, on=day(1), reason="paid after all")
        assert OpenItem.objects.get(pk=invoice.item_id).open_minor == 100
        assert sum(Leg.objects.filter(account__purpose="write_off").values_list("minor", flat=True)) == 0
        assert not OpenItem.objects.filter(side=Side.CREDIT, open_minor__gt=0).exists()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(1, 60), st.integers(0, 9)), max_size=6
    )
)
def test_as_of_any_day_the_books_agree(acorn: Scope, moves: list[tuple[int, int, int, int]]) -> None:
    from django.db import transaction

    from receivables.services.allocate import TooMuch

    with transaction.atomic():
        with work():
            owner = factories.customer()
            debits = [factories.item(owner, 100, on=day(3 * n)) for n in range(3)]
            credits = [factories.item(owner, 90, Kind.PAYMENT, on=day(4 * n)) for n in range(3)]
            for n, (d, c, minor, on) in enumerate(moves):
                try:
                    with transaction.atomic():
                        allocate(
                            [Part(f"m{n}", debits[d].item_id, credits[c].item_id, minor)],
                            effective_on=day(on),
                        )
                except TooMuch:
                    live = Allocation.objects.filter(reverses=None).exclude(
                        pk__in=Allocation.objects.exclude(reverses=None).values("reverses_id")
                    )
                    undo(live.order_by("id")[0].pk, on=day(on), reason="swap")
            assert [differences(day(n)) for n in range(10)] == [[]] * 10
        transaction.set_rollback(True)

"""How a customer paid what was due in the last year: what counts, what does not, and the evidence."""

from datetime import date, timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.scope import Scope, enter, work
from customers.models import Customer
from invoicing.services.correct import void
from invoicing.services.credit import credit
from receivables.domain.habits import Habits
from receivables.habits import habits_of, late_items
from receivables.models import OpenItem
from receivables.services.write_off import write_off
from tests import factories
from tests.factories import DAY

TODAY = DAY + timedelta(days=365)
DUE = DAY + timedelta(days=14)


def of(owner: Customer, today: date = TODAY) -> Habits:
    return habits_of([owner.pk], today=today).get(owner.pk, Habits())


def paid(owner: Customer, late: int, **also: object) -> None:
    """An invoice that was paid so many days after it was due."""
    factories.pay(factories.invoice(owner, ("1", "100.00"), tax="0", **also), on=DUE + timedelta(days=late))


def test_days_late_are_counted_beyond_three(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        for late in (-5, 0, 3, 4, 20):
            paid(owner, late)
        assert of(owner) == Habits(invoices=5, late=2, late_days=24)
        assert [each.days_late for each in late_items(owner.pk, today=TODAY, limit=9)] == [20, 4]
        assert len(late_items(owner.pk, today=TODAY, limit=1)) == 1


def test_what_is_open_is_late_by_the_days_since(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        factories.invoice(owner)
        assert of(owner, DUE) == Habits()
        assert of(owner, DUE + timedelta(days=3)) == Habits(1, 0, 0)
        assert of(owner, DUE + timedelta(days=10)) == Habits(1, 1, 10)
        (late,) = late_items(owner.pk, today=DUE + timedelta(days=10), limit=9)
        assert (late.settled_on, late.due_on, late.total.minor) == (None, DUE, 11_900)


def test_what_was_due_more_than_a_year_ago_says_nothing(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        paid(owner, 20)
        assert of(owner, DUE + timedelta(days=365)).late == 1
        assert of(owner, DUE + timedelta(days=366)) == Habits()


def test_what_was_never_to_be_paid_says_nothing(acorn: Scope) -> None:
    """But what was given up on does."""
    with work():
        owner = factories.customer()
        gone, back, lost = (factories.invoice(owner) for _ in range(3))
        late = DUE + timedelta(days=60)
        void(gone.public_id, on=late, reason="Wrong")
        credit(back.public_id, on=late, reason="Returned", key="c")
        (item,) = late_items(owner.pk, today=late, limit=9)
        assert item.label == lost.number
        write_off(
            OpenItem.objects.get(source=lost.public_id).pk, minor=11_900, on=late, reason="Gone", key="w"
        )
        assert of(owner) == Habits(1, 1, 60)


def test_of_an_invoice_with_a_deposit_the_last_day_counts(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        paid(owner, 0, deposit_percent=30)
        assert of(owner) == Habits(1, 0, 0)


def test_many_customers_take_one_query_and_nobody_elses_are_among_them(acorn: Scope, birch: Scope) -> None:
    with enter(birch), work():
        other = factories.customer()
        paid(other, 20)
    with work():
        owners = [factories.customer() for _ in range(3)]
        for owner in owners:
            paid(owner, 20)
        with CaptureQueriesContext(connection) as seen:
            found = habits_of([*(owner.pk for owner in owners), other.pk], today=TODAY)
        assert len(seen) == 1
        assert found == {owner.pk: Habits(1, 1, 20) for owner in owners}

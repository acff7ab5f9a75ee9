"""Billing runs on odd days: a closed period or a busy database is no reason to put every customer aside."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import OperationalError, connection

from billing.models import BilledPeriod, Subscription
from billing.previews import run_preview
from billing.selectors import preview
from billing.services import run as running
from billing.services.run import run_billing
from billing.services.start import start_run
from billing.services.subscriptions import end, subscribe
from cashapp.models import Attempt
from cashapp.services.attempts import pay
from core import clock
from core.errors import AppError, Conflict, Invalid
from core.models import Organization
from core.scope import Scope, enter, work
from core.suspension import Suspended, require_live
from customers.models import Customer
from customers.services.customers import set_archived
from invoicing.models import Document
from invoicing.services.correct import void
from invoicing.services.issue import issue
from ledger.models import PeriodLock
from ledger.services.post import PeriodClosed
from receivables.models import OpenItem
from tenants.models import LegalEntity
from tests import factories
from tests.db.attack.test_races import in_work, together
from tests.factories import DAY

Refusing = Callable[[Exception], AbstractContextManager[None]]


def subscribed(starts_on: date = DAY, **given: object) -> Subscription:
    with work():
        return factories.subscription(factories.customer(), starts_on, **given)


def held() -> int:
    with work():
        return Subscription.objects.exclude(held_at=None).count()  # type: ignore[no-any-return]


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Refusing:
    """Make issuing fail for the block."""

    @contextmanager
    def refuse_with(error: Exception) -> Iterator[None]:
        def refuse(*_: object, **__: object) -> None:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(running, "issue", refuse)
            yield

    return refuse_with


def test_a_busy_database_puts_no_subscription_aside(acorn: Scope, refusing: Refusing) -> None:
    subscribed()
    with refusing(OperationalError("canceling statement: lock timeout")), pytest.raises(OperationalError):
        run_billing(DAY)
    assert held() == 0
    assert run_billing(DAY).documents == 1


def test_books_closed_under_a_run_stop_it_and_put_no_subscription_aside(
    acorn: Scope, refusing: Refusing
) -> None:
    subscribed()
    with refusing(PeriodClosed("The books of that period are closed.")):
        run = run_billing(DAY)
    assert (run.state, run.stopped_why, held()) == ("stopped", "The books of that period are closed.", 0)
    assert run_billing(DAY).documents == 1


def test_a_run_in_closed_books_says_so_and_the_next_day_bills(
    acorn: Scope, caplog: pytest.LogCaptureFixture
) -> None:
    sub = subscribed()
    with work():
        PeriodLock.objects.create(entity_id=sub.customer.entity_id, closed_through=DAY)
        closed = run_preview(DAY).closed
    for _ in range(2):  # the dispatcher comes every five seconds
        run = run_billing(DAY)
        assert (run.state, run.documents, run.held, run.version) == ("stopped", 0, 0, 2)
    assert run.stopped_why == closed == "The books of Acorn Instruments are closed through 2026-11-02."
    assert not caplog.records
    assert run_billing(DAY + timedelta(days=1)).documents == 1
    assert run_billing(DAY).state == "done"


def test_one_entitys_closed_books_do_not_stop_anothers_bills(acorn: Scope) -> None:
    one, two = subscribed(), subscribed()
    with work():
        other = LegalEntity.objects.create(name="Acorn Inc", code="US", country="US", currency="EUR")
        Customer.objects.filter(pk=two.customer_id).update(entity=other)
        PeriodLock.objects.create(entity_id=one.customer.entity_id, closed_through=DAY)
    run = run_billing(DAY)
    assert (run.state, run.documents, held()) == ("stopped", 1, 0)
    with work():
        assert BilledPeriod.objects.get().subscription_id == two.pk


def test_a_price_of_nothing_makes_a_document_that_owes_nothing(acorn: Scope) -> None:
    subscribed(unit_price=Decimal(0))
    subscribed(quantity=Decimal(0))
    assert run_billing(DAY).documents == 2
    with work():
        for document in Document.objects.filter(total_minor=0):
            void(document.public_id, on=DAY, reason="mistake")


def test_a_void_bill_is_not_billed_again(acorn: Scope) -> None:
    subscribed()
    assert run_billing(DAY).documents == 1
    with work():
        void(Document.objects.latest("id").public_id, on=DAY, reason="mistake")
    assert run_billing(DAY).documents == 1
    with work():
        assert BilledPeriod.objects.count() == 1


def test_a_run_for_an_earlier_day_after_a_later_one_adds_nothing(acorn: Scope) -> None:
    subscribed()
    run_billing(date(2027, 1, 31))
    assert run_billing(DAY).documents == 0
    assert held() == 0


def test_a_leap_day_comes_back(acorn: Scope) -> None:
    subscribed(date(2024, 2, 29), unit="year")
    run_billing(date(2028, 3, 1))
    with work():
        starts = BilledPeriod.objects.order_by("period_start").values_list("period_start", flat=True)
        assert [f"{day:%m-%d}" for day in starts] == ["02-29", "02-28", "02-28", "02-28", "02-29"]


@pytest.mark.parametrize(
    "ends_on", [date(2026, 11, 3), date(2026, 12, 1), date(2026, 12, 2), date(2026, 12, 3)]
)
def test_nothing_that_starts_at_or_after_the_end_is_billed(acorn: Scope, ends_on: date) -> None:
    sub = subscribed(ends_on=ends_on)
    run_billing(date(2027, 6, 1))
    with work():
        starts = list(BilledPeriod.objects.values_list("period_start", flat=True))
        assert starts
        assert max(starts) < ends_on
        sub.refresh_from_db()
        assert sub.state == "ended"


def test_the_longest_interval_from_the_last_day_allowed_is_billed(acorn: Scope) -> None:
    subscribed(date(2200, 12, 31), unit="year", every=120)
    assert run_billing(date(2200, 12, 31)).documents == 1


def test_an_amount_beyond_all_bounds_is_put_aside_alone(acorn: Scope) -> None:
    subscribed(unit_price=Decimal(10**12), quantity=Decimal(10**12))
    subscribed(unit_price=Decimal(10**12), quantity=Decimal(10))  # the line fits, its tax does not
    subscribed()
    assert run_billing(DAY).documents == 1
    assert held() == 2


def suspend(scope: Scope) -> None:
    with work():
        Organization.objects.filter(pk=scope.organization_id).update(suspended_at=clock.wall())


def test_a_suspended_organization_is_not_billed(acorn: Scope) -> None:
    sub = subscribed()
    suspend(acorn)
    run = run_billing(DAY)
    assert (run.documents, run.held, run.state) == (0, 0, "stopped")
    assert "suspended" in run.stopped_why
    with work():
        with pytest.raises(Suspended):
            start_run(DAY, today=DAY, key="form-1")
        sub.refresh_from_db()
        assert (sub.next_bill_on, sub.held_at) == (DAY, None)
        Organization.objects.update(suspended_at=None)
    again = run_billing(DAY)
    assert (again.pk, again.documents, again.state, again.stopped_why) == (run.pk, 1, "done", "")


def test_a_run_under_way_stops_at_the_batch_in_which_it_was_suspended(
    acorn: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        subscribed()
    issue = running.issue

    def issue_and_suspend(*given: object, **named: object) -> object:
        issued = issue(*given, **named)  # type: ignore[arg-type]
        suspend(acorn)
        return issued

    with monkeypatch.context() as patch:
        patch.setattr(running, "issue", issue_and_suspend)
        run = run_billing(DAY, batch=1)
    assert (run.documents, run.held, run.state) == (1, 0, "stopped")


def test_a_suspended_organization_issues_and_charges_nothing(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        item = OpenItem.objects.get(source=factories.invoice(owner).public_id)
        draft = factories.draft_invoice(owner)
    suspend(acorn)
    with work(), pytest.raises(Suspended):
        issue([draft], issued_on=DAY)
    with pytest.raises(Suspended):
        pay(key="k", amounts={item.pk: 100}, method="card_ok", description="d")
    with work():
        assert Document.objects.get(pk=draft).number == ""
        assert not Attempt.objects.exists()


def test_a_suspension_waits_for_the_batch_and_then_holds(committed_acorn: Scope) -> None:
    subscribed()
    begun, waited = threading.Event(), threading.Event()

    def bill() -> None:
        try:
            with enter(committed_acorn), work():
                require_live()
                begun.set()
                waited.wait(10)
        finally:
            connection.close()

    thread = threading.Thread(target=bill)
    thread.start()
    begun.wait(10)
    with pytest.raises(OperationalError):
        suspend(committed_acorn)  # after the role's three seconds
    waited.set()
    thread.join()
    suspend(committed_acorn)
    assert run_billing(DAY).state == "stopped"


def test_an_archived_customers_subscription_is_held_and_says_so(acorn: Scope) -> None:
    sub, other = subscribed(), subscribed()
    with work():  # past the service, which refuses
        Customer.objects.filter(pk=sub.customer_id).update(archived_at=clock.now())
        ((_, reason),) = preview(DAY)[1]
    run = run_billing(DAY)
    assert (run.documents, run.held) == (1, 1)
    with work():
        sub.refresh_from_db()
        assert (
            sub.held_reason == reason == "The customer is archived: bring it back, or end the subscription."
        )
        assert BilledPeriod.objects.get().subscription_id == other.pk


def test_a_customer_who_is_still_billed_is_not_archived(acorn: Scope) -> None:
    sub = subscribed()
    with work():
        with pytest.raises(Conflict, match=f"Track Pro since 2026-11-02 \\({sub.public_id}\\)"):
            set_archived(sub.customer_id, archived=True)
        assert Customer.objects.get(pk=sub.customer_id).archived_at is None
        end(sub.public_id, on=DAY, today=DAY)
        set_archived(sub.customer_id, archived=True)
        with pytest.raises(Invalid):
            subscribe(customer=sub.customer.public_id, price=sub.price, starts_on=DAY)
    assert run_billing(DAY).documents == 0


def test_archiving_and_subscribing_at_once_never_both(committed_acorn: Scope) -> None:
    for n in range(6):
        with work():
            sub = factories.subscription(factories.customer(), DAY)
            end(sub.public_id, on=DAY, today=DAY)
        acts = [
            in_work(lambda sub=sub: set_archived(sub.customer_id, archived=True)),
            in_work(
                lambda sub=sub: subscribe(customer=sub.customer.public_id, price=sub.price, starts_on=DAY)
            ),
        ]
        ends = together(committed_acorn, *(acts if n % 2 else reversed(acts)))
        assert [isinstance(end, AppError) for end in ends].count(True) == 1, ends
    assert run_billing(DAY).held == 0

"""The billing run: everything due, once, whatever fails beside it or is run again."""

import threading
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.expectation import Expectation
from billing.models import BilledPeriod, BillingRun, HeldSubscription, Subscription
from billing.selectors import due, preview, subscription_facts
from billing.services import run as runs
from billing.services.run import run_billing
from billing.services.start import RUN, start_run
from billing.services.subscriptions import release, subscribe
from core import clock, doors, effects, parked
from core import scope as scopes
from core.books import verify
from core.errors import Invalid
from core.models import Effect, OutboxEvent
from core.relay import PARK_AFTER
from core.scope import Scope, work
from core.tasks import system_scope
from invoicing.explain import line_view
from invoicing.models import Document, Line
from tests import factories

DAY = date(2026, 11, 1)


def snapshot() -> tuple[int, int, int, int]:
    with work():
        return (
            Document.objects.count(),
            BilledPeriod.objects.count(),
            OutboxEvent.objects.count(),
            sum(Document.objects.values_list("total_minor", flat=True)),
        )


def test_a_run_bills_what_is_due_and_a_rerun_changes_nothing(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        for starts in (DAY, date(2026, 10, 15), date(2026, 11, 2)):
            factories.subscription(owner, starts, quantity=Decimal(3))
    run = run_billing(DAY)
    assert (run.state, run.documents, run.billed, run.held) == ("done", 2, 2, 0)
    before = snapshot()
    assert run_billing(DAY).pk == run.pk
    assert snapshot() == before


def test_the_preview_is_what_the_run_bills(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        for n in range(5):
            factories.subscription(owner, date(2026, 8 + n % 3, 5 + n), quantity=Decimal(n))
        charges, _ = preview(DAY)
        expected = sorted((c.facts.public_id, sum(line.amount_minor for line in c.lines)) for c in charges)
    run_billing(DAY)
    with work():
        billed = sorted(
            (doc.source.split(":")[0], doc.net_minor)
            for doc in Document.objects.filter(source__startswith="sub_")
        )
    assert billed == expected


def test_what_ends_within_a_period_is_billed_for_its_days_and_the_invoice_says_so(acorn: Scope) -> None:
    with work():
        sub = factories.subscription(
            factories.customer(), DAY, quantity=Decimal(3), ends_on=date(2026, 11, 11)
        )
        ((previewed,), _) = preview(DAY)
    run_billing(DAY)
    with work():
        (row,) = Line.objects.filter(source=f"{sub.items.get().public_id}:{DAY.isoformat()}")
        assert row.amount_minor == previewed.lines[0].amount_minor == 1450
        assert row.detail == "3 × 14.50 for 10 of 30 days"
        assert [step.label for step in line_view(row, "EUR").steps] == [
            "For 1 Nov 2026 to 10 Nov 2026", "3 × 14.50", "For 10 of the period's 30 days",
            "Rounded once, half away from zero",
        ]  # fmt: skip
        sub.refresh_from_db()
        assert (sub.state, sub.next_bill_on) == ("ended", date(2026, 11, 11))
        assert BilledPeriod.objects.get().period_end == date(2026, 11, 11)


def test_one_bad_subscription_is_held_and_stops_nothing(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        good = factories.subscription(owner, DAY)
        bad = factories.subscription(owner, date(1999, 1, 1))
    run = run_billing(DAY)
    assert (run.documents, run.held) == (1, 1)
    with work():
        bad.refresh_from_db()
        assert "periods would be billed" in bad.held_reason
        assert HeldSubscription.objects.get().subscription_id == bad.pk
        assert not due(DAY).exists()
        release(bad.public_id)
        assert due(DAY).get() == bad
        assert BilledPeriod.objects.get().subscription_id == good.pk


def test_what_the_database_refuses_is_held_alone(acorn: Scope) -> None:
    """A document of that source is there already: the batch fails, its good members are billed all the same."""
    with work():
        owner = factories.customer()
        good, bad = factories.subscription(owner, DAY), factories.subscription(owner, DAY)
        draft = factories.draft_invoice(owner)
        Document.objects.filter(pk=draft).update(
            source=f"{bad.public_id}:{bad.items.get().public_id}:{DAY.isoformat()}"
        )
    with transaction.atomic():
        pass
    run = run_billing(DAY)
    with work():
        assert run.held == 1
        assert BilledPeriod.objects.get().subscription_id == good.pk


def test_the_database_refuses_a_period_twice(acorn: Scope) -> None:
    with work():
        factories.subscription(factories.customer(), DAY)
    run_billing(DAY)
    with work():
        row = BilledPeriod.objects.get()
        row.pk = None
        with pytest.raises(IntegrityError, match="billedperiod_once"), transaction.atomic():
            row.save(force_insert=True)


def test_a_lost_pointer_does_not_bill_again(acorn: Scope) -> None:
    """Even if the subscription's own pointer were set back, what is billed stays billed once."""
    with work():
        sub = factories.subscription(factories.customer(), DAY)
    run_billing(DAY)
    with work():
        Subscription.objects.filter(pk=sub.pk).update(next_bill_on=DAY)
    run_billing(DAY)
    assert snapshot()[0] == 1


def test_a_batch_takes_as_many_statements_as_a_small_one(acorn: Scope) -> None:
    def statements(count: int) -> int:
        with work():
            owner = factories.customer()
            price = factories.subscription(owner, DAY).price
            for _ in range(count - 1):
                subscribe(customer=owner.public_id, price=price, starts_on=DAY)
            run = BillingRun.objects.get_or_create(as_of=DAY)[0]
            with CaptureQueriesContext(connection) as queries:
                runs._bill(run, list(due(DAY).values_list("id", flat=True)), Expectation(DAY))
            return len(queries)

    statements(1)
    assert statements(30) == statements(3) <= 37


def test_two_workers_bill_each_period_once(committed_acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        for _ in range(40):
            factories.subscription(owner, DAY)

    def bill() -> None:
        try:
            with scopes.enter(committed_acorn):
                run_billing(DAY, batch=5)
        finally:
            connection.close()

    threads = [threading.Thread(target=bill) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert snapshot()[:2] == (40, 40)
    with work():
        assert verify() == []


def test_the_door_finds_due_subscriptions_by_each_organizations_own_clock(acorn: Scope, birch: Scope) -> None:
    with work():
        sub = factories.subscription(factories.customer(), date(2027, 3, 1))
        instant = sub.next_bill_at

    def found(offset_days: int) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        wall = instant.replace(day=1)
        return acorn.organization_id in doors.due_work(
            "billing", max_rows=10, per_tenant=5, wall=wall if offset_days else instant.replace(year=2026)
        )

    assert not found(0)
    with scopes.enter(system_scope(acorn.organization_id)):
        assert found(1) or instant.day != 1


def test_a_subscription_in_another_currency_or_ending_early_is_refused(acorn: Scope) -> None:
    with work():
        owner = factories.customer(currency="USD")
        price = factories.subscription(factories.customer(), DAY).price
        with pytest.raises(Invalid, match="USD"):
            subscribe(customer=owner.public_id, price=price, starts_on=DAY)
        euro = factories.customer()
        with pytest.raises(Invalid, match="ends before"):
            subscribe(customer=euro.public_id, price=price, starts_on=DAY, ends_on=DAY)


def test_facts_come_in_one_query(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        ids = [factories.subscription(owner, DAY).pk for _ in range(5)]
        with CaptureQueriesContext(connection) as queries:
            assert len(subscription_facts(ids)) == 5
        assert len(queries) == 1


class TestGivenUp:
    """A run that was started by hand and that nobody comes for any more ends, and says what is parked."""

    def start(self) -> BillingRun:
        with work():
            factories.subscription(factories.customer(), DAY)
            return start_run(DAY, today=DAY, key="form")

    def tried_until_parked(self) -> None:
        for _ in range(PARK_AFTER):
            with work():
                Effect.objects.filter(kind=RUN).update(due_at=clock.wall())
            effects.work_off([])
        with work():
            assert Effect.objects.get(kind=RUN).parked_at

    def test_it_stops_and_names_what_is_parked(self, acorn: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
        run = self.start()

        def fail(*_: object, **__: object) -> bool:
            raise OSError("the disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(runs, "_bill_batch", fail)
            self.tried_until_parked()
        with work():
            run.refresh_from_db()
        assert (run.state, run.finished_at is None) == ("stopped", False)
        assert "Bill what is due" in run.stopped_why
        assert "OSError: the disk is full" in run.stopped_why
        with work():
            assert parked.retry("effect", kind=RUN) == 1
        effects.work_off([])
        with work():
            run.refresh_from_db()
        assert (run.state, run.stopped_why, run.documents) == ("done", "", 1)

    def test_a_run_that_ended_stays_as_it_ended(self, acorn: Scope) -> None:
        run = self.start()
        run_billing(DAY)
        with work():
            Effect.objects.filter(kind=RUN).update(attempts=PARK_AFTER)
        effects.work_off([])
        with work():
            run.refresh_from_db()
        assert (run.state, run.stopped_why) == ("done", "")

    def test_a_run_that_another_click_still_tries_goes_on(self, acorn: Scope) -> None:
        run = self.start()
        with work():
            start_run(DAY, today=DAY, key="other")
            other = Effect.objects.filter(kind=RUN).order_by("id").last()
            later = clock.wall() + timedelta(hours=1)
            Effect.objects.filter(pk=other.pk).update(due_at=later)
            Effect.objects.filter(kind=RUN).exclude(pk=other.pk).update(attempts=PARK_AFTER)
        effects.work_off([])
        with work():
            run.refresh_from_db()
        assert run.state == "running"

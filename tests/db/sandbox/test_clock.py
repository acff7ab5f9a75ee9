"""A sandbox's clock moved forward: everything due on the way is done at its time, once, whatever happens meanwhile."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import BillingRun, Subscription
from core import clock, doors, effects, jobs, registry, tasks, timetravel
from core.clocks import ClockAdvance
from core.errors import Forbidden, Invalid
from core.models import AuditEntry, Effect, Job, Organization, OutboxEvent
from core.sandbox import NotASandbox
from core.scope import Scope, current, enter, work
from core.tasks import system_scope
from core.timetravel import Advancing
from invoicing.models import Document
from messaging.models import Message
from tenants.models import User
from tenants.services import sandbox_clock
from tenants.services.organizations import create_organization
from tenants.services.sandbox import make_sandbox
from tests import factories
from tests.conftest import judge, seat
from tests.db.sandbox.conftest import digest, furnish, move, run

ZONE = ZoneInfo("Europe/Berlin")
KINDS = ("events", "effects", "billing", "attempts", "late_usage")


def now_in(scope: Scope) -> datetime:
    with enter(scope), work():
        return timetravel.business_now()


def begin(scope: Scope, by: timedelta) -> Job:
    with enter(system_scope(scope.organization_id)), work():
        return timetravel.start(timetravel.business_now() + by)


def second_sandbox() -> Scope:
    """The sandbox of another organization like Acorn."""
    ana = User.objects.get(email="ana@acorn.example")
    made = create_organization(
        owner=ana,
        name="Acorn Two",
        slug="two",
        country="DE",
        currency="EUR",
        zone=str(ZONE),
        tax_percent="19",
    )
    with enter(seat("two", ana.email)):
        assert current().organization_id == made
        return seat(make_sandbox().slug, ana.email)


def live_through(scope: Scope, moment: datetime) -> None:
    """Set the clock by hand and do what the dispatcher would, until nothing is due: no engine of the sandbox's."""
    with enter(scope), work():
        Organization.objects.update(clock_offset=moment - clock.wall())
    for _round in range(50):
        due = {
            kind
            for kind in KINDS
            if scope.organization_id in doors.due_work(kind, max_rows=1000, per_tenant=50, wall=clock.wall())
        }
        if not due:
            return
        for kind in due:
            tasks.run_due(kind=kind, organization_id=scope.organization_id)


def test_ninety_days_at_once_are_the_same_as_day_by_day(sandbox: Scope) -> None:
    other = second_sandbox()
    first = datetime.now(ZONE).date() + timedelta(days=1)
    for each in (sandbox, other):
        furnish(each, 5, first=first)
    end = datetime.combine(first + timedelta(days=90), time(12), ZONE)
    with enter(system_scope(sandbox.organization_id)), work():
        timetravel.start(end)
    run(sandbox)
    for n in range(91):
        day = first + timedelta(days=n)
        for hour in (0, 12):
            live_through(other, datetime.combine(day, time(hour, 0, 1), ZONE))
    with enter(sandbox), work():
        assert Document.objects.count() > 20
        assert Message.objects.exclude(state="sent").count() == 0
    assert digest(sandbox) == digest(other)
    judge(other)


def test_each_thing_is_done_at_its_time_and_in_order(sandbox: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, timedelta]] = []
    start = now_in(sandbox)
    monkeypatch.setitem(
        registry.effects, "test", lambda effect: seen.append((effect.key, clock.now() - effect.due_at))
    )
    with enter(sandbox), work():
        for key, days in (("late", 9), ("early", 2), ("far", 40), ("middle", 5)):
            effects.due("test", [(key, {})], at=start + timedelta(days=days))
    move(sandbox, timedelta(days=30))
    assert [key for key, _late in seen] == ["early", "middle", "late"]
    assert all(timedelta() <= late < timedelta(minutes=1) for _key, late in seen)
    assert timedelta() <= now_in(sandbox) - start - timedelta(days=30) < timedelta(minutes=2)


def test_what_fails_is_tried_again_in_business_time(sandbox: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[datetime] = []

    def fail(_effect: Effect) -> None:
        tries.append(clock.now())
        raise RuntimeError("down")

    monkeypatch.setitem(registry.effects, "test", fail)
    with enter(sandbox), work():
        effects.due("test", [("a", {})])
    move(sandbox, timedelta(days=1))
    assert len(tries) == 8, "until it is parked"
    waits = [(b - a).total_seconds() for a, b in pairwise(tries)]
    assert all(b > a for a, b in pairwise(waits))


def test_a_run_that_cannot_go_on_does_not_stop_the_clock(sandbox: Scope) -> None:
    from ledger.models import PeriodLock

    today = datetime.now(ZONE).date()
    furnish(sandbox, 2, first=today + timedelta(days=1))
    with enter(sandbox), work():
        PeriodLock.objects.create(entity_id=_entity(), closed_through=today + timedelta(days=3))
    job = move(sandbox, timedelta(days=3))
    assert job.state == "done"
    with enter(sandbox), work():
        assert set(BillingRun.objects.values_list("state", flat=True)) <= {"stopped", "done"}


def _entity() -> int:
    from tenants.models import LegalEntity

    return int(LegalEntity.objects.values_list("pk", flat=True).get())


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "Pacific/Pago_Pago"])
def test_a_subscription_of_another_zone_is_billed_in_its_day(sandbox: Scope, zone: str) -> None:
    first = datetime.now(ZONE).date() + timedelta(days=2)
    with enter(system_scope(sandbox.organization_id)), work():
        owner = factories.customer(email="")
        made = factories.subscription(owner, first)
        local = datetime.combine(first, time(), ZoneInfo(zone))
        Subscription.objects.filter(pk=made.pk).update(zone=zone, next_bill_at=local)
    move(sandbox, timedelta(days=5))
    with enter(sandbox), work():
        assert Document.objects.count() == 1
        assert Document.objects.get().issued_on - first <= timedelta(days=1)


def test_one_move_at_a_time_and_forward_only(sandbox: Scope) -> None:
    for by in (timedelta(), timedelta(seconds=-1), timedelta(days=401)):
        with pytest.raises(Invalid):
            begin(sandbox, by)
    begin(sandbox, timedelta(days=400))
    with pytest.raises(Advancing):
        begin(sandbox, timedelta(days=1))
    with enter(sandbox), work():
        assert (ClockAdvance.objects.count(), Job.objects.count()) == (1, 1)


def test_a_live_organization_has_no_such_clock(committed_acorn: Scope) -> None:
    with work(), pytest.raises(NotASandbox):
        sandbox_clock.advance(by=timedelta(days=1))
    with work():
        assert sandbox_clock.clock().ahead == timedelta()


def test_who_may_only_open_it_moves_nothing(sandbox: Scope) -> None:
    with enter(seat("acorn-sandbox", "ben@acorn.example")), work(), pytest.raises(Forbidden):
        sandbox_clock.advance(by=timedelta(days=1))


def test_nobody_else_works_for_it_meanwhile(sandbox: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    monkeypatch.setitem(registry.effects, "test", lambda effect: ran.append(effect.key))
    with enter(sandbox), work():
        effects.due("test", [("a", {})])
    begin(sandbox, timedelta(days=1))
    for kind in KINDS:
        assert sandbox.organization_id not in doors.due_work(
            kind, max_rows=99, per_tenant=9, wall=clock.wall()
        )
        tasks.run_due(kind=kind, organization_id=sandbox.organization_id)
    assert ran == []
    assert sandbox.organization_id in doors.due_work("clock", max_rows=9, per_tenant=9, wall=clock.wall())
    run(sandbox)
    assert ran == ["a"]


def test_it_waits_for_what_was_begun_before(sandbox: Scope) -> None:
    with enter(sandbox), work():
        effects.due("test", [("a", {})])
        Effect.objects.update(lease_until=clock.wall() + timedelta(minutes=5))
    before = now_in(sandbox)
    begin(sandbox, timedelta(days=1))
    with enter(system_scope(sandbox.organization_id)):
        timetravel.go_on([])
    assert now_in(sandbox) - before < timedelta(minutes=1)
    with enter(sandbox), work():
        Effect.objects.update(done_at=clock.wall(), lease_until=None)
    run(sandbox)
    assert now_in(sandbox) - before >= timedelta(days=1)


def test_the_next_worker_goes_on_where_a_dead_one_stood(
    sandbox: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    start = now_in(sandbox)

    def die(effect: Effect) -> None:
        if effect.key == "b" and "b" not in ran:
            ran.append("b")
            raise SystemExit  # as a kill: nothing is given back
        ran.append(effect.key)

    monkeypatch.setitem(registry.effects, "test", die)
    with enter(sandbox), work():
        for n, key in enumerate("abc", 1):
            effects.due("test", [(key, {})], at=start + timedelta(days=n))
    begin(sandbox, timedelta(days=5))
    with enter(system_scope(sandbox.organization_id)), pytest.raises(SystemExit):
        timetravel.go_on([])
    with enter(system_scope(sandbox.organization_id)):
        timetravel.go_on([])  # the lease is held
    assert ran == ["a", "b"]
    with time_machine.travel(clock.wall() + timetravel.LEASE + timedelta(seconds=1)):
        run(sandbox)
        assert now_in(sandbox) - start >= timedelta(days=5)
    assert ran == ["a", "b", "b", "c"]


def test_who_lost_the_lease_moves_nothing(sandbox: Scope) -> None:
    begin(sandbox, timedelta(days=5))
    with enter(system_scope(sandbox.organization_id)):
        with work():
            row = timetravel._take()
        assert row is not None
        with work():
            ClockAdvance.objects.update(turn=row.turn + 1)
        before = now_in(sandbox)
        with pytest.raises(timetravel._Lost):
            timetravel._step(row, clock.wall() + timedelta(minutes=1))
        assert now_in(sandbox) - before < timedelta(minutes=1)


def test_stopped_it_stays_where_it_is(sandbox: Scope) -> None:
    job = begin(sandbox, timedelta(days=50))
    with enter(sandbox), work():
        jobs.cancel(job.public_id)
    before = now_in(sandbox)
    run(sandbox)
    with enter(sandbox), work():
        job.refresh_from_db()
    assert (job.state, now_in(sandbox) - before < timedelta(minutes=1)) == ("cancelled", True)
    begin(sandbox, timedelta(days=1))


def test_what_breaks_again_and_again_ends_the_move_with_its_reason(
    sandbox: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_row_ids: list[int]) -> None:
        raise RuntimeError("no more room")

    monkeypatch.setitem(registry.due_workers, "effects", broken)
    with enter(sandbox), work():
        effects.due("test", [("a", {})])
    job = begin(sandbox, timedelta(days=1))
    with time_machine.travel(clock.wall()) as traveller:
        for _n in range(timetravel.GIVE_UP):
            with enter(system_scope(sandbox.organization_id)):
                timetravel.go_on([])
            traveller.shift(timedelta(hours=2))
    with enter(sandbox), work():
        job.refresh_from_db()
        Effect.objects.update(done_at=clock.wall())
    assert (job.state, "no more room" in job.message) == ("failed", True)


def test_audit_and_sessions_keep_the_real_time(sandbox: Scope) -> None:
    furnish(sandbox, 1, first=date.today() + timedelta(days=1))
    move(sandbox, timedelta(days=40))
    with enter(sandbox), work():
        newest = AuditEntry.objects.order_by("-timestamp").values_list("timestamp", flat=True)[0]
        assert abs(newest - datetime.now(UTC)) < timedelta(minutes=2)
        assert OutboxEvent.objects.order_by("-id")[0].occurred_at - newest > timedelta(days=30)
        assert AuditEntry.objects.filter(changes__has_key="clock_offset").exists()


def test_every_kind_of_due_work_has_its_clock() -> None:
    real = {"seals", "clock"}
    assert set(registry.due_workers) - set(registry.clocked) == real
    assert set(registry.clocked) == set(KINDS)


def test_the_clock_looks_at_all_kinds_in_one_query(sandbox: Scope) -> None:
    """It looks after everything it does, several times at each instant."""
    furnish(sandbox, 3, first=date(2026, 11, 1))
    with enter(system_scope(sandbox.organization_id)):
        with CaptureQueriesContext(connection) as asked:
            due = timetravel._due()
        assert set(due) == {"billing", "events"}, (
            "what was told of the subscriptions, and what is to be billed"
        )
        assert len(asked) <= 4, "and the frame of its transaction"
        with work():
            waiting = Subscription.objects.filter(state="active", next_bill_at__lte=clock.now())
            assert due["billing"][0] == waiting.count() > 0

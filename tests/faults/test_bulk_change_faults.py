"""Workers killed while many subscriptions are looked at and changed: each is seen once and changed once."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from billing.models import BulkChange, BulkChangeItem, SubscriptionItem
from billing.services import bulk_jobs
from billing.services.bulk_change import Wish
from billing.services.run import run_billing
from core import clock
from core.models import Job, OutboxEvent
from core.scope import Scope, work
from tests import factories
from tests.billed import proven
from tests.db.billing.test_change import priced
from tests.faults.test_killed_in_the_middle import dies_at, let_go
from tests.faults.test_worker_faults import (  # noqa: F401
    Processes,
    broker,
    counted,
    processes,
    wait_until,
)

pytestmark = pytest.mark.fault

MANY = 60
"""More than two steps."""


def today() -> date:
    return clock.today("Europe/Berlin")


def asked() -> str:
    """Sixty billed subscriptions that are to be moved to another price; the bulk change's public id."""
    with work():
        owner = factories.customer()
        dear = priced(name="Deluxe")
        for _ in range(MANY):
            factories.subscription(owner, today() - timedelta(days=10))
    run_billing(today())
    with work():
        OutboxEvent.objects.filter(relayed_at=None).update(relayed_at=clock.wall())
        return bulk_jobs.start(
            Wish("change", dear, on=today()), {"state": "active"}, today=today(), key="k" * 12
        )


def of(name: str) -> BulkChange:
    with work():
        found: BulkChange = BulkChange.objects.select_related("look", "run").get(public_id=name)
        return found


def state_of(job: Job) -> str:
    with work():
        return str(Job.objects.get(pk=job.pk).state)


def moved() -> int:
    return counted(SubscriptionItem, price__plan__name="Deluxe")


@pytest.mark.parametrize(
    ("place", "name", "nth"),
    [("billing.services.bulk_jobs", "_note_look", 2), ("billing.services.bulk_change", "next_bill", 30)],
)
def test_a_look_killed_at_any_step_sees_each_once_and_writes_nothing_else(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
    place: str,
    name: str,
    nth: int,
) -> None:
    bulk = of(asked())
    dies_at(processes, place, name, nth)
    assert counted(BulkChangeItem) == 25
    processes.worker()
    while bulk_jobs.LOOKING.step(bulk.look.public_id):  # beside the worker, as a second one
        pass
    wait_until(lambda: state_of(bulk.look) == "done", 120)
    assert counted(BulkChangeItem) == counted(BulkChangeItem, outcome="fits") == MANY
    assert moved() == 0
    assert counted(OutboxEvent, name="subscription.changed") == 0


@pytest.mark.parametrize(
    ("place", "name", "nth"),
    [
        ("billing.services.bulk_jobs", "_note_run", 2),
        ("billing.services.subscriptions", "keep_movements", 30),
    ],
)
def test_a_bulk_change_killed_at_any_step_changes_each_once(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
    place: str,
    name: str,
    nth: int,
) -> None:
    bulk = asked()
    while bulk_jobs.LOOKING.step(of(bulk).look.public_id):
        pass
    with work():
        run = bulk_jobs.confirm(bulk, today=today()).run
    dies_at(processes, place, name, nth)
    assert (counted(BulkChangeItem, outcome="done"), moved()) == (25, 25)
    processes.worker()
    while bulk_jobs.RUNNING.step(run.public_id):
        pass
    wait_until(lambda: state_of(run) == "done", 120)
    assert (counted(BulkChangeItem, outcome="done"), moved()) == (MANY, MANY)
    assert counted(OutboxEvent, name="subscription.changed") == MANY
    let_go()
    run_billing(today())
    proven()
    assert Decimal(counted(SubscriptionItem)) == 2 * MANY

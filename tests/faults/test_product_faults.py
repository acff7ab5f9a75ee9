"""A plan is moved, and what writes anew what that is worth is killed or delivered twice: it ends, once."""

import signal
from datetime import timedelta
from decimal import Decimal

import pytest

from billing.models import MrrMovement
from billing.services.discounts import discount
from billing.services.mrr import FILL
from billing.services.products import create_product, move_plan
from billing.services.replay import replay_billing
from billing.services.run import run_billing
from core import clock
from core.books import verify
from core.models import Effect, OutboxEvent
from core.scope import Scope, work
from tests import factories
from tests.billed import proven
from tests.faults.test_killed_in_the_middle import DYING, let_go
from tests.faults.test_worker_faults import Processes, broker, counted, processes  # noqa: F401

pytestmark = pytest.mark.fault
SOLD, BATCH = 12, 5
DYING_SOON = DYING.replace(
    "real, calls",
    f'sys.modules["billing.services.mrr"].fill_movements.__kwdefaults__["batch"] = {BATCH}\nreal, calls',
)
TWICE = """
import sys
import django
django.setup()
from core import doors, registry
from core.models import Effect
from core.scope import enter, work
from core.tasks import system_scope

with enter(system_scope(doors.org_of_slug("acorn"))):
    with work():
        rows = list(Effect.objects.filter(kind=sys.argv[1]).order_by("id"))
    for due in rows:
        registry.effects[due.kind](due)
"""
"""What a worker does with effects that another one does as well: nobody holds them."""


def move() -> None:
    """Twelve subscriptions, each with half off for a product that their plan comes into. Inside work()."""
    began = clock.today("Europe/Berlin") - timedelta(days=40)
    create_product(name="Track", code="track")
    sold = factories.subscription(factories.customer(), began)
    rows = [sold] + [
        factories.subscribe(customer=factories.customer().public_id, price=sold.price, starts_on=began)
        for _ in range(SOLD - 1)
    ]
    for row in rows:
        discount(row.public_id, name="H", percent=Decimal(50), products=["track"], on=began, today=began)
    move_plan(sold.price.plan.public_id, product="track")


@pytest.mark.parametrize(
    ("place", "name", "nth", "written"),
    [
        ("billing.services.mrr", "keep_movements", 1, 0),
        ("billing.services.mrr", "_columns", 3, 0),
        ("billing.services.mrr", "lock", 2, BATCH),
        ("billing.services.mrr", "keep_movements", 3, 2 * BATCH),
        ("core.effects", "work", 3, SOLD),
    ],
)
def test_what_a_moved_plan_is_worth_is_written_once_wherever_the_worker_dies(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
    place: str,
    name: str,
    nth: int,
    written: int,
) -> None:
    with work():
        move()
    assert counted(MrrMovement) == SOLD
    assert processes.start("-c", DYING_SOON, place, name, str(nth)).wait(120) == -signal.SIGKILL
    assert counted(MrrMovement) == SOLD + written
    let_go()
    for _again in range(2):
        assert processes.start("-c", DYING_SOON, place, name, "0").wait(120) == 0
        assert counted(MrrMovement) == 2 * SOLD
        assert counted(Effect, kind=FILL, done_at=None) == 0
    assert counted(OutboxEvent, name="plan.product_changed") == 1
    run_billing(clock.today("Europe/Berlin"))
    proven()


def test_what_a_moved_plan_is_worth_is_written_once_by_two_workers(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
) -> None:
    with work():
        move()
    assert len(replay_billing().mrr) == SOLD
    both = [processes.start("-c", TWICE, FILL) for _ in range(2)]
    assert [each.wait(120) for each in both] == [0, 0]
    assert counted(MrrMovement) == 2 * SOLD
    with work():
        assert verify() == []
    run_billing(clock.today("Europe/Berlin"))
    proven()

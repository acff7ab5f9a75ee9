"""A run over steps of plans is killed again and again; each day is billed once, by what holds on it."""

from datetime import time, timedelta
from decimal import Decimal

import pytest

from billing.domain.anchors import Rhythm
from billing.domain.proration import Proration
from billing.models import BilledPeriod, CreditedPeriod, Subscription
from billing.services.change import add_step, change
from billing.services.run import run_billing
from billing.services.start import start_run
from billing.services.steps import Step
from billing.services.subscriptions import end
from core import clock
from core.scope import Scope, work
from tests import factories
from tests.billed import proven
from tests.db.billing.ramped import as_said
from tests.faults.test_killed_in_the_middle import dies_at
from tests.faults.test_worker_faults import Processes, broker, counted, processes  # noqa: F401

pytestmark = pytest.mark.fault
SOLD = 12


@pytest.mark.parametrize("name", ["_periods", "_advance"])
def test_a_run_over_steps_killed_at_any_place_bills_each_day_once(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
    name: str,
) -> None:
    """A step the day before yesterday, one yesterday and one to come; the run before was long ago."""
    today = clock.today("Europe/Berlin")
    with work():
        owner, first = factories.customer(), today - timedelta(days=10)
        subs = [factories.subscription(owner, first, quantity=Decimal(10), unit="week") for _ in range(SOLD)]
        for sub in subs:
            for ago, quantity in ((2, 20), (1, 30), (-20, 40)):
                on = today - timedelta(days=ago)
                add_step(sub.public_id, Step(quantity=Decimal(quantity), on=on), today=first)
        start_run(today, today=today, key="k" * 12)
    dies_at(processes, "billing.services.run", name, 1)
    assert counted(BilledPeriod) == 0
    run_billing(today)
    each = 4  # a week, the part up to the first step, the day of that one, and the rest of the week
    assert counted(BilledPeriod) == SOLD * each
    run_billing(today)
    assert counted(BilledPeriod) == SOLD * each
    with work():
        for sub in Subscription.objects.all():
            as_said(sub)
    proven()


@pytest.mark.parametrize(
    ("place", "name"), [("billing.services.run", "_advance"), ("billing.services.credits", "spend")]
)
def test_a_run_over_changes_at_a_time_killed_at_any_place_shares_the_day_once(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
    place: str,
    name: str,
) -> None:
    """Twice as many from noon yesterday on, of a week that is billed, and over this morning at six."""
    today = clock.today("Europe/Berlin")
    first, yesterday = today - timedelta(days=3), today - timedelta(days=1)
    with work():
        owner, rhythm = factories.customer(), Rhythm(proration=Proration.SECOND)
        subs = [
            factories.subscription(owner, first, unit="week", unit_price=Decimal(70), rhythm=rhythm)
            for _ in range(SOLD)
        ]
    run_billing(yesterday)
    with work():
        for sub in subs:
            change(sub.public_id, quantity=Decimal(2), on=yesterday, at=time(12), today=today)
            end(sub.public_id, on=today, at=time(6), today=today)
        start_run(today, today=today, key="k" * 12)
    dies_at(processes, place, name, 1)
    assert (counted(BilledPeriod), counted(CreditedPeriod)) == (SOLD, 0)
    for _ in range(2):
        run_billing(today)
        assert (counted(BilledPeriod), counted(CreditedPeriod)) == (2 * SOLD, SOLD)
    with work():
        billed, back = (
            set(rows.filter(period_start=yesterday).values_list("amount_minor", flat=True))
            for rows in (BilledPeriod.objects, CreditedPeriod.objects)
        )
    assert (billed, back) == ({1500}, {4500})
    proven()

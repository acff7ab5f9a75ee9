"""A run that corrects is killed again and again; what came late is billed and credited once all the same."""

from datetime import timedelta
from decimal import Decimal

import pytest

from billing.models import BilledPeriod, CorrectedPeriod, LateUsage, Meter, Subscription
from billing.services.prices import create_price
from billing.services.run import run_billing
from billing.services.subscriptions import subscribe
from billing.services.usage_voids import void
from core import clock
from core.books import verify
from core.scope import Scope, work
from invoicing.models import Document
from tests import factories
from tests.billed import proven
from tests.faults.test_worker_faults import Processes, broker, counted, processes, wait_until  # noqa: F401
from tests.metering import meter, said, send

pytestmark = pytest.mark.fault
SOLD = 18


def sell(by: Meter) -> list[Subscription]:
    """Daily usage at 2.00 each, three on its first day."""
    price = create_price(
        name="Calls", code="calls", model="per_unit", currency="EUR", unit_price=Decimal(2), unit="day",
        timing="arrears", meter=by.code,
    )  # fmt: skip
    plan = create_price(name="Pro", code="pro", model="flat", currency="EUR", unit_price=Decimal(29))
    began = clock.today("Europe/Berlin") - timedelta(days=5)
    made = []
    for n in range(SOLD):
        sub = subscribe(
            customer=factories.customer().public_id, price=plan, starts_on=began, added=[(price, Decimal(1))]
        )
        at = clock.now() - timedelta(days=4, hours=n / 100)
        send(said(by, sub, f"first{n}", amount="3", at=at))
        made.append(sub)
    return made


def test_a_run_killed_while_it_corrects_bills_and_credits_each_once(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
) -> None:
    today = clock.today("Europe/Berlin")
    with work():
        by = meter("sum")
        subs = sell(by)
    run_billing(today - timedelta(days=2))
    with work():
        for n, sub in enumerate(subs):
            if n % 3:
                send(said(by, sub, f"late{n}", amount="1.5", at=clock.now() - timedelta(days=4)))
            else:
                void([f"first{n}"])
        assert LateUsage.objects.count() == SOLD
    command = ("manage.py", "run_billing", "--organization", "acorn", "--as-of", str(today), "--batch", "2")
    for goal in (1, 6, 12):
        run = processes.start(*command)
        wait_until(lambda goal=goal: counted(CorrectedPeriod) >= goal)  # type: ignore[misc]
        processes.kill(run)
        with work():
            assert verify() == []
    for _ in range(2):
        assert processes.start(*command).wait(60) == 0
        assert counted(CorrectedPeriod) == SOLD
        assert counted(Document, kind="credit_note") == SOLD / 3
        assert counted(LateUsage) == 0
    assert counted(BilledPeriod) == SOLD * (1 + 5)
    with work():
        found = CorrectedPeriod.objects.values_list("difference_minor", flat=True)
        assert sum(found) == SOLD // 3 * (2 * 300 - 600)
    proven()

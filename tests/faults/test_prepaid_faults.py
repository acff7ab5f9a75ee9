"""A run that draws of prepaid balances is killed again and again; each invoice is paid out of them once."""

from datetime import timedelta
from decimal import Decimal

import pytest

from billing.services.prices import create_price
from billing.services.run import run_billing
from billing.services.subscriptions import subscribe
from core import clock
from core.books import verify
from core.scope import Scope, work
from invoicing.models import Document, TopUp, TopUpMove
from invoicing.services.prepaid import top_up
from tests import factories
from tests.billed import proven
from tests.faults.test_worker_faults import Processes, broker, counted, processes, wait_until  # noqa: F401
from tests.metering import meter, said, send

pytestmark = pytest.mark.fault
SOLD, CUSTOMERS, EACH = 18, 6, 3000


def sell() -> None:
    """Three of 2.00 used yesterday in each of 18 subscriptions, of six customers who paid 30.00 in advance."""
    by = meter("sum")
    price = create_price(
        name="Calls", code="calls", model="per_unit", currency="EUR", unit_price=Decimal(2), unit="day",
        timing="arrears", meter=by.code, tax_percent=Decimal(0),
    )  # fmt: skip
    plan = create_price(name="Pro", code="pro", model="flat", currency="EUR", unit_price=Decimal(29))
    began = clock.today("Europe/Berlin") - timedelta(days=1)
    owners = [factories.customer() for _ in range(CUSTOMERS)]
    for owner in owners:
        factories.pay(
            top_up(owner.public_id, minor=EACH, key=owner.public_id, today=began).document, on=began
        )
    for n in range(SOLD):
        sub = subscribe(
            customer=owners[n % CUSTOMERS].public_id,
            price=plan,
            starts_on=began,
            added=[(price, Decimal(1))],
        )
        send(said(by, sub, f"used{n}", amount="3", at=clock.now() - timedelta(days=1)))


def test_a_run_killed_while_it_draws_pays_each_invoice_once(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
) -> None:
    today = clock.today("Europe/Berlin")
    with work():
        sell()
    run_billing(today - timedelta(days=1))
    assert counted(TopUpMove) == 0
    command = ("manage.py", "run_billing", "--organization", "acorn", "--as-of", str(today), "--batch", "2")
    for goal in (1, 6, 12):
        run = processes.start(*command)
        wait_until(lambda goal=goal: counted(TopUpMove) >= goal)  # type: ignore[misc]
        processes.kill(run)
        with work():
            assert verify() == []
    for _ in range(2):
        assert processes.start(*command).wait(60) == 0
        assert counted(TopUpMove) == SOLD
    assert counted(Document, prepays=False) == 2 * SOLD
    with work():
        left = set(TopUp.objects.values_list("left_minor", flat=True))
        assert left == {EACH - SOLD // CUSTOMERS * 600}
    proven()

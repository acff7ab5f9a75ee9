"""A run that draws of prepaid balances is killed again and again; each invoice is paid out of them once, and what ends
on its day is income once."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine

from billing.services.prices import create_price
from billing.services.run import run_billing
from billing.services.subscriptions import subscribe
from core import clock
from core.books import verify
from core.models import Effect, OutboxEvent
from core.scope import Scope, work
from invoicing.models import Document, TopUp, TopUpMove
from invoicing.prepaid import balance
from invoicing.services.prepaid import EXPIRE, hold, pay_in_advance, top_up
from ledger.models import Entry
from tests import factories
from tests.billed import proven
from tests.faults.test_killed_in_the_middle import DYING, dies_at
from tests.faults.test_product_faults import TWICE
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


ENDING = 3


def end_today() -> list[str]:
    """Three customers whose top-up of 30.00 ends today: each drew 10.00, one still owes 5.00 of it. Inside work()."""
    today = clock.today("Europe/Berlin")
    began = today - timedelta(days=2)
    ends = []
    for n in range(ENDING):
        owner = factories.customer()
        with time_machine.travel(clock.now() - timedelta(days=2), tick=True):
            row = top_up(owner.public_id, minor=EACH, expires_on=today, key=f"end{n}", today=began)
        factories.pay(row.document, on=began, minor=EACH - (500 if n == 0 else 0))
        bill = factories.invoice(owner, on=began)
        pay_in_advance(hold([owner.pk]), {bill.pk: 1000}, {bill.pk: bill}, on=began)
        ends.append(row.public_id)
    return ends


def ended_once() -> None:
    assert counted(TopUpMove, kind="expired") == ENDING
    assert counted(Entry, kind="prepaid_expired") == ENDING
    assert counted(Effect, kind=EXPIRE, done_at=None) == 0
    with work():
        told = OutboxEvent.objects.filter(name="top_up.expired").values_list("object_public_id", "payload")
        assert len({name for name, _ in told}) == len(told) == ENDING
        assert sorted(said["amount_minor"] for _, said in told) == [1500, 2000, 2000]
        left = TopUp.objects.order_by("id").values_list("left_minor", flat=True)
        assert list(left) == [500, 0, 0], "what was never paid stays"
        for row in TopUp.objects.all():
            assert (
                sum(each.minor for each in balance(row.customer_id, today=clock.today("Europe/Berlin"))) == 0
            )
        assert verify() == []


@pytest.mark.parametrize(
    ("place", "name", "nth", "ended"),
    [
        ("invoicing.services.prepaid", "lock_one", 1, 0),
        ("invoicing.services.prepaid", "take", 1, 0),
        ("invoicing.services.prepaid", "post", 2, 1),
        ("invoicing.services.prepaid", "emit", 2, 1),
        ("core.effects", "work", 3, 1),  # it is income, and not yet noted that it is done
        ("core.effects", "work", 5, 2),
        ("invoicing.handlers", "expire", 3, 2),
    ],
)
def test_a_top_up_whose_day_has_come_ends_once_wherever_the_worker_dies(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
    place: str,
    name: str,
    nth: int,
    ended: int,
) -> None:
    with work():
        end_today()
    dies_at(processes, place, name, nth)
    for model in (TopUpMove, Entry):
        kind = "expired" if model is TopUpMove else "prepaid_expired"
        assert counted(model, kind=kind) == ended
    assert counted(OutboxEvent, name="top_up.expired") == ended
    for _again in range(2):
        assert processes.start("-c", DYING, place, name, "0").wait(120) == 0
        ended_once()


def test_a_top_up_whose_day_has_come_ends_once_by_two_workers(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
) -> None:
    with work():
        end_today()
    both = [processes.start("-c", TWICE, EXPIRE) for _ in range(2)]
    assert [each.wait(120) for each in both] == [0, 0]
    assert processes.start("-c", DYING, "core.effects", "work", "0").wait(120) == 0
    ended_once()

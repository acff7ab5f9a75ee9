"""Workers that charge kept cards are killed and doubled: each card is charged once, each customer told once."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from cashapp.handlers import sweep
from cashapp.models import Payment, SandboxCharge
from cashapp.services import cards
from cashapp.services.tries import CHARGE
from core import clock, effects
from core.books import verify
from core.models import Effect, OutboxEvent
from core.relay import relay
from core.scope import Scope, work
from customers.domain.cards import Card
from customers.models import Customer
from customers.services.methods import keep
from messaging.models import Message
from receivables.models import OpenItem
from tests import factories
from tests.faults.test_killed_in_the_middle import DYING, dies_at, let_go
from tests.faults.test_product_faults import TWICE
from tests.faults.test_worker_faults import Processes, broker, counted, processes  # noqa: F401

pytestmark = pytest.mark.fault
OWED, CREDIT = 3, 400
GATEWAY = 'from django.conf import settings\nsettings.PAYMENT_GATEWAYS = ["sandbox"]\n'
DYING_HERE = DYING.replace("real, calls", f"{GATEWAY}real, calls")
TWICE_HERE = TWICE.replace("with enter", f"{GATEWAY}with enter")


def with_card(n: int, *, days: int) -> Customer:
    """A customer with a card that is good so many days more. Inside work()."""
    owner = factories.customer(name=f"Payer {n}", email=f"pay{n}@kestrel.example")
    last = clock.today("Europe/Berlin") + timedelta(days=days)
    keep(
        owner.public_id, gateway="sandbox", card=Card(f"card_ok.{last}", "Visa", "4242", last), consent="Yes."
    )
    return owner


def to_charge() -> None:
    """Invoices that are due, each of a customer with a card and a little credit. Inside work()."""
    day = clock.today("Europe/Berlin") - timedelta(days=14)
    for n in range(OWED):
        owner = with_card(n, days=400)
        factories.invoice(owner, ("1", "100.00"), tax="0", on=day, autopay=True)
        factories.payment(owner, CREDIT, on=day)


def charged_once() -> None:
    with work():
        charges = list(SandboxCharge.objects.filter(outcome="succeeded").values_list("minor", flat=True))
        assert charges == [10_000 - CREDIT] * OWED
        assert Payment.objects.filter(provider="sandbox").count() == OWED
        assert not OpenItem.objects.exclude(open_minor=0).exists()
        assert not OpenItem.objects.exclude(reserved_minor=0).exists()
        assert verify() == []
    assert counted(Message, kind="payment_failed") == 0


@pytest.mark.parametrize(
    ("place", "name", "nth"),
    [
        ("cashapp.services.autopay", "intend", 2),  # the credit is taken, and nothing intended
        ("cashapp.services.autopay", "send", 2),  # intended, and the gateway not asked
        ("cashapp.services.attempts", "gateway", 6),  # said to be sent, and the gateway not asked
        ("cashapp.services.attempts", "record", 2),  # charged, and not in the books
        ("cashapp.services.attempts", "book", 2),
        ("cashapp.services.payments", "emit_all", 2),
    ],
)
def test_each_card_is_charged_once_wherever_the_worker_dies(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    name: str,
    nth: int,
) -> None:
    monkeypatch.setattr("tests.faults.test_killed_in_the_middle.DYING", DYING_HERE)
    with work():
        to_charge()
    relay([])
    dies_at(processes, place, name, nth)
    for _again in range(2):
        assert processes.start("-c", DYING_HERE, "core.effects", "work", "0").wait(120) == 0
        let_go()
    for hours in (1, 2, 3):
        with time_machine.travel(datetime.now(UTC) + timedelta(hours=hours)):
            sweep([])
            relay([])
            effects.work_off([])
    charged_once()


def test_each_card_is_charged_once_by_two_workers(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
) -> None:
    with work():
        to_charge()
    relay([])
    both = [processes.start("-c", TWICE_HERE, CHARGE) for _ in range(2)]
    for each in both:
        each.wait(120)
    assert processes.start("-c", DYING_HERE, "core.effects", "work", "0").wait(120) == 0
    charged_once()


@pytest.mark.parametrize("name", ["emit", "queue_for_event"])
def test_a_card_that_expires_is_told_of_once_wherever_the_worker_dies(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
    name: str,
) -> None:
    with work():
        with_card(1, days=20)
    relay([])
    dies_at(processes, "cashapp.services.cards", name, 1)
    assert counted(OutboxEvent, name="payment_method.expiring") == 0
    for _again in range(2):
        assert processes.start("-c", TWICE, cards.EXPIRING).wait(120) == 0
    assert counted(OutboxEvent, name="payment_method.expiring") == 1
    assert counted(Message, kind=cards.MAIL) == 1
    assert counted(Effect, kind=cards.EXPIRING) == 1

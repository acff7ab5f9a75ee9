"""Workers that tell of renewals are killed and doubled; each customer is told once, and programs are."""

import pytest

from billing.domain.anchors import Rhythm
from billing.models import RenewalNotice
from billing.services import renewals
from core import clock
from core.books import verify
from core.models import Effect, OutboxEvent
from core.scope import Scope, work
from messaging.models import Message
from tenants.models import LegalEntity
from tests import factories
from tests.faults.test_killed_in_the_middle import DYING, dies_at, let_go
from tests.faults.test_product_faults import TWICE
from tests.faults.test_worker_faults import Processes, broker, counted, processes  # noqa: F401

pytestmark = pytest.mark.fault
SOLD = 5
IN_TWOS = 'sys.modules["billing.services.renewals"].BATCH = 2\n'
"""Looks at two subscriptions at once."""
DYING_IN_TWOS = DYING.replace("real, calls", f"{IN_TWOS}real, calls")
TWICE_IN_TWOS = TWICE.replace("with enter", f"{IN_TWOS}with enter")


def to_tell() -> None:
    """Five customers whose trial ends within the days, and a look that is due. Inside work()."""
    today = clock.today("Europe/Berlin")
    for n in range(SOLD):
        owner = factories.customer(email=f"pay{n}@kestrel.example")
        factories.subscription(owner, today, rhythm=Rhythm(trial_days=10))
    LegalEntity.objects.update(renewal_notice_days=14)
    row = LegalEntity.objects.get()
    renewals.begin([(row.public_id, row.version)])


def told_once() -> None:
    assert counted(RenewalNotice, mailed=True) == counted(RenewalNotice) == SOLD
    assert counted(OutboxEvent, name="subscription.renewal_upcoming") == SOLD
    assert counted(Message, kind="renewal_upcoming") == SOLD
    with work():
        assert verify() == []


@pytest.mark.parametrize(
    ("place", "name", "nth", "told"),
    [
        ("billing.services.renewals", "require_live", 1, 0),  # what follows is due, and nobody told
        ("billing.services.renewals", "emit_all", 1, 0),
        ("billing.services.renewals", "queue_for_event", 2, 2),
        ("core.effects", "work", 3, 2),  # two are told, and it is not yet noted that this is done
    ],
)
def test_each_is_told_once_wherever_the_worker_dies(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    name: str,
    nth: int,
    told: int,
) -> None:
    monkeypatch.setattr("tests.faults.test_killed_in_the_middle.DYING", DYING_IN_TWOS)
    with work():
        to_tell()
    dies_at(processes, place, name, nth)
    assert counted(RenewalNotice) == counted(Message, kind="renewal_upcoming") == told
    assert counted(OutboxEvent, name="subscription.renewal_upcoming") == told
    for _again in range(2):
        assert processes.start("-c", DYING_IN_TWOS, "core.effects", "work", "0").wait(120) == 0
        let_go()
        told_once()
        assert counted(Effect, kind=renewals.LOOK, done_at=None) == 1, "tomorrow's"


def test_each_is_told_once_by_two_workers(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
) -> None:
    with work():
        to_tell()
    both = [processes.start("-c", TWICE_IN_TWOS, renewals.LOOK) for _ in range(2)]
    assert [each.wait(120) for each in both] == [0, 0]
    assert processes.start("-c", DYING_IN_TWOS, "core.effects", "work", "0").wait(120) == 0
    told_once()

"""What the sweeper asks about, and when again."""

from datetime import UTC, datetime, timedelta

import time_machine

from cashapp.handlers import sweep
from cashapp.models import Attempt
from cashapp.services.attempts import CHECK_AFTER, pay
from core import clock, doors
from core.scope import Scope, work
from receivables.models import OpenItem
from tests import factories


def due() -> dict[int, list[int]]:
    return doors.due_work("attempts", max_rows=9, per_tenant=9, wall=clock.wall())


def test_an_attempt_that_waits_for_the_payer_is_asked_about_once_a_while(acorn: Scope) -> None:
    with work():
        document = factories.invoice(factories.customer(), ("1", "100.00"), tax="0")
        item = OpenItem.objects.get(source=document.public_id)
    attempt = pay(key="k1", amounts={item.pk: 10_000}, method="card_authenticate", description="INV")
    assert attempt.state == "action_required"
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1), tick=False):
        assert due()
        sweep([])
        assert not due(), "it would be asked about at every tick"
        with work():
            again = Attempt.objects.get(pk=attempt.pk)
        assert again.state == "action_required"
        assert again.check_at == clock.wall() + CHECK_AFTER

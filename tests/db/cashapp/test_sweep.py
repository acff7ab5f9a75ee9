"""What the sweeper asks about, and when again."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from cashapp.gateways.port import ChargeResult, NoAnswer
from cashapp.gateways.sandbox import Sandbox
from cashapp.handlers import sweep
from cashapp.models import Attempt, Payment, SandboxCharge
from cashapp.services import inbox
from cashapp.services.attempts import CHECK_AFTER, EXPIRE_AFTER, ask, pay
from core import clock, doors, effects
from core.scope import Scope, work
from receivables.models import OpenItem
from tests import factories


def due() -> dict[int, list[int]]:
    return doors.due_work("attempts", max_rows=9, per_tenant=9, wall=clock.wall())


@pytest.fixture
def item(acorn: Scope) -> OpenItem:
    with work():
        document = factories.invoice(factories.customer(), ("1", "100.00"), tax="0")
        return OpenItem.objects.get(source=document.public_id)  # type: ignore[no-any-return]


def waiting(item: OpenItem, key: str = "k1") -> Attempt:
    attempt = pay(key=key, amounts={item.pk: 10_000}, method="card_authenticate", description="INV")
    assert attempt.state == "action_required"
    return attempt


def swept(attempt: Attempt, after: timedelta) -> Attempt:
    with time_machine.travel(datetime.now(UTC) + after, tick=False):
        sweep([])
        with work():
            return Attempt.objects.get(pk=attempt.pk)  # type: ignore[no-any-return]


def test_an_attempt_that_waits_for_the_payer_is_asked_about_once_a_while(item: OpenItem) -> None:
    attempt = waiting(item)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=50), tick=False):
        assert due()
        sweep([])
        assert not due(), "it would be asked about at every tick"
        with work():
            again = Attempt.objects.get(pk=attempt.pk)
        assert again.state == "action_required"
        assert again.check_at == clock.wall() + CHECK_AFTER


def test_what_was_left_at_the_bank_expires_and_can_be_paid_otherwise(item: OpenItem) -> None:
    after = swept(waiting(item), EXPIRE_AFTER)
    assert (after.state, after.code, after.check_at) == ("declined", "expired", None)
    with work():
        item.refresh_from_db()
        assert (item.reserved_minor, item.open_minor) == (0, 10_000)
        assert SandboxCharge.objects.get().outcome == "declined", "and it was given up at the gateway"
    assert pay(key="k2", amounts={item.pk: 10_000}, method="card_ok", description="INV").state == "succeeded"


def test_what_was_confirmed_in_the_last_moment_is_booked_and_not_expired(item: OpenItem) -> None:
    attempt = waiting(item)
    Sandbox().authenticate(attempt.reference, approved=True)
    assert swept(attempt, EXPIRE_AFTER).state == "succeeded"


def test_what_is_confirmed_while_it_is_given_up_is_booked(
    item: OpenItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt, cancel = waiting(item), Sandbox.cancel

    def confirmed_before(self: Sandbox, reference: str) -> ChargeResult:
        self.authenticate(reference, approved=True)
        return cancel(self, reference)

    with monkeypatch.context() as patch:
        patch.setattr(Sandbox, "cancel", confirmed_before)
        assert swept(attempt, EXPIRE_AFTER).state == "succeeded"


def test_nothing_expires_while_the_gateway_is_down(item: OpenItem, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt = waiting(item)
    with monkeypatch.context() as down:
        down.setattr(Sandbox, "cancel", lambda *_: (_ for _ in ()).throw(NoAnswer("down")))
        after = swept(attempt, EXPIRE_AFTER)
        assert (after.state, after.check_at is not None) == ("action_required", True)
    assert swept(attempt, EXPIRE_AFTER + timedelta(hours=1)).state == "declined"


@pytest.mark.parametrize("paid_otherwise", [False, True])
def test_money_that_comes_after_it_expired_is_booked(item: OpenItem, paid_otherwise: bool) -> None:
    attempt = swept(waiting(item), EXPIRE_AFTER)
    if paid_otherwise:
        pay(key="k2", amounts={item.pk: 10_000}, method="card_ok", description="INV")
    with work():
        SandboxCharge.objects.filter(key=attempt.key).update(outcome="succeeded")
    inbox.receive(provider="sandbox", event_id="late", payload={"key": attempt.key})
    effects.work_off([])
    with work():
        late = Payment.objects.get(attempt=attempt)
        assert OpenItem.objects.get(source=late.public_id).open_minor == (10_000 if paid_otherwise else 0)
        assert OpenItem.objects.get(pk=item.pk).open_minor == 0


def test_late_news_of_a_declined_attempt_waits_for_a_gateway_that_is_down(
    item: OpenItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = swept(waiting(item), EXPIRE_AFTER)
    with monkeypatch.context() as down:
        down.setattr(Sandbox, "find", lambda *_: (_ for _ in ()).throw(NoAnswer("down")))
        with pytest.raises(NoAnswer):
            ask(attempt)

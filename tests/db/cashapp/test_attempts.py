"""One intent, one charge, one payment: whoever brings the answer, in whatever order, however often."""

import itertools
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection

from cashapp.domain.states import LIVE, MOVES, State
from cashapp.gateways.port import ChargeResult, NoAnswer, Outcome
from cashapp.gateways.registry import NoGateway
from cashapp.gateways.sandbox import Sandbox
from cashapp.handlers import sweep
from cashapp.models import Attempt, AttemptItem, Payment, SandboxCharge, WebhookEvent
from cashapp.services import attempts, inbox
from cashapp.services.attempts import AlreadyUnderWay, give_up, pay, record
from core import effects, vault
from core import scope as scopes
from core.books import verify
from core.errors import AppError
from core.models import OutboxEvent
from core.scope import Scope, work
from receivables.models import OpenItem
from receivables.services.allocate import TooMuch
from tests import factories


@pytest.fixture
def item(acorn: Scope) -> OpenItem:
    with work():
        doc = factories.invoice(factories.customer(), ("1", "100.00"), tax="0")
        return OpenItem.objects.get(source=doc.public_id)  # type: ignore[no-any-return]


def charge(item: OpenItem, method: str = "card_ok", key: str = "k1", minor: int = 10_000) -> Attempt:
    return pay(key=key, amounts={item.pk: minor}, method=method, description="INV")


def state_of(item: OpenItem) -> tuple[int, int]:
    with work():
        now = OpenItem.objects.get(pk=item.pk)
        return now.open_minor, now.reserved_minor


def test_a_card_that_works_pays_the_invoice(item: OpenItem) -> None:
    assert charge(item).state == "succeeded"
    assert state_of(item) == (0, 0)
    with work():
        assert Payment.objects.get().minor == 10_000


def test_a_declined_card_takes_nothing_and_frees_the_item(item: OpenItem) -> None:
    attempt = charge(item, "card_declined")
    assert (attempt.state, attempt.code) == ("declined", "card_declined")
    assert state_of(item) == (10_000, 0)
    with work():
        assert not Payment.objects.exists()
        assert OutboxEvent.objects.filter(name="charge.failed").count() == 1
    assert charge(item, key="k2").state == "succeeded"


def test_the_same_intent_twice_charges_once(item: OpenItem) -> None:
    assert charge(item).pk == charge(item).pk
    with work():
        assert (SandboxCharge.objects.count(), Payment.objects.count()) == (1, 1)


def test_while_one_payment_is_under_way_another_is_refused(item: OpenItem) -> None:
    charge(item, "card_authenticate", minor=4_000)
    with pytest.raises(AlreadyUnderWay):
        charge(item, key="k2", minor=1_000)
    assert state_of(item) == (10_000, 4_000)


def test_more_than_is_open_is_never_charged(item: OpenItem) -> None:
    with pytest.raises(TooMuch):
        charge(item, minor=10_001)
    with work():
        assert not SandboxCharge.objects.exists()


def test_without_a_gateway_nothing_is_charged(item: OpenItem, settings: object) -> None:
    settings.PAYMENT_GATEWAYS = []  # type: ignore[attr-defined]
    with pytest.raises(NoGateway):
        charge(item)


def test_authentication_approved_pays_and_refused_frees(item: OpenItem) -> None:
    attempt = charge(item, "card_authenticate")
    assert attempt.state == "action_required"
    record(attempt.public_id, Sandbox().authenticate(attempt.reference, approved=False))
    assert state_of(item) == (10_000, 0)
    second = charge(item, "card_authenticate", key="k2")
    record(second.public_id, Sandbox().authenticate(second.reference, approved=True))
    assert state_of(item) == (0, 0)


def test_an_attempt_waiting_for_authentication_can_be_given_up(item: OpenItem) -> None:
    attempt = charge(item, "card_authenticate")
    assert give_up(attempt.public_id).state == "declined"
    assert Sandbox().authenticate(attempt.reference, approved=True).outcome is Outcome.DECLINED
    assert charge(item, key="k2").state == "succeeded"


def test_a_lost_answer_is_found_by_the_sweeper_and_charged_once(item: OpenItem) -> None:
    attempt = charge(item, "card_timeout")
    assert attempt.state == "unknown"
    assert state_of(item) == (10_000, 10_000)
    assert charge(item, "card_timeout").state == "unknown"
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=3)):
        sweep([])
    assert state_of(item) == (0, 0)
    with work():
        assert (Attempt.objects.get().state, Payment.objects.count()) == ("succeeded", 1)


def test_what_the_gateway_never_took_is_abandoned_after_a_while(item: OpenItem) -> None:
    start = datetime.now(UTC)
    charge(item, "card_down")
    for minutes, expected in ((3, "unknown"), (20, "abandoned")):
        with time_machine.travel(start + timedelta(minutes=minutes)):
            sweep([])
            with work():
                assert Attempt.objects.get().state == expected
    assert state_of(item) == (10_000, 0)


def test_money_that_comes_after_giving_up_is_booked_all_the_same(item: OpenItem) -> None:
    start = datetime.now(UTC)
    attempt = charge(item, "card_down")
    with time_machine.travel(start + timedelta(minutes=20)):
        sweep([])
        assert charge(item, key="k2", minor=7_000).state == "succeeded"
        with work():
            SandboxCharge.objects.create(
                key=attempt.key, reference="sbx_late", minor=10_000, currency="EUR", outcome="succeeded"
            )
        inbox.receive(provider="sandbox", event_id="late", payload={"key": attempt.key})
        effects.work_off([])
    assert state_of(item) == (0, 0)
    with work():
        late = Payment.objects.get(provider_ref="sbx_late")
        assert OpenItem.objects.get(source=late.public_id).open_minor == 7_000


def test_the_webhook_alone_brings_the_answer(item: OpenItem) -> None:
    charge(item, "card_timeout")
    effects.work_off([])
    assert state_of(item) == (0, 0)


def test_a_webhook_twice_and_one_about_nothing_of_ours_change_nothing(item: OpenItem) -> None:
    charge(item)
    for _ in range(3):
        inbox.receive(provider="sandbox", event_id="e1", payload={"key": "k1"})
        inbox.receive(provider="sandbox", event_id="e2", payload={"key": "somebody else's"})
    effects.work_off([])
    with work():
        assert Payment.objects.count() == 1
        assert WebhookEvent.objects.filter(handled_at=None).count() == 0


@pytest.mark.parametrize(("before", "outcome"), list(itertools.product(State, Outcome)))
def test_only_allowed_moves_are_recorded(
    item: OpenItem, before: State, outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    with work():
        attempt = attempts.intend("k", {item.pk: 100}, "card_ok", "x")
        if before not in LIVE:
            attempts.release({item.pk: 100})
            AttemptItem.objects.update(live=False)
        Attempt.objects.update(state=before)
        if before == State.SUCCEEDED:
            attempts._book(attempt, ChargeResult(Outcome.SUCCEEDED, "ref_0"), {item.pk: 100})
    after = record(attempt.public_id, ChargeResult(outcome, "ref_1"))
    wanted = State(str(outcome))
    assert after.state == (wanted if wanted in MOVES[before] else before)


def answer_in(order: tuple[str, ...], attempt: Attempt) -> None:
    ways: dict[str, Callable[[], object]] = {
        "sweeper": lambda: attempts.ask(attempt),
        "webhook": lambda: inbox.handle(_stored(attempt)),
        "retry": lambda: pay(key=attempt.key, amounts=amounts, method="card_ok", description=""),
    }
    with work():
        amounts = dict(AttemptItem.objects.filter(attempt=attempt).values_list("item_id", "minor"))
    for name in order:
        ways[name]()


def _stored(attempt: Attempt) -> int:
    with work():
        payload = vault.seal(WebhookEvent, "payload", "sandbox:x", json.dumps({"key": attempt.key}))
        row, _ = WebhookEvent.objects.get_or_create(
            provider="sandbox", event_id="x", defaults={"payload": payload}
        )
    return row.pk  # type: ignore[no-any-return]


class Killed(BaseException):
    """Stands for kill -9: nothing below catches it."""


CRASHES = ["before_send", "before_call", "after_call", "inside_record", "after_record"]
ORDERS = [("sweeper",), ("webhook",), ("webhook", "sweeper"), ("sweeper", "webhook"), ("retry", "sweeper")]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("crash", CRASHES)
def test_a_crash_anywhere_ends_in_one_charge_and_one_payment(
    item: OpenItem, monkeypatch: pytest.MonkeyPatch, crash: str, order: tuple[str, ...]
) -> None:
    def die(*args: object, **kwargs: object) -> None:
        raise Killed

    real_charge, real_record = Sandbox.charge, attempts.record
    with monkeypatch.context() as patch:
        if crash == "before_send":
            patch.setattr(attempts, "send", die)
        if crash == "before_call":
            patch.setattr(Sandbox, "charge", die)
        if crash == "after_call":
            patch.setattr(Sandbox, "charge", lambda self, request: (real_charge(self, request), die()))
        if crash == "inside_record":
            patch.setattr(attempts, "book", die)
        if crash == "after_record":
            patch.setattr(attempts, "record", lambda *a: (real_record(*a), die()))
        with pytest.raises(Killed):
            charge(item)
    with work():
        attempt = Attempt.objects.get()
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=20)):
        answer_in(order, attempt)
        attempts.ask(attempt)
    with work():
        attempt.refresh_from_db()
        taken = SandboxCharge.objects.filter(outcome="succeeded").count()
        assert Payment.objects.count() == taken <= 1
        assert attempt.state == ("succeeded" if taken else "abandoned")
    assert state_of(item) == ((0, 0) if taken else (10_000, 0))


def test_no_answer_from_the_sweeper_is_asked_again_later(
    item: OpenItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = charge(item, "card_timeout")

    def silent(self: Sandbox, key: str) -> None:
        raise NoAnswer

    with monkeypatch.context() as patch:
        patch.setattr(Sandbox, "find", silent)
        with time_machine.travel(datetime.now(UTC) + timedelta(hours=2)):
            assert attempts.ask(attempt).state == "unknown"
    assert state_of(item) == (10_000, 10_000)


def test_eight_workers_with_one_intent_and_eight_with_others_charge_once(committed_acorn: Scope) -> None:
    with work():
        doc = factories.invoice(factories.customer(), ("1", "100.00"), tax="0")
        item = OpenItem.objects.get(source=doc.public_id)
    barrier = threading.Barrier(16)

    def run(n: int) -> None:
        try:
            barrier.wait()
            with scopes.enter(committed_acorn):
                charge(item, key="shared" if n < 8 else f"own{n}")
        except AppError:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with work():
        assert SandboxCharge.objects.filter(outcome="succeeded").count() == Payment.objects.count() == 1
        assert verify() == []
    assert state_of(item) == (0, 0)


def test_one_webhook_twice_at_once_makes_one_payment(committed_acorn: Scope) -> None:
    with work():
        doc = factories.invoice(factories.customer(), ("1", "100.00"), tax="0")
        item = OpenItem.objects.get(source=doc.public_id)
    charge(item, "card_timeout")
    barrier = threading.Barrier(4)

    def deliver() -> None:
        try:
            barrier.wait()
            with scopes.enter(committed_acorn):
                inbox.receive(provider="sandbox", event_id="same", payload={"key": "k1"})
                effects.work_off([])
        finally:
            connection.close()

    threads = [threading.Thread(target=deliver) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with work():
        assert Payment.objects.count() == 1
        assert WebhookEvent.objects.filter(event_id="same").count() == 1

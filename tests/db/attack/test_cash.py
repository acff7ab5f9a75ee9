"""Money in: long texts, used keys, late answers. Nothing is lost, nothing answers as if it had been done."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from cashapp.gateways.port import ChargeResult, NoAnswer, Outcome
from cashapp.gateways.sandbox import Sandbox
from cashapp.handlers import sweep
from cashapp.models import Attempt, Payment, SandboxCharge
from cashapp.services import attempts, inbox
from cashapp.services.attempts import pay, record
from cashapp.services.payments import apply_rest
from cashapp.services.payments import record as record_payment
from core import effects
from core.errors import AppError, Conflict, Invalid, NotFound
from core.models import Effect
from core.scope import Scope, work
from customers.models import Customer
from customers.services.customers import update_customer
from invoicing.services.correct import void
from ledger.services.post import PeriodClosed
from receivables.models import OpenItem
from tests import factories
from tests.factories import DAY


@pytest.fixture
def owner(acorn: Scope) -> Customer:
    with work():
        return factories.customer()


def invoiced(owner: Customer) -> OpenItem:
    with work():
        document = factories.invoice(owner, ("1", "100.00"), tax="0")
        return OpenItem.objects.get(source=document.public_id)  # type: ignore[no-any-return]


def charge(item: OpenItem, method: str = "card_ok", key: str = "k1", minor: int = 10_000) -> Attempt:
    return pay(key=key, amounts={item.pk: minor}, method=method, description="INV")


def recorded(owner: Customer, minor: int, key: str, memo: str = "") -> Payment:
    return record_payment(
        customer=owner.public_id, minor=minor, received_on=DAY, method="check", key=key, memo=memo
    )


def test_a_memo_as_long_as_allowed_is_recorded(owner: Customer) -> None:
    with work():
        assert recorded(owner, 100, "form-long-memo", "M" * 300).memo == "M" * 300


def test_a_form_sent_again_with_another_amount_is_refused(owner: Customer) -> None:
    with work():
        first = recorded(owner, 100, "form-used-1")
        assert recorded(owner, 100, "form-used-1").pk == first.pk
        with pytest.raises(Conflict):
            recorded(owner, 200, "form-used-1")
        with pytest.raises(Conflict):
            recorded(factories.customer(), 100, "form-used-1")


def test_a_used_key_does_not_say_that_more_was_applied(owner: Customer) -> None:
    item = invoiced(owner)
    with work():
        payment = factories.payment(owner, 5_000)
        for minor in (1_000, 1_000):
            apply_rest(payment.source, parts={item.pk: minor}, on=DAY, key="form-apply-1")
        with pytest.raises(Conflict):
            apply_rest(payment.source, parts={item.pk: 2_000}, on=DAY, key="form-apply-1")


def test_an_intent_to_pay_is_not_answered_with_another_one(owner: Customer) -> None:
    first, second = invoiced(owner), invoiced(owner)
    assert charge(first, minor=4_000).state == "succeeded"
    for item, minor in ((second, 4_000), (first, 6_000)):
        with pytest.raises(Conflict):
            charge(item, minor=minor)
    with work():
        assert SandboxCharge.objects.count() == 1


def test_after_a_decline_the_same_form_says_so_with_another_card(owner: Customer) -> None:
    item = invoiced(owner)
    assert charge(item, "card_declined").state == "declined"
    assert charge(item, "card_declined").state == "declined"
    with pytest.raises(Conflict):
        charge(item, "card_ok")


@pytest.mark.parametrize("method", ["", "x" * 81, "x" * 5_000, "a\x00b"])
def test_a_method_that_is_none_is_refused_in_words(owner: Customer, method: str) -> None:
    with pytest.raises(AppError):
        charge(invoiced(owner), method)


def test_a_gateway_that_talks_long_is_recorded(owner: Customer) -> None:
    attempt = charge(invoiced(owner), "card_authenticate")
    said = ChargeResult(Outcome.DECLINED, attempt.reference, "c" * 200, "m" * 2_000)
    assert record(attempt.public_id, said).state == "declined"


def test_one_reference_for_two_charges_is_no_silent_success(owner: Customer) -> None:
    first, second = (
        charge(invoiced(owner), "card_authenticate", "k1"),
        charge(invoiced(owner), "card_authenticate", "k2"),
    )
    Sandbox().authenticate(first.reference, approved=True)
    result = ChargeResult(Outcome.SUCCEEDED, first.reference)
    record(first.public_id, result)
    with pytest.raises(Conflict):
        record(second.public_id, result)
    with work():
        assert Attempt.objects.get(pk=second.pk).state == "action_required"


def test_money_of_an_abandoned_attempt_waits_for_a_gateway_that_is_down(
    owner: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = datetime.now(UTC)
    item = invoiced(owner)
    attempt = charge(item, "card_down")
    with time_machine.travel(start + timedelta(minutes=20)):
        sweep([])
        with work():
            void(OpenItem.objects.get(pk=item.pk).source, on=DAY, reason="mistake")
            SandboxCharge.objects.create(
                key=attempt.key, reference="sbx_late", minor=10_000, currency="EUR", outcome="succeeded"
            )
        with monkeypatch.context() as down:
            down.setattr(Sandbox, "find", lambda *_: (_ for _ in ()).throw(NoAnswer("down")))
            inbox.receive(provider="sandbox", event_id="late", payload={"key": attempt.key})
            effects.work_off([])
        with work():
            assert Effect.objects.filter(kind="webhook.handle", done_at=None).count() == 1
    with time_machine.travel(start + timedelta(hours=2)):
        effects.work_off([])
    with work():
        payment = Payment.objects.get()
        assert OpenItem.objects.get(source=payment.public_id).open_minor == 10_000
        assert OpenItem.objects.get(pk=item.pk).open_minor == 0


@pytest.mark.parametrize(
    "payload",
    [
        [],
        "x",
        {"key": {"a": 1}},
        {"key": None},
        {"key": "k" * 9_000},
        {},
        {"key": "a\0"},
        {"x\0": "\ud800"},
        float("nan"),
    ],
)
def test_a_message_of_nonsense_is_kept_and_left_alone(owner: Customer, payload: object) -> None:
    inbox.receive(provider="sandbox", event_id="odd", payload=payload)  # type: ignore[arg-type]
    effects.work_off([])
    with work():
        assert Effect.objects.get(kind="webhook.handle").last_error == ""


def test_one_attempt_that_cannot_be_recorded_holds_up_no_other(
    owner: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = invoiced(owner), invoiced(owner)
    charge(first, "card_timeout", "k1")
    charge(second, "card_timeout", "k2")
    book = attempts.book

    def refuse(**given: object) -> Payment:
        if first.pk in given["parts"]:  # type: ignore[operator]
            raise PeriodClosed("closed")
        return book(**given)  # type: ignore[arg-type]

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=3)), monkeypatch.context() as patch:
        patch.setattr(attempts, "book", refuse)
        sweep([])
    with work():
        assert [row.state for row in Attempt.objects.order_by("id")] == ["unknown", "succeeded"]
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=9)):
        sweep([])
    with work():
        assert Payment.objects.count() == 2


def test_giving_up_at_a_gateway_that_is_down_is_refused_in_words(
    owner: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = charge(invoiced(owner), "card_authenticate")
    with monkeypatch.context() as down:
        down.setattr(Sandbox, "cancel", lambda *_: (_ for _ in ()).throw(NoAnswer("down")))
        with pytest.raises(AppError):
            attempts.give_up(attempt.public_id)
    assert attempts.give_up(attempt.public_id).state == "declined"


def test_what_is_owed_in_an_earlier_currency_can_be_paid(owner: Customer) -> None:
    item = invoiced(owner)
    with work():
        update_customer(owner.pk, version=owner.version, currency="USD")
        paid = record_payment(
            customer=owner.public_id, minor=10_000, received_on=DAY, method="check", key="form-eur-1",
            parts={item.pk: 10_000},
        )  # fmt: skip
        assert paid.currency == "EUR"
        assert OpenItem.objects.get(pk=item.pk).open_minor == 0


def test_money_takes_the_one_currency_that_is_open(owner: Customer) -> None:
    item = invoiced(owner)
    with work():
        update_customer(owner.pk, version=owner.version, currency="USD")
        assert recorded(owner, 4_000, "form-eur-2").currency == "EUR"
        assert OpenItem.objects.get(pk=item.pk).open_minor == 6_000
        assert recorded(owner, 6_000, "form-eur-3").currency == "EUR"
        assert recorded(owner, 100, "form-usd-1").currency == "USD", "nothing is open: the customer's own"


def test_where_two_currencies_are_open_one_must_be_said(owner: Customer) -> None:
    euros = invoiced(owner)
    with work():
        changed = update_customer(owner.pk, version=owner.version, currency="USD")
        dollars = OpenItem.objects.get(source=factories.invoice(changed, ("1", "30.00"), tax="0").public_id)
        said = {"customer": owner.public_id, "minor": 3_000, "received_on": DAY, "method": "check"}
        with pytest.raises(Invalid, match="EUR or USD"):
            record_payment(key="form-two-0", **said)  # type: ignore[arg-type]
        with pytest.raises(Invalid, match="one currency"):
            record_payment(key="form-two-1", parts={euros.pk: 1, dollars.pk: 1}, **said)  # type: ignore[arg-type]
        with pytest.raises(NotFound):
            record_payment(key="form-two-2", currency="USD", parts={euros.pk: 1}, **said)  # type: ignore[arg-type]
        with pytest.raises(Invalid, match="currency code"):
            record_payment(key="form-two-3", currency="XXZ", **said)  # type: ignore[arg-type]
        assert not Payment.objects.exists()
        record_payment(key="form-two-4", currency="USD", **said)  # type: ignore[arg-type]
        assert OpenItem.objects.get(pk=dollars.pk).open_minor == 0
        assert OpenItem.objects.get(pk=euros.pk).open_minor == 10_000


def test_a_form_that_settled_its_item_is_answered_when_it_is_sent_again(owner: Customer) -> None:
    item = invoiced(owner)
    said = {"customer": owner.public_id, "received_on": DAY, "method": "check", "key": "form-again-1"}
    with work():
        first = record_payment(minor=10_000, parts={item.pk: 10_000}, **said)  # type: ignore[arg-type]
        assert record_payment(minor=10_000, parts={item.pk: 10_000}, **said).pk == first.pk  # type: ignore[arg-type]
        with pytest.raises(Conflict):
            record_payment(minor=9_000, parts={item.pk: 9_000}, **said)  # type: ignore[arg-type]
        with pytest.raises(Conflict):
            record_payment(minor=10_000, currency="USD", **said)  # type: ignore[arg-type]

"""A kept card is charged once on the day an invoice is due, after what the customer has with us; who fails is told."""

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from billing.services.run import run_billing
from cashapp.gateways.port import CardRefused, ChargeRequest, NoAnswer
from cashapp.gateways.sandbox import Sandbox
from cashapp.handlers import sweep
from cashapp.models import Attempt, Payment, SandboxCharge
from cashapp.services import attempts, autopay
from cashapp.services.cards import NotKept, keep_card, tell_expiring
from cashapp.services.payments import reverse
from cashapp.services.tries import CHARGE, TRIES
from core import clock, effects
from core.errors import Invalid, NotFound
from core.models import Effect, Organization, OutboxEvent
from core.money import Money
from core.scope import Scope, enter, work
from customers.models import Customer, PaymentMethod
from customers.services.methods import remove
from invoicing.models import Document
from invoicing.services.credit import credit
from messaging.models import Message
from receivables.domain.items import Kind
from receivables.models import OpenItem
from tenants.models import LegalEntity
from tests import factories
from tests.billed import proven
from tests.db.sandbox.conftest import no_files  # noqa: F401
from tests.lived import at, live

ZONE = ZoneInfo("Europe/Berlin")
BEGAN = date(2026, 12, 1)
DUE = date(2026, 12, 31)
CONSENT = "Acorn charges this card on the day an invoice of my subscriptions is due, until I remove it here."


@pytest.fixture
def owner(acorn: Scope) -> Customer:
    """Who subscribes for 17.26 a month and has 30 days to pay, from BEGAN on."""
    with work():
        made = factories.customer(name="Kestrel", email="rita@kestrel.example")
    with at(BEGAN, 1), work():
        factories.subscription(made, BEGAN)
    return made


def keep(owner: Customer, method: str = "card_ok", *, on: date = BEGAN) -> PaymentMethod:
    with at(on, 2):
        return keep_card(owner.public_id, method=method, consent=CONSENT)


def bill(on: date = BEGAN, hour: int = 3) -> Document:
    """What is kept is heard of, then the run bills, and its invoice is sent."""
    live(on, hour)
    with at(on, hour):
        run_billing(on)
    live(on, hour + 1)
    with work():
        return Document.objects.get()  # type: ignore[no-any-return]


def open_of(document: Document) -> tuple[int, int]:
    """What is open of it, and what of that is promised to a charge."""
    with work():
        item = OpenItem.objects.get(source=document.public_id)
        return item.open_minor, item.reserved_minor


def credit_left(owner: Customer) -> int:
    """What the customer has with us."""
    with work():
        rows = OpenItem.objects.filter(customer=owner, side="credit")
        return sum(rows.values_list("open_minor", flat=True))


def charged() -> list[tuple[int, str]]:
    """What the gateway was asked for, and what it said."""
    with work():
        return list(SandboxCharge.objects.order_by("id").values_list("minor", "outcome"))


def mails(kind: str) -> list[Message]:
    with work():
        return list(Message.objects.filter(kind=kind).order_by("id"))


def events(name: str) -> list[dict[str, Any]]:
    with work():
        return [row.payload for row in OutboxEvent.objects.filter(name=name).order_by("id")]


def test_an_invoice_is_charged_on_its_day_and_once(owner: Customer) -> None:
    keep(owner)
    document = bill()
    assert (document.autopay, document.due_on) == (True, DUE)
    live(DUE - timedelta(days=1), 23)
    assert charged() == []
    for hour in (0, 0, 12):
        live(DUE, hour)
    assert charged() == [(document.total_minor, "succeeded")]
    assert open_of(document) == (0, 0)
    with work():
        payment = Payment.objects.get()
        assert (payment.minor, payment.received_on, payment.method) == (document.total_minor, DUE, "card")
    (receipt,) = mails("receipt")
    with work():
        assert "Visa •••• 4242" in receipt.letter_text
    proven()


def test_the_mail_of_the_invoice_says_that_there_is_nothing_to_do(owner: Customer) -> None:
    keep(owner)
    bill()
    (mail,) = mails("invoice_issued")
    with work():
        for text in (mail.letter_text, mail.letter_html):
            assert "charged to Visa •••• 4242 on 31 December 2026" in text
            assert "Please pay" not in text
            assert "to pay by" not in text


def test_a_mail_that_leaves_when_all_is_paid_asks_for_nothing(owner: Customer) -> None:
    with at(BEGAN, 3):
        run_billing(BEGAN)
        with work():
            factories.pay(Document.objects.get(), on=BEGAN)
    live(BEGAN, 4)
    (mail,) = mails("invoice_issued")
    with work():
        assert "Nothing is to be paid." in mail.letter_text
        assert "nothing to pay" in mail.letter_html.lower()
        for text in (mail.letter_text, mail.letter_html):
            assert "/pay/" not in text
            assert "lease pay" not in text


def test_without_a_card_nobody_is_charged(owner: Customer) -> None:
    with work():
        owner_subscription().update(autopay=True)
    document = bill()
    live(DUE)
    assert (charged(), document.autopay, open_of(document)) == ([], True, (document.total_minor, 0))
    (mail,) = mails("invoice_issued")
    with work():
        assert "Please pay" in mail.letter_text


def owner_subscription() -> Any:
    from billing.models import Subscription

    return Subscription.objects.all()


def test_who_keeps_a_card_after_the_invoice_is_charged_what_comes_after(owner: Customer) -> None:
    document = bill()
    keep(owner, on=BEGAN + timedelta(days=2))
    live(BEGAN + timedelta(days=2), 3)
    live(DUE)
    assert (charged(), document.autopay) == ([], False)
    with work():
        assert owner_subscription().get().autopay
    assert [each["what"] for each in events("subscription.changed")] == ["autopay"]


def test_a_card_removed_before_the_day_is_not_charged(owner: Customer) -> None:
    card = keep(owner)
    document = bill()
    with at(DUE - timedelta(days=1)), work():
        assert not remove(card.public_id).live
        remove(card.public_id)
    live(DUE)
    assert (charged(), open_of(document)) == ([], (document.total_minor, 0))
    assert len(events("payment_method.removed")) == 1


def test_the_card_that_took_its_place_is_charged(owner: Customer) -> None:
    keep(owner, "card_spent")
    document = bill()
    second = keep(owner, on=BEGAN + timedelta(days=1))
    live(DUE)
    assert len(events("subscription.changed")) == 1, "they were charged to a card before"
    assert charged() == [(document.total_minor, "succeeded")]
    with work():
        assert Attempt.objects.get().saved_id == second.pk
        assert PaymentMethod.objects.filter(removed_at=None).count() == 1


def test_what_is_paid_or_credited_before_is_not_charged(owner: Customer) -> None:
    keep(owner)
    document = bill()
    with at(BEGAN + timedelta(days=3)), work():
        factories.pay(document, minor=1_000, on=BEGAN + timedelta(days=3))
    live(DUE)
    assert charged() == [(document.total_minor - 1_000, "succeeded")]
    proven()


def test_an_invoice_paid_in_full_asks_no_gateway(owner: Customer) -> None:
    keep(owner)
    document = bill()
    with at(BEGAN + timedelta(days=3)), work():
        factories.pay(document, on=BEGAN + timedelta(days=3))
    live(DUE)
    assert charged() == []
    proven()


def test_what_the_customer_has_with_us_is_taken_first(owner: Customer) -> None:
    keep(owner)
    document = bill()
    with at(BEGAN + timedelta(days=3)), work():
        factories.payment(owner, 500, on=BEGAN)
        paid = factories.invoice(owner, ("1", "2.00"), tax="0", on=BEGAN)
        factories.pay(paid, on=BEGAN)
        credit(paid.public_id, on=BEGAN, reason="Kind", key="k")
        factories.payment(factories.customer(name="Another"), 900, on=BEGAN)
    live(DUE)
    assert charged() == [(document.total_minor - 700, "succeeded")]
    assert open_of(document) == (0, 0)
    with work():
        assert OpenItem.objects.filter(side="credit", open_minor__gt=0).count() == 1, "somebody else's"
    proven()


def test_of_more_than_enough_credit_the_oldest_is_taken_and_the_rest_stays(owner: Customer) -> None:
    keep(owner)
    document = bill()
    with at(BEGAN + timedelta(days=3)), work():
        later = factories.payment(owner, 1_000, on=BEGAN + timedelta(days=1))
        first = factories.payment(owner, 1_000, on=BEGAN)
        factories.item(owner, 700, Kind.WRITE_OFF, on=BEGAN)
    live(DUE)
    assert (charged(), open_of(document)) == ([], (0, 0))
    left = {first.item_id: 0, later.item_id: 2_000 - document.total_minor}
    with work():
        rows = OpenItem.objects.filter(pk__in=left).values_list("pk", "open_minor")
        assert dict(rows) == left


def test_what_they_have_with_a_sister_company_is_not_taken(owner: Customer) -> None:
    keep(owner)
    document = bill()
    with at(BEGAN + timedelta(days=3)), work():
        own = owner.entity_id
        sister = LegalEntity.objects.create(name="Acorn Inc", code="US", country="US", currency="EUR")
        for entity_id in (sister.pk, own):
            Customer.objects.filter(pk=owner.pk).update(entity_id=entity_id)
            factories.payment(owner, 300, on=BEGAN)
    live(DUE)
    assert charged() == [(document.total_minor - 300, "succeeded")]
    assert credit_left(owner) == 300
    proven()


def test_credit_that_covers_it_all_leaves_nothing_to_charge(owner: Customer) -> None:
    keep(owner)
    document = bill()
    with at(BEGAN + timedelta(days=3)), work():
        factories.payment(owner, document.total_minor + 5, on=BEGAN)
    live(DUE)
    assert (charged(), open_of(document)) == ([], (0, 0))
    proven()


def test_who_is_declined_is_told_with_a_link_to_pay(owner: Customer) -> None:
    keep(owner, "card_spent")
    document = bill()
    live(DUE)
    live(DUE, 12)
    assert charged() == [(document.total_minor, "declined")]
    assert open_of(document) == (document.total_minor, 0)
    (failed,) = events("charge.failed")
    assert (failed["automatic"], failed["code"], failed["minor"]) == (
        True,
        "card_declined",
        document.total_minor,
    )
    (mail,) = mails("payment_failed")
    assert mail.to_address == "rita@kestrel.example"
    with work():
        for said in ("The card was declined.", "Visa •••• ", document.number, "/pay/", "31 December 2026"):
            assert said in mail.letter_text
    proven()


def test_a_charge_that_is_worked_off_twice_takes_no_credit_that_came_between(owner: Customer) -> None:
    keep(owner, "card_spent")
    document = bill()
    live(DUE)
    with at(DUE, 5):
        with work():
            factories.payment(owner, 300, on=DUE)
        autopay.charge(document.public_id, nth=1)
    assert (charged(), credit_left(owner)) == ([(document.total_minor, "declined")], 300)
    assert open_of(document) == (document.total_minor, 0)


def test_a_card_whose_holder_must_confirm_is_declined_and_does_not_wait(owner: Customer) -> None:
    keep(owner, "card_authenticate")
    document = bill()
    live(DUE)
    assert charged() == [(document.total_minor, "declined")]
    assert events("charge.failed")[0]["code"] == "authentication_required"
    (mail,) = mails("payment_failed")
    with work():
        assert "Your bank wants you to confirm this payment." in mail.letter_text


def test_what_a_card_is_not_good_long_enough_for_is_its_customers_to_pay(owner: Customer) -> None:
    keep(owner, "card_old", on=date(2026, 11, 20))
    document = bill()
    live(DUE)
    assert (charged(), open_of(document)) == ([], (document.total_minor, 0))
    (mail,) = mails("invoice_issued")
    with work():
        assert "Please pay" in mail.letter_text


def test_the_sandbox_declines_a_card_that_has_expired(acorn: Scope) -> None:
    said = Sandbox().charge(ChargeRequest("k", Money(100, "EUR"), "card_ok.2026-01-31", "x"))
    assert (said.outcome, said.code) == ("declined", "expired_card")


def test_a_payer_at_the_page_is_not_told_by_mail(owner: Customer) -> None:
    keep(owner)
    document = bill()
    with work():
        item = OpenItem.objects.get(source=document.public_id)
    with at(BEGAN, 5):
        attempts.pay(key="page", amounts={item.pk: 100}, method="card_declined", description="x")
    live(BEGAN, 6)
    assert events("charge.failed")[0]["automatic"] is False
    assert mails("payment_failed") == []


def test_nobody_is_told_of_a_failure_that_is_paid_before_the_mail_leaves(owner: Customer) -> None:
    keep(owner, "card_spent")
    document = bill()
    with at(DUE):
        effects.work_off([])
        with work():
            factories.pay(document, on=DUE)
    live(DUE, 1)
    (mail,) = mails("payment_failed")
    assert (mail.state, mail.letter_text) == ("skipped", "")


def test_a_lost_answer_is_asked_for_and_charges_once(owner: Customer) -> None:
    keep(owner, "card_timeout")
    document = bill()
    live(DUE)
    with at(DUE, 1):
        sweep([])
    live(DUE, 2)
    assert charged() == [(document.total_minor, "succeeded")]
    assert open_of(document) == (0, 0)
    proven()


def never_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(self: Sandbox, request: object) -> None:
        raise NoAnswer("down")

    monkeypatch.setattr(Sandbox, "charge", down)


def swept(day: date, hour: int) -> None:
    live(day, hour)
    with at(day, hour):
        sweep([])
    live(day, hour)


def test_what_the_gateway_never_took_is_tried_again_and_charged_once(
    owner: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(owner)
    document = bill()
    with monkeypatch.context() as down:
        never_takes(down)
        live(DUE)
        swept(DUE, 1)
        assert (charged(), open_of(document)) == ([], (document.total_minor, 0))
    for hour in (3, 4, 12):
        swept(DUE, hour)
    assert charged() == [(document.total_minor, "succeeded")]
    assert mails("payment_failed") == []
    proven()


def test_a_gateway_that_takes_nothing_all_day_is_told_as_a_failure_once(
    owner: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(owner)
    document = bill()
    never_takes(monkeypatch)
    for hour in range(48):
        swept(DUE + timedelta(days=hour // 24), hour % 24)
    assert (charged(), open_of(document)) == ([], (document.total_minor, 0))
    assert [each["code"] for each in events("charge.failed")] == ["gateway_unreachable"]
    with work():
        assert Attempt.objects.count() == TRIES
    (mail,) = mails("payment_failed")
    with work():
        assert "Our payment service did not answer." in mail.letter_text


def test_while_a_payer_pays_it_waits_and_then_charges_the_rest(owner: Customer) -> None:
    keep(owner)
    document = bill()
    with work():
        item = OpenItem.objects.get(source=document.public_id)
    with at(DUE - timedelta(days=1), 23):
        waiting = attempts.pay(key="p", amounts={item.pk: 100}, method="card_authenticate", description="x")
    with work():
        factories.payment(owner, 50, on=BEGAN)
    live(DUE)
    assert (charged(), credit_left(owner)) == ([(100, "action_required")], 50)
    with at(DUE):
        attempts.give_up(waiting.public_id)
    live(DUE, 1)
    assert charged() == [(100, "declined"), (document.total_minor - 50, "succeeded")]
    proven()


def test_credit_that_would_cover_it_waits_for_a_payer_too(owner: Customer) -> None:
    keep(owner)
    document = bill()
    with work():
        item = OpenItem.objects.get(source=document.public_id)
        factories.payment(owner, document.total_minor, on=BEGAN)
    with at(DUE - timedelta(days=1), 23):
        attempts.pay(key="p", amounts={item.pk: 100}, method="card_authenticate", description="x")
    live(DUE)
    with work():
        waiting = Effect.objects.get(kind=CHARGE)
        assert (waiting.done_at, waiting.attempts, waiting.last_error) == (None, 0, "")
    assert (open_of(document), credit_left(owner)) == ((document.total_minor, 100), document.total_minor)


def test_a_suspended_organization_charges_nobody_until_it_is_no_more(owner: Customer) -> None:
    keep(owner)
    document = bill()
    with work():
        factories.payment(owner, 100, on=BEGAN)
        Organization.objects.update(suspended_at=clock.wall() - timedelta(days=1))
    live(DUE)
    assert (charged(), credit_left(owner)) == ([], 100)
    with work():
        assert Effect.objects.get(kind=CHARGE).attempts == 0
        Organization.objects.update(suspended_at=None)
    live(DUE, 13)
    assert charged() == [(document.total_minor - 100, "succeeded")]


def test_money_taken_back_is_not_charged_again_by_itself(owner: Customer) -> None:
    keep(owner)
    document = bill()
    live(DUE)
    with at(DUE, 5), work():
        reverse(Payment.objects.get().public_id, on=DUE, reason="Charged back")
    live(DUE + timedelta(days=1))
    assert len(charged()) == 1
    assert open_of(document) == (document.total_minor, 0)
    proven()


def test_a_card_is_told_of_thirty_days_before_it_expires_and_once(owner: Customer) -> None:
    card = keep(owner)
    live(BEGAN, 3)
    last = card.expires_on
    assert last == date(2029, 12, 31)
    live(last - timedelta(days=31))
    assert events("payment_method.expiring") == []
    for day in (30, 30, 29):
        live(last - timedelta(days=day))
    assert [each["expires_on"] for each in events("payment_method.expiring")] == ["2029-12-31"]
    (mail,) = mails("card_expiring")
    with work():
        for said in ("Visa •••• 4242", "31 December 2029", "/card/"):
            assert said in mail.letter_text


def test_a_card_removed_before_is_not_told_of(owner: Customer) -> None:
    card = keep(owner)
    live(BEGAN, 3)
    with at(BEGAN, 4), work():
        remove(card.public_id)
    live(card.expires_on - timedelta(days=30))
    assert (events("payment_method.expiring"), mails("card_expiring")) == ([], [])


def test_nobody_is_told_of_a_card_that_is_removed_before_the_mail_leaves(owner: Customer) -> None:
    card = keep(owner)
    live(BEGAN, 3)
    day = card.expires_on - timedelta(days=30)
    with at(day):
        tell_expiring(card.public_id)
        with work():
            remove(card.public_id)
    live(day, 1)
    (mail,) = mails("card_expiring")
    assert (mail.state, mail.letter_text) == ("skipped", "")


def test_the_same_card_again_changes_nothing(owner: Customer) -> None:
    first, again = keep(owner), keep(owner)
    assert first.pk == again.pk
    assert len(events("payment_method.kept")) == 1


@pytest.mark.parametrize(
    ("method", "refusal"),
    [
        ("card_declined", CardRefused), ("card_down", NotKept), ("", Invalid), ("x" * 81, Invalid),
        ("card_ok\n", Invalid), ("4242424242424242", CardRefused),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_said_and_nothing_is_kept(
    owner: Customer, method: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        keep(owner, method)
    with work():
        assert not PaymentMethod.objects.exists()


def test_nobody_keeps_or_removes_a_card_of_another_organizations_customer(
    owner: Customer, birch: Scope
) -> None:
    card = keep(owner)
    with enter(birch):
        with pytest.raises(NotFound):
            keep_card(owner.public_id, method="card_timeout", consent=CONSENT)
        with work(), pytest.raises(NotFound):
            remove(card.public_id)
    with work():
        assert PaymentMethod.objects.get().live

"""Charges of kept cards that fail, wait or get no answer: tried again, never taken twice, and who fails is told."""

from datetime import date, timedelta

import pytest

from cashapp.gateways.port import ChargeRequest
from cashapp.gateways.sandbox import Sandbox
from cashapp.handlers import sweep
from cashapp.models import Attempt
from cashapp.services import attempts, autopay
from cashapp.services.tries import CHARGE, TRIES
from core import clock, effects
from core.models import Effect, Organization
from core.money import Money
from core.scope import Scope, work
from customers.models import Customer
from receivables.models import OpenItem
from tests import factories
from tests.billed import proven
from tests.db.cashapp.kept import (
    BEGAN,
    DUE,
    bill,
    charged,
    credit_left,
    events,
    keep,
    mails,
    never_takes,
    open_of,
    swept,
)
from tests.db.sandbox.conftest import no_files  # noqa: F401
from tests.lived import at, live


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

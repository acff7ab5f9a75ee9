"""Kept cards attacked: late answers, what happens between two looks, promises that are not kept, crowds of failures."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cashapp.gateways.port import NoAnswer
from cashapp.gateways.sandbox import Sandbox
from cashapp.models import Attempt, SandboxCharge
from cashapp.services import attempts, autopay, inbox
from cashapp.services.tries import CHARGE
from core import effects, ids
from core.errors import Conflict
from core.models import Effect, OutboxEvent
from core.relay import relay
from core.scope import Scope, work
from customers.models import Customer
from customers.services.methods import remove
from invoicing.models import Document
from invoicing.services.addresses import pay_url
from invoicing.services.correct import void
from invoicing.services.credit import credit
from tests import factories
from tests.billed import proven
from tests.db.cashapp.kept import (
    BEGAN,
    DUE,
    bill,
    charged,
    credit_left,
    keep,
    mails,
    never_takes,
    open_of,
    owner_subscription,
    swept,
)
from tests.db.sandbox.conftest import no_files  # noqa: F401
from tests.lived import at, live


def comes_late(document: Document, nth: int) -> None:
    """The gateway has taken what it knew nothing of when it was asked."""
    with work():
        SandboxCharge.objects.create(
            key=f"due:{document.public_id}.{nth}", reference=ids.new("sbx"), minor=document.total_minor,
            currency="EUR", outcome="succeeded",
        )  # fmt: skip


def abandoned(monkeypatch: pytest.MonkeyPatch) -> Document:
    """An invoice whose first try the gateway did not know of for so long that it was given up."""
    document = bill()
    with monkeypatch.context() as down:
        never_takes(down)
        live(DUE)
        swept(DUE, 1)
    with work():
        assert Attempt.objects.get().state == "abandoned"
    return document


def test_a_try_that_was_taken_late_is_found_before_the_next_is_begun(
    owner: Customer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keep(owner)
    document = abandoned(monkeypatch)
    comes_late(document, 1)
    live(DUE, 5)
    assert charged() == [(document.total_minor, "succeeded")]
    with work():
        assert [each.state for each in Attempt.objects.order_by("id")] == ["succeeded"]
    assert open_of(document) == (0, 0)
    proven()


def test_the_next_try_waits_while_the_gateway_does_not_say_what_became_of_the_last(
    owner: Customer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keep(owner)
    document = abandoned(monkeypatch)

    def down(self: Sandbox, key: str) -> None:
        raise NoAnswer("down")

    with monkeypatch.context() as silent:
        silent.setattr(Sandbox, "find", down)
        live(DUE, 5)
    assert charged() == []
    with work():
        assert Effect.objects.get(kind=CHARGE, done_at=None).attempts == 0
    live(DUE, 6)
    assert charged() == [(document.total_minor, "succeeded")]


def test_money_of_an_earlier_try_that_comes_after_all_is_kept_for_the_customer_and_told(
    owner: Customer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keep(owner)
    document = abandoned(monkeypatch)
    live(DUE, 5)
    comes_late(document, 1)
    with at(DUE, 6):
        inbox.receive(provider="sandbox", event_id="late", payload={"key": f"due:{document.public_id}.1"})
    live(DUE, 7)
    assert (credit_left(owner), open_of(document)) == (document.total_minor, (0, 0))
    assert len(mails("receipt")) == 2
    proven()


def test_a_declined_charge_that_succeeds_after_all_is_booked_and_nobody_told_of_a_failure(
    owner: Customer,
) -> None:
    keep(owner, "card_spent")
    document = bill()
    with at(DUE):
        effects.work_off([])
        with work():
            SandboxCharge.objects.update(outcome="succeeded", code="", message="")
        inbox.receive(provider="sandbox", event_id="late", payload={"key": f"due:{document.public_id}.1"})
        effects.work_off([])
    live(DUE, 1)
    assert open_of(document) == (0, 0)
    assert [each.state for each in mails("payment_failed")] == ["skipped"]
    proven()


def test_a_card_removed_while_it_is_looked_at_is_not_charged(
    owner: Customer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing may come between the look at the card and the intent to charge it."""
    card = keep(owner)
    document = bill()
    real = attempts.require_live

    def slow() -> None:
        real()
        with work():
            remove(card.public_id)

    monkeypatch.setattr(attempts, "require_live", slow)
    monkeypatch.setattr(autopay, "require_live", slow)
    live(DUE)
    assert (charged(), open_of(document)) == ([], (document.total_minor, 0))


def test_who_had_no_card_when_it_was_issued_pays_it_as_the_mail_said(
    owner: Customer,
    client: Client,
) -> None:
    with work():
        owner_subscription().update(autopay=True)
    document = bill()
    keep(owner, on=BEGAN + timedelta(days=2))
    with at(BEGAN, 5), work():
        link = "/" + pay_url(document).split("/", 3)[3]
    assert "Charged by itself" not in client.get(link, follow=True).content.decode()
    live(DUE)
    assert (charged(), open_of(document)) == ([], (document.total_minor, 0))


def test_who_removed_a_card_and_keeps_another_later_pays_what_came_between(
    owner: Customer,
) -> None:
    first = keep(owner)
    live(BEGAN, 2)
    with at(BEGAN, 2), work():
        remove(first.public_id)
    document = bill()
    keep(owner, on=BEGAN + timedelta(days=1))
    live(DUE)
    assert (document.autopay, charged()) == (True, [])
    (mail,) = mails("invoice_issued")
    with work():
        assert "Please pay" in mail.letter_text


def test_no_mail_nor_page_promises_a_charge_of_a_card_that_ends_before(
    owner: Customer,
    client: Client,
) -> None:
    keep(owner, "card_old", on=date(2026, 11, 20))
    document = bill()
    (mail,) = mails("invoice_issued")
    with work():
        assert "Please pay" in mail.letter_text
        assert "There is nothing to do" not in mail.letter_text
        link = "/" + pay_url(document).split("/", 3)[3]
    assert "Charged by itself" not in client.get(link, follow=True).content.decode()


def test_the_pay_page_promises_the_charge_of_a_card_that_lasts(
    owner: Customer,
    client: Client,
) -> None:
    keep(owner)
    document = bill()
    with work():
        link = "/" + pay_url(document).split("/", 3)[3]
    assert "Charged by itself to Visa •••• 4242 on 31 December 2026" in (
        client.get(link, follow=True).content.decode()
    )


def test_an_invoice_that_is_being_charged_is_not_voided_nor_credited(
    owner: Customer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keep(owner)
    document = bill()
    never_takes(monkeypatch)
    live(DUE)
    assert open_of(document) == (document.total_minor, document.total_minor)
    with at(DUE, 1), work(), pytest.raises(Conflict):
        void(document.public_id, on=DUE, reason="Wrong")
    proven()


def test_an_invoice_voided_before_its_day_is_not_charged(owner: Customer) -> None:
    keep(owner)
    document = bill()
    with at(BEGAN, 6), work():
        void(document.public_id, on=BEGAN, reason="Wrong")
    live(DUE)
    assert charged() == []
    proven()


def test_one_who_is_credited_a_part_is_charged_the_rest(owner: Customer) -> None:
    keep(owner)
    document = bill()
    with at(BEGAN, 6), work():
        credit(document.public_id, on=BEGAN, reason="Kind", key="k")
    live(DUE)
    assert charged() == []
    proven()


def crowd(n: int, method: str) -> None:
    """So many more customers with a card and an invoice that was due long ago. Inside at()."""
    for _ in range(n):
        with work():
            made = factories.customer(name=ids.new("x"), email="a@kestrel.example")
        keep(made, method)
        with work():
            factories.invoice(made, ("1", "10.00"), tax="0", on=BEGAN, autopay=True)


def cost(day: date, hour: int, event: str) -> int:
    """Statements in which the relay tells of all the events of a name that wait."""
    with at(day, hour):
        with work():
            OutboxEvent.objects.exclude(name=event).update(relayed_at="2026-12-01T00:00:00Z")
        with CaptureQueriesContext(connection) as seen:
            relay([])
        return len(seen)


@pytest.mark.parametrize("event", ["invoice.issued", "charge.failed", "payment_method.kept"])
def test_many_at_once_cost_as_many_statements_as_one(acorn: Scope, event: str) -> None:
    found = []
    for n in (1, 6):
        crowd(n, "card_spent")
        if event == "charge.failed":
            live(BEGAN + timedelta(days=1), 4)
            with at(DUE, 4):
                effects.work_off([])
        found.append(cost(DUE, 4, event))
        live(DUE, 5)
    assert found[1] <= found[0] + 2

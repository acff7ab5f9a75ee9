"""Of an invoice with a deposit a kept card is charged twice: the deposit on its day, the rest on the rest's."""

from datetime import timedelta

import pytest

from billing.services.run import run_billing
from cashapp.models import Payment
from cashapp.services import autopay, tries
from core.models import Effect
from core.scope import Scope, work
from customers.models import Customer, PaymentMethod
from invoicing.models import Document
from messaging.models import Message
from receivables.domain.items import Kind
from tests import factories
from tests.billed import proven
from tests.db.cashapp.kept import BEGAN, DUE, bill, charged, keep, mails, open_of
from tests.db.sandbox.conftest import no_files  # noqa: F401
from tests.lived import at, live

DEPOSIT, REST = 518, 1_208
"""Of 17.26, thirty percent and what is left."""


@pytest.fixture
def owner(acorn: Scope) -> Customer:
    """Who subscribes for 17.26 a month, has 30 days to pay and pays 30 percent at once."""
    with work():
        made = factories.customer(name="Kestrel", email="rita@kestrel.example", deposit_percent=30)
    with at(BEGAN, 1), work():
        factories.subscription(made, BEGAN)
    return made


def text_of(message: Message) -> str:
    with work():
        return " ".join(message.letter_text.split())


def test_a_card_is_charged_the_deposit_at_once_and_the_rest_on_its_day(owner: Customer) -> None:
    keep(owner)
    document = bill()
    assert (document.deposit_minor, document.due_on) == (DEPOSIT, DUE)
    for hour in (5, 5, 12):
        live(BEGAN, hour)
    assert charged() == [(DEPOSIT, "succeeded")]
    assert open_of(document) == (REST, 0)
    live(DUE - timedelta(days=1), 23)
    for hour in (0, 0, 12):
        live(DUE, hour)
    assert charged() == [(DEPOSIT, "succeeded"), (REST, "succeeded")]
    assert open_of(document) == (0, 0)
    with work():
        paid = Payment.objects.order_by("id").values_list("minor", "received_on")
        assert list(paid) == [(DEPOSIT, BEGAN), (REST, DUE)]
    proven()


def test_a_deposit_that_is_declined_is_told_with_its_amount_and_charged_with_the_rest(
    owner: Customer,
) -> None:
    keep(owner, "card_spent")
    document = bill()
    live(BEGAN, 5)
    assert [minor for minor, _ in charged()] == [DEPOSIT]
    (told,) = mails("payment_failed")
    assert "EUR 5.18 for invoice" in text_of(told)
    live(DUE, 1)
    assert [minor for minor, _ in charged()] == [DEPOSIT, DEPOSIT + REST]
    assert open_of(document) == (DEPOSIT + REST, 0)
    proven()


def test_what_the_customer_has_with_us_pays_the_deposit_first(owner: Customer) -> None:
    keep(owner)
    with at(BEGAN, 2), work():
        factories.item(owner, 200, Kind.PAYMENT, on=BEGAN)
    document = bill()
    live(BEGAN, 5)
    assert charged() == [(DEPOSIT - 200, "succeeded")]
    assert open_of(document) == (REST, 0)
    live(DUE, 1)
    assert charged()[1:] == [(REST, "succeeded")]
    proven()


def test_a_deposit_that_was_paid_by_hand_is_not_charged_again(owner: Customer) -> None:
    keep(owner)
    live(BEGAN, 3)
    with at(BEGAN, 3):
        run_billing(BEGAN)
        with work():
            factories.pay(Document.objects.get(), minor=DEPOSIT + 100, on=BEGAN)
    live(BEGAN, 6)
    live(DUE, 1)
    assert charged() == [(REST - 100, "succeeded")]
    proven()


def test_a_card_that_ends_before_the_rest_is_due_is_not_charged(owner: Customer) -> None:
    """Its customer is asked for all of it."""
    keep(owner)
    with work():
        PaymentMethod.objects.update(expires_on=DUE - timedelta(days=1))
    document = bill()
    live(BEGAN, 5)
    live(DUE, 1)
    assert charged() == []
    assert open_of(document) == (DEPOSIT + REST, 0)
    assert "Please pay EUR 5.18" in text_of(mails("invoice_issued")[0])


def test_charges_are_planned_once_for_each_part(owner: Customer) -> None:
    keep(owner)
    document = bill()
    with work():
        before = Effect.objects.filter(kind=tries.CHARGE).count()
        autopay.plan([document.public_id])
        assert Effect.objects.filter(kind=tries.CHARGE).count() == before


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        (False, "Please pay EUR 5.18 by 1 December 2026, and the rest of EUR 17.26 by 31 December 2026."),
        (
            True,
            "EUR 5.18 is charged to Visa •••• 4242 on 1 December 2026, the rest of EUR 17.26 on 31 December 2026.",
        ),
    ],
)
def test_the_mail_says_what_is_due_when(owner: Customer, kept: bool, words: str) -> None:
    if kept:
        keep(owner)
    bill()
    (sent,) = mails("invoice_issued")
    assert words in text_of(sent)

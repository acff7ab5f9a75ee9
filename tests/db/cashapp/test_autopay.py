"""A kept card is charged once on the day an invoice is due, after what the customer has with us."""

from datetime import timedelta

from billing.services.run import run_billing
from cashapp.models import Attempt, Payment
from cashapp.services.payments import reverse
from core.scope import work
from customers.models import Customer, PaymentMethod
from customers.services.methods import remove
from invoicing.models import Document
from invoicing.services.credit import credit
from receivables.domain.items import Kind
from receivables.models import OpenItem
from tenants.models import LegalEntity
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
    open_of,
    owner_subscription,
)
from tests.db.sandbox.conftest import no_files  # noqa: F401
from tests.lived import at, live


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

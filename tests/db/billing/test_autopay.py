"""Whether a subscription's invoices are charged by themselves: said, left to whether a card is kept, or turned."""

from datetime import date

import pytest

from billing.models import Subscription
from billing.services.amend import amend
from billing.services.autopay import set_autopay
from billing.services.run import run_billing
from core.errors import NotFound
from core.models import OutboxEvent
from core.scope import Scope, enter, work
from customers.domain.cards import Card
from customers.models import Customer, PaymentMethod
from customers.services.methods import keep, remove
from invoicing.models import Document
from tests import factories

DAY = date(2026, 11, 1)


def with_card(owner: Customer) -> Customer:
    keep(
        owner.public_id,
        gateway="sandbox",
        card=Card("t", "Visa", "4242", date(2029, 12, 31)),
        consent="Charge it.",
    )
    return owner


def events() -> int:
    return OutboxEvent.objects.filter(name="subscription.changed", payload__what="autopay").count()


@pytest.mark.parametrize(
    ("said", "kept", "on"),
    [(None, True, True), (None, False, False), (False, True, False), (True, False, True)],
)
def test_what_is_not_said_follows_whether_a_card_is_kept(
    acorn: Scope, said: bool | None, kept: bool, on: bool
) -> None:
    with work():
        owner = factories.customer()
        if kept:
            with_card(owner)
        assert factories.subscription(owner, DAY, autopay=said).autopay is on


def test_a_card_that_was_removed_or_is_somebody_elses_is_not_kept(acorn: Scope) -> None:
    with work():
        other, owner = with_card(factories.customer()), with_card(factories.customer())
        remove(PaymentMethod.objects.get(customer=owner).public_id)
        assert factories.subscription(owner, DAY).autopay is False
        assert factories.subscription(other, DAY).autopay is True


def test_it_is_turned_once_and_holds_from_the_next_invoice_on(acorn: Scope) -> None:
    with work():
        made = factories.subscription(factories.customer(), DAY)
    run_billing(DAY)
    with work():
        for _ in range(2):
            assert set_autopay(made.public_id, on=True).autopay is True
        assert events() == 1
        assert amend(made.public_id, today=DAY).autopay is True
    run_billing(date(2026, 12, 1))
    with work():
        assert list(Document.objects.order_by("id").values_list("autopay", flat=True)) == [False, True]
        assert amend(made.public_id, today=DAY, autopay=False).autopay is False
        assert events() == 2


def test_nobody_elses_is_turned(acorn: Scope, birch: Scope) -> None:
    with work():
        made = factories.subscription(factories.customer(), DAY)
    with enter(birch), work(), pytest.raises(NotFound):
        set_autopay(made.public_id, on=True)
    with work():
        assert Subscription.objects.get().autopay is False

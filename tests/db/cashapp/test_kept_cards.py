"""Cards are kept by their customer alone, and told of before they expire."""

from datetime import date, timedelta

import pytest

from cashapp.gateways.port import CardRefused
from cashapp.services.cards import NotKept, keep_card, tell_expiring
from core.errors import Invalid, NotFound
from core.scope import Scope, enter, work
from customers.models import Customer, PaymentMethod
from customers.services.methods import remove
from tests.db.cashapp.kept import (
    BEGAN,
    CONSENT,
    events,
    keep,
    mails,
)
from tests.db.sandbox.conftest import no_files  # noqa: F401
from tests.lived import at, live


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

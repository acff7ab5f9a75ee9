"""Who keeps a card in the demo: some of those who pay by card; one of theirs is about to expire."""

from django.conf import settings

from arapp.demo import story
from arapp.demo.people import House
from cashapp.services.cards import consent_to, keep_card
from core.scope import work
from customers.lookup import named

CARDS = ("card_ok", "card_old", "card_ok", "card_spent", "card_ok")


def keep_some(house: House) -> None:
    """Keep the cards. Opens its own transactions; again it changes nothing."""
    if "sandbox" not in settings.PAYMENT_GATEWAYS:
        return
    payers = [n for n, market, place in story.customers(house) if market.buyers[place].habit == "card"]
    for number, card in zip(payers, CARDS, strict=False):
        with work():
            owner = named(number)
        keep_card(owner.public_id, method=card, consent=consent_to(owner.entity.name))

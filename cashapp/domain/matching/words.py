"""The English sentence of each reason and doubt. The caller translates the template, or takes `say` as it is."""

from types import MappingProxyType

from cashapp.domain.matching.records import Reason
from core.money import Money

TEMPLATES = MappingProxyType({
    "quoted": "The memo quotes %(numbers)s.",
    "nearly_quoted": "The memo comes near to the references of %(number)s; characters that differ: %(edits)s.",
    "ties": "The amount is exactly what is open.",
    "ties_set": "The amount is exactly what %(items)s items hold together.",
    "ties_together": "%(lines)s payments of this payer are exactly what is open.",
    "tiny_gap": "The amount differs by %(amount)s, which is within the tolerance.",
    "part": "The payment is a part; %(amount)s stay open.",
    "more": "The payment is %(amount)s more than what is open.",
    "payer_given": "The file that brought the payment names the customer.",
    "payer_name": "“%(payer)s” is the customer’s name.",
    "payer_alias": "“%(payer)s” is a confirmed name of the customer.",
    "payer_account": "The account %(account)s is confirmed for the customer.",
    "payer_bridge": "The account %(account)s also paid under the customer’s name.",
    "payer_similar": "The payer is known by a similar name only.",
    "payer_unknown": "The payer is not known.",
    "payer_other": "The payer is known as another customer.",
    "payer_shared": "The payer may be one of %(count)s customers.",
    "taken_back": "It was booked and taken back, so a person decides.",
    "two_customers": "An item of another customer fits as well.",
    "rival": "Other choices that fit as well: %(count)s.",
    "untied": "The amount is %(amount)s off and the memo does not quote each item exactly.",
    "over": "The payment is %(amount)s more than what is open, so something else is paid too.",
    "short_of_several": "The payment is %(amount)s short, as much as one of the items holds.",
    "by_chance": "Among %(sets)s combinations an unrelated amount could fit as well.",
    "bounded": "The search was bounded, so other choices may have been missed.",
    "too_early": "The payment came before the document.",
    "contested": "Another payment claims the same item.",
})  # fmt: skip


def say(reason: Reason) -> str:
    """The sentence of a reason, with `minor` and `currency` among its facts written as an amount."""
    return TEMPLATES[reason.code] % facts_for(reason)


def facts_for(reason: Reason) -> dict[str, str]:
    """What a template, translated or not, is filled with."""
    facts = dict(reason.facts)
    if "minor" in facts:
        facts["amount"] = str(Money(int(facts["minor"]), facts["currency"]))
    return facts

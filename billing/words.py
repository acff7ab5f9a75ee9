"""What a price says, in a few words for lists."""

from collections.abc import Sequence
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.domain.discounts import Per
from billing.domain.pricing import Model, plain
from billing.models import ONCE, Price
from billing.quotes import terms_at
from core.periods import DATES
from core.templatetags.fmt import quantity, yeardays
from invoicing.explain import price_text

MODELS = {
    Model.FLAT: gettext_lazy("Flat"),
    Model.PER_UNIT: gettext_lazy("Per unit"),
    Model.PACKAGE: gettext_lazy("Package"),
    Model.GRADUATED: gettext_lazy("Graduated"),
    Model.VOLUME: gettext_lazy("Volume"),
    Model.STAIRSTEP: gettext_lazy("Stairstep"),
    Model.PERCENTAGE: gettext_lazy("Percentage"),
    Model.GRADUATED_PERCENTAGE: gettext_lazy("Graduated percentage"),
}
SAYS = {
    Model.FLAT: gettext_lazy("One amount a period, however many."),
    Model.PER_UNIT: gettext_lazy("Quantity times price."),
    Model.PACKAGE: gettext_lazy("A price for each package; a started one counts whole."),
    Model.GRADUATED: gettext_lazy("Each part of the quantity at the price of its tier."),
    Model.VOLUME: gettext_lazy("The whole quantity at the price of the tier it reaches."),
    Model.STAIRSTEP: gettext_lazy("One amount for the tier that the quantity reaches."),
    Model.PERCENTAGE: gettext_lazy("A share of an amount, with what is free and bounds."),
    Model.GRADUATED_PERCENTAGE: gettext_lazy("Each part of an amount at the share of its tier."),
}

UNITS = {
    "day": (gettext_lazy("a day"), gettext_lazy("days")),
    "week": (gettext_lazy("a week"), gettext_lazy("weeks")),
    "month": (gettext_lazy("a month"), gettext_lazy("months")),
    "quarter": (gettext_lazy("a quarter"), gettext_lazy("quarters")),
    "year": (gettext_lazy("a year"), gettext_lazy("years")),
}
"""Of each unit of an interval: one of it, and many."""
FEW = 4
"""Listed days that are said one by one where a price is told in short."""


def amount_text(price: Price) -> str:
    """What a price costs, its first and last tier where it has some: 14.50, 0.10 – 0.05, 2.9 %."""
    terms = terms_at(price)
    if terms.model is Model.PERCENTAGE:
        return f"{plain(terms.percent)} %"
    if terms.model is Model.GRADUATED_PERCENTAGE:
        return _range([plain(tier.percent) for tier in terms.tiers]) + " %"
    if terms.tiers:
        stairs = terms.model is Model.STAIRSTEP
        each = [tier.flat if stairs else tier.unit_price for tier in terms.tiers]
        return _range([price_text(one, price.currency) for one in each])
    return price_text(price.unit_price, price.currency)


def _range(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{texts[0]} – {texts[-1]}"


def model_text(price: Price) -> str:
    """The model with what matters most of it: Graduated, 3 tiers."""
    terms, word = terms_at(price), str(MODELS[Model(price.model)])
    if terms.tiers:
        tiers = ngettext("%(n)s tier", "%(n)s tiers", len(terms.tiers)) % {"n": len(terms.tiers)}
        return f"{word}, {tiers}"
    if terms.model is Model.PACKAGE:
        return _("Package of %(n)s") % {"n": quantity(terms.per)}
    return word


def full_text(price: Price) -> str:
    """A price with its currency and how often it is owed: EUR 14.50 a month, EUR 99.00 once."""
    return f"{price.currency} {amount_text(price)} {_interval(price)}"


def _interval(price: Price) -> str:
    if price.unit == ONCE:
        return _("once")
    if price.unit == DATES:
        return f"{_('on')} {yeardays(price.dates, FEW)}"
    one, many = UNITS[price.unit]
    return str(one) if price.every == 1 else f"{_('every')} {price.every} {many}"


def off_text(percent: Decimal, amount: Decimal, currency: str, per: str) -> str:
    """What a discount takes off: 10 %, EUR 5.00 a bill, or EUR 5.00 a line."""
    if percent:
        return f"{quantity(percent)} %"
    said = {"amount": f"{currency} {price_text(amount, currency)}"}
    return (_("%(amount)s a bill") if per == Per.BILL else _("%(amount)s a line")) % said


def span_text(periods: int | None) -> str:
    """For how many of a plan's periods a coupon is."""
    if periods is None:
        return _("for ever")
    return ngettext("%(n)s period", "%(n)s periods", periods) % {"n": periods}

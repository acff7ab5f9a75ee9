"""What a quantity costs at a price, or would under terms not saved yet: the function that bills, without a period."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billing.domain.pricing import Terms, Unpriceable, price
from billing.domain.terms import BadTerms, kept_terms, terms_of
from billing.domain.wording import short
from billing.models import Price
from core.errors import Invalid
from core.money import MoneyError, exponent, from_decimal

MOST_EVENTS = 1000


@dataclass(frozen=True, slots=True)
class Quote:
    """`amount_minor` of the currency for `quantity` in one whole period, net; `detail` is the same in short."""

    currency: str
    quantity: Decimal
    amount_minor: int
    detail: str
    why: tuple[Mapping[str, Any], ...]


def terms_at(row: Price) -> Terms:
    """The terms of a price."""
    return kept_terms(row.model, row.unit_price, row.terms)


def quote_of(row: Price, quantity: Decimal) -> Quote:
    """What a quantity costs at a price, as one event where it looks at them; raises Invalid when it cannot be."""
    return quoted(terms_at(row), row.currency, quantity, [quantity])


def quote(
    *,
    model: str,
    currency: str,
    quantity: Decimal | None = None,
    events: Sequence[Decimal] | None = None,
    **terms: Any,
) -> Quote:
    """What a quantity would cost under terms as billing.domain.terms reads them; the events' sum, when given, is it.

    Raises Invalid for terms that make no price, and when it cannot be priced.
    """
    try:
        read = terms_of(model, terms)
    except BadTerms as error:
        raise Invalid(str(error), fields=error.fields) from error
    if events is not None:
        quantity = sum(events, Decimal(0))
    if quantity is None:
        raise Invalid("Say how much.", fields={"quantity": "Say how much."})
    return quoted(read, currency, quantity, events)


def quoted(terms: Terms, currency: str, quantity: Decimal, events: Sequence[Decimal] | None = None) -> Quote:
    """What a quantity costs under terms; raises Invalid when it cannot be priced."""
    try:
        found = price(terms, quantity, events)
        amount = from_decimal(found.amount, currency)
    except (Unpriceable, MoneyError) as error:
        raise Invalid(str(error), fields={"quantity": str(error)}) from error
    why = (*found.steps, {"step": "rounded", "rule": "half_up"})
    return Quote(currency, quantity, amount.minor, short(found.steps, exponent(currency)), why)

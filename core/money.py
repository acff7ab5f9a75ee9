"""Exact money: whole minor units and a currency, one rounding rule, one splitter.

Amounts are integers of the currency's smallest unit (cents, yen, fils). Unit prices and rates are `Decimal`
with up to 12 places and become money only here, through `round_half_up`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from babel.numbers import list_currencies

EXPONENTS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}
"""ISO 4217 exponents that are not 2. The locale data's “digits” follow cash habits instead, so they are not used."""
_CODES = frozenset(code for code in list_currencies() if re.fullmatch("[A-Z]{3}", code))

MAX_MINOR = 10**15
"""Largest absolute amount accepted anywhere, in minor units; leaves room to sum a thousand of them in bigint."""

_AMOUNT = re.compile(r"-?\d{1,15}(\.\d{1,20})?", re.ASCII)


class MoneyError(ValueError):
    """An amount or currency that cannot be money; the message is fit for a person."""


class TooPrecise(MoneyError):
    """An amount with more decimals than its currency has."""


class CurrencyMismatch(MoneyError):
    """Two currencies met in one sum."""


def exponent(currency: str) -> int:
    """Decimal places of a currency (JPY 0, EUR 2, KWD 3); raises MoneyError on an unknown code."""
    if currency not in _CODES:
        raise MoneyError(f"“{currency}” is not a currency code.")
    return EXPONENTS.get(currency, 2)


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """`minor` whole minor units of `currency`. Adding or comparing two currencies raises CurrencyMismatch."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise MoneyError("Money takes whole minor units.")
        exponent(self.currency)

    def _same(self, other: "Money") -> int:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency} cannot be added.")
        return other.minor

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other)

    def __bool__(self) -> bool:
        return self.minor != 0

    @property
    def decimal(self) -> Decimal:
        """Major units with exactly the currency's decimals: 1755.57, 1200 for JPY, 1.500 for KWD."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def __str__(self) -> str:
        return f"{self.currency} {self.decimal:,f}"


def round_half_up(amount: Decimal | Fraction | int) -> int:
    """Nearest whole number, halves away from zero: 2.5 -> 3, -2.5 -> -3. Fractions are exact."""
    ratio = Fraction(amount)
    magnitude = (2 * abs(ratio.numerator) + ratio.denominator) // (2 * ratio.denominator)
    return magnitude if ratio >= 0 else -magnitude


def from_decimal(amount: Decimal | Fraction, currency: str) -> Money:
    """Major units rounded half up to the currency: 1.005 EUR -> 101 minor; raises MoneyError out of range."""
    minor = round_half_up(Fraction(amount) * 10 ** exponent(currency))
    if abs(minor) > MAX_MINOR:
        raise MoneyError("That amount is too large.")
    return Money(minor, currency)


def parse(text: str, currency: str, *, decimal_mark: str = ".", rounded: bool = False) -> Money:
    """Money from typed or imported text in major units, refused with TooPrecise rather than rounded unless asked.

    `decimal_mark` is chosen by whoever owns the text, never guessed; the other mark may group thousands.
    Only ASCII digits count: exponents, NaN, underscores and other scripts' digits raise MoneyError, as do more
    decimals than the currency has and amounts beyond MAX_MINOR.
    """
    group = "," if decimal_mark == "." else "."
    plain = text.strip()
    if group in plain:
        whole, _, _ = plain.partition(decimal_mark)
        if not re.fullmatch(rf"-?\d{{1,3}}({re.escape(group)}\d{{3}})+", whole, re.ASCII):
            raise MoneyError(f"“{text[:40]}” is not an amount.")
        plain = plain.replace(group, "")
    plain = plain.replace(decimal_mark, ".")
    if not _AMOUNT.fullmatch(plain):
        raise MoneyError(f"“{text[:40]}” is not an amount.")
    try:
        amount = Decimal(plain)
    except InvalidOperation as error:  # pragma: no cover - the pattern admits only what Decimal takes
        raise MoneyError(f"“{text[:40]}” is not an amount.") from error
    money = from_decimal(amount, currency)
    if not rounded and Fraction(amount) != Fraction(money.decimal):
        places = exponent(currency)
        raise TooPrecise(
            f"{currency} has no decimals; “{text[:40]}” has some."
            if places == 0
            else f"{currency} has {places} decimals; “{text[:40]}” has more."
        )
    return money


def allocate(total: int, weights: Sequence[int | Decimal | Fraction]) -> list[int]:
    """Split `total` minor units by weight so that the parts sum to it exactly (largest remainder).

    No part is off its exact share by a whole unit; ties go to the earlier part; all-zero weights raise
    MoneyError. Negative totals split as their positive mirror.
    """
    if total < 0:
        return [-part for part in allocate(-total, weights)]
    shares = [Fraction(weight) for weight in weights]
    whole = sum(shares)
    if not shares or whole <= 0 or min(shares) < 0:
        raise MoneyError("Nothing to split by.")
    exact = [total * share / whole for share in shares]
    parts = [int(value) for value in exact]
    by_remainder = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts


def multiply(quantity: Decimal | Fraction, unit_price: Decimal, currency: str) -> Money:
    """`quantity` x `unit_price` (major units, up to 12 places each) rounded once; MoneyError when too large."""
    return from_decimal(Fraction(quantity) * Fraction(unit_price), currency)

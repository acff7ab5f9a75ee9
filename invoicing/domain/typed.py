"""Numbers as people type them: exact, with arithmetic, refused rather than guessed.

The same grammar works in the browser; this is the one that counts.
"""

import re
from decimal import Decimal
from fractions import Fraction

from core.money import round_half_up

MAX_LENGTH = 60
_PLAIN = re.compile(r"-?\d{1,15}(\.\d+)?", re.ASCII)
_TOKEN = re.compile(r"\d{1,15}(?:\.\d{0,12})?|\.\d{1,12}|[-+*/()]", re.ASCII)
_SIGNS = str.maketrans({"−": "-", "×": "*", "x": "*", "÷": "/", ":": "/"})


class NotANumber(ValueError):
    """The text is no number and no sum; the message is fit for a person."""


def number(text: str, *, mark: str = ".", places: int = 12, sum_places: int | None = None) -> Decimal:
    """The number that was typed: `1,200.50`, `1200/12*3`.

    `mark` is the writer's decimal mark, the other one may group thousands. A number with more than `places`
    decimals is refused; a sum is rounded half up to `sum_places`. Raises NotANumber, also beyond 15 whole digits.
    """
    plain = "".join(text.split()).translate(_SIGNS)
    if not plain or len(plain) > MAX_LENGTH:
        raise NotANumber("This is not a number.")
    plain = _ungrouped(plain, mark)
    if _PLAIN.fullmatch(plain):
        if len(plain.partition(".")[2]) > places:
            raise NotANumber(f"At most {places} decimals.")
        return Decimal(plain)
    value = _Sum(plain).value()
    decimals = places if sum_places is None else sum_places
    minor = round_half_up(value * 10**decimals)
    if abs(minor) >= 10 ** (15 + decimals):
        raise NotANumber("That number is too large.")
    return Decimal(minor).scaleb(-decimals)


def _ungrouped(plain: str, mark: str) -> str:
    group = "," if mark == "." else "."
    if group in plain:
        for part in re.split(r"[-+*/()]", plain):
            whole = part.partition(mark)[0]
            if group in part and not re.fullmatch(rf"\d{{1,3}}({re.escape(group)}\d{{3}})+", whole, re.ASCII):
                raise NotANumber("This is not a number.")
        plain = plain.replace(group, "")
    return plain.replace(mark, ".")


class _Sum:
    """A recursive descent over + - * / ( ); at most 60 signs, so its depth is bounded."""

    def __init__(self, text: str) -> None:
        self.tokens = _TOKEN.findall(text)
        self.at = 0
        if "".join(self.tokens) != text:
            raise NotANumber("This is not a number.")

    def value(self) -> Fraction:
        found = self._sum()
        if self.at != len(self.tokens):
            raise NotANumber("This is not a number.")
        return found

    def _eat(self, *signs: str) -> str:
        if self.at < len(self.tokens) and self.tokens[self.at] in signs:
            self.at += 1
            return self.tokens[self.at - 1]
        return ""

    def _sum(self) -> Fraction:
        left = self._product()
        while sign := self._eat("+", "-"):
            right = self._product()
            left = left + right if sign == "+" else left - right
        return left

    def _product(self) -> Fraction:
        left = self._factor()
        while sign := self._eat("*", "/"):
            right = self._factor()
            if sign == "/" and right == 0:
                raise NotANumber("Nothing can be divided by zero.")
            left = left * right if sign == "*" else left / right
        return left

    def _factor(self) -> Fraction:
        if self._eat("-"):
            return -self._factor()
        if self._eat("("):
            inner = self._sum()
            if not self._eat(")"):
                raise NotANumber("A bracket is open.")
            return inner
        word = self.tokens[self.at] if self.at < len(self.tokens) else ""
        if not word or word in "+-*/()":
            raise NotANumber("This is not a number.")
        self.at += 1
        return Fraction(word.removesuffix("."))

"""Statistics that a few absurd values cannot move, in exact arithmetic."""

from collections.abc import Iterable, Sequence
from fractions import Fraction


def median(values: Iterable[Fraction | int]) -> Fraction:
    """The middle one, or the mean of the two middle ones; raises ValueError of nothing."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("The median of nothing.")
    half, odd = divmod(len(ordered), 2)
    return Fraction(ordered[half]) if odd else Fraction(ordered[half - 1] + ordered[half]) / 2


def fold(value: Fraction | int, usual: Fraction | int) -> Fraction:
    """How many times larger or smaller a positive value is than another: at least 1."""
    ratio = Fraction(value) / Fraction(usual)
    return ratio if ratio >= 1 else 1 / ratio


def swing(values: Sequence[Fraction]) -> Fraction:
    """The largest fold of any positive value from their median: how much they move of their own accord."""
    middle = median(values)
    return max(fold(each, middle) for each in values)


def high(values: Iterable[Fraction | int]) -> Fraction:
    """The value that one in a hundred exceeds; of fewer than a hundred the largest."""
    ordered = sorted(values)
    return Fraction(ordered[(len(ordered) * 99 - 1) // 100])

"""Which of some amounts add up to a target: meeting in the middle, E. Horowitz and S. Sahni (1974)."""

from collections import defaultdict
from collections.abc import Sequence
from math import comb

MAX_VALUES = 24
MAX_HITS = 20
_PAIR = 2


class Sums:
    """The sums of all subsets of at most `MAX_VALUES` positive integers, kept as two halves; found again cheaply."""

    def __init__(self, values: Sequence[int]) -> None:
        if len(values) > MAX_VALUES:
            raise ValueError(f"At most {MAX_VALUES} values.")
        self._low = len(values) // 2
        self._left = _all(values[: self._low])
        right = _all(values[self._low :])
        self._right = dict(zip(right, range(len(right)), strict=True))
        self._equal: dict[int, list[int]] = defaultdict(list)  # the other sets of a sum that several have
        if len(self._right) < len(right):
            for mask, total in enumerate(right):
                if self._right[total] != mask:
                    self._equal[total].append(mask)

    def find(self, target: int, most: int) -> tuple[list[tuple[int, ...]], bool]:
        """Index sets of 2 to `most` values whose sum is `target`, and whether the search ended early (20 sets)."""
        found: list[tuple[int, ...]] = []
        right = self._right
        for low, total in enumerate(self._left):
            if (rest := target - total) not in right:
                continue
            for high in (right[rest], *self._equal.get(rest, ())):
                mask = high << self._low | low
                if _PAIR <= mask.bit_count() <= most:
                    found.append(tuple(i for i in range(mask.bit_length()) if mask >> i & 1))
            if len(found) > MAX_HITS:
                return found[:MAX_HITS], True
        return found, False


def _all(values: Sequence[int]) -> list[int]:
    # The position of a sum is the bit mask of its members.
    sums = [0]
    for value in values:
        sums += [total + value for total in sums]
    return sums


def subsets(count: int, most: int) -> int:
    """How many sets of 1 to `most` can be chosen from `count`."""
    return sum(comb(count, size) for size in range(1, min(most, count) + 1))

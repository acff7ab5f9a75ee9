"""Questions that apps above answer for this one; they register their answers at start."""

from collections.abc import Callable

still_needed: list[Callable[[int], str]] = []
"""Each says why a customer (by id) cannot be archived, in a sentence, or nothing. Inside work()."""

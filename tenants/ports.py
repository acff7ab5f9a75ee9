"""Questions that apps above answer for this one; they register their answers at start."""

from collections.abc import Callable

entity_in_use: list[Callable[[int], bool]] = []
"""Each says whether a legal entity has something booked, so that its currency may not change any more."""

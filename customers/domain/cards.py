"""A card as a gateway keeps it for us, and as its customer does with us."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Card:
    """A card that a gateway keeps for later charges, by its `token`; `expires_on` is its last good day."""

    token: str
    brand: str
    last4: str
    expires_on: date


class Kept(Protocol):
    """A card that is charged by itself, as those see it who only name it."""

    @property
    def label(self) -> str:
        """What it is called wherever it is shown."""

"""A card as a gateway keeps it for us."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Card:
    """A card that a gateway keeps for later charges, by its `token`; `expires_on` is its last good day."""

    token: str
    brand: str
    last4: str
    expires_on: date

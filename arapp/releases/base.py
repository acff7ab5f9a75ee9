"""What the news of a version are made of."""

from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is new, in a sentence or two; `trial` marks what is tried out and may still change."""

    title: Any
    text: Any
    trial: bool = False


@dataclass(frozen=True, slots=True)
class Release:
    """A version and what is new in it for those who use it; written when it is made, never changed afterwards."""

    version: str
    day: date
    items: tuple[Item, ...]

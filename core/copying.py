"""What can be copied from a live organization into its sandbox, as each app declares it in its `copying` module.

Facts are read in the live organization and written in the sandbox by the app's own services. A row's natural key there
is the live one's public id, or a code, so that copying again adds nothing. What says who somebody is never leaves: it
is made up anew.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Copier:
    """`rows` is a query set in the live organization, `facts` what of them may leave it; `write` says how many are new.

    `people` marks what hangs on customers, which is copied only when that is asked for.
    """

    name: str
    order: int
    rows: Callable[[], Any]
    facts: Callable[[Sequence[Any]], list[dict[str, Any]]]
    write: Callable[[list[dict[str, Any]]], int]
    people: bool = False


_copiers: list[Copier] = []


def register(copier: Copier) -> None:
    """Add a kind of row; kinds that others refer to have the smaller `order`."""
    _copiers.append(copier)


def chosen(*, people: bool) -> list[Copier]:
    """What is to be copied, in order."""
    return sorted((each for each in _copiers if people or not each.people), key=lambda each: each.order)


_FIRST = (
    "Amber",
    "Birch",
    "Cedar",
    "Delta",
    "Ember",
    "Fjord",
    "Grove",
    "Harbor",
    "Indigo",
    "Juniper",
    "Kite",
    "Lumen",
)
_SECOND = (
    "Works",
    "Trading",
    "Logistics",
    "Studio",
    "Foods",
    "Systems",
    "Partners",
    "Motors",
    "Textiles",
    "Labs",
)
_GIVEN = ("Alex", "Billie", "Charlie", "Dana", "Eli", "Finn", "Glenn", "Harper", "Ira", "Jo", "Kim", "Lee")
_STREET = ("Sample Street", "Test Lane", "Example Road", "Trial Avenue", "Model Way")


@dataclass(frozen=True, slots=True)
class Fake:
    """Who a copied customer is in the sandbox: made from the live one's public id alone, the same each time."""

    company: str
    person: str
    email: str
    address: str
    number: str


def fake(seed: str) -> Fake:
    """Made-up data of a company; the domain is one that no mail ever reaches."""
    digest = hashlib.sha256(f"sandbox:{seed}".encode()).digest()
    mark = digest.hex()[:8]
    company = f"{_FIRST[digest[8] % len(_FIRST)]} {_SECOND[digest[9] % len(_SECOND)]} {mark[:5].upper()}"
    street = f"{1 + digest[10]} {_STREET[digest[11] % len(_STREET)]}"
    return Fake(
        company=company,
        person=f"{_GIVEN[digest[12] % len(_GIVEN)]} {_FIRST[digest[13] % len(_FIRST)]}",
        email=f"payer-{mark}@sandbox.example",
        address=f"{street}\n{10000 + digest[14] * 7} Sampletown",
        number=f"T-{mark}",
    )

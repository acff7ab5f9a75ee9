"""Finding things by a few typed characters, across everything that the apps register as `registry.searches`."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from babel.numbers import list_currencies
from django.db.models import Q

from core import registry
from core.money import Money, MoneyError, exponent, parse
from core.registry import SearchSource
from core.scope import current

LIMIT = 5
"""Hits of a kind."""
LONGEST = 200
_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that was found; `figure` stands at the right, `detail` tells it from its neighbours."""

    label: str
    href: str
    icon: str
    detail: str = ""
    figure: Money | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The hits of one kind."""

    label: str
    hits: list[Hit]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found, and which kinds were looked at; the others the actor may not see."""

    text: str
    groups: list[Found]
    looked_at: list[str]

    @property
    def count(self) -> int:
        return sum(len(group.hits) for group in self.groups)


def cleaned(text: str) -> str:
    """What was typed, as a query can carry it."""
    kept = "".join(char for char in text[:LONGEST] if char != "\0" and not "\ud800" <= char <= "\udfff")
    return kept.strip()


def search(text: str, slug: str) -> Answer:
    """A few hits of each kind that the actor may see. Inside work()."""
    text = cleaned(text)
    open_to_me = [source for source in registry.searches if current().may(source.permission)]
    groups = [Found(str(source.label), source.find(text, slug)[:LIMIT]) for source in open_to_me if text]
    return Answer(text, [group for group in groups if group.hits], [str(each.label) for each in open_to_me])


def source(label: Any, permission: str) -> Any:
    """Register a function of the text and the page's slug as a kind of thing that is searched for."""

    def register(find: Any) -> Any:
        registry.searches.append(SearchSource(label, permission, find))
        return find

    return register


def starts(column: str, *texts: str) -> Q:
    """Rows whose column starts with one of the texts, as ranges that an index can serve."""
    wanted = Q(pk__in=[])
    for text in dict.fromkeys(texts):
        wanted |= Q(**{f"{column}__gte": text, f"{column}__lt": text + _LAST})
    return wanted


def of_amount(column: str, text: str) -> Q | None:
    """Rows of exactly this amount in their own currency: 1847.00 is 184700 in EUR, 1847 in JPY; None for no amount."""
    wanted: Q | None = None
    for codes in _codes_by_places().values():
        with suppress(MoneyError):
            condition = Q(**{column: abs(parse(text, codes[0]).minor)}, currency__in=codes)
            wanted = condition if wanted is None else wanted | condition
    return wanted


@cache
def _codes_by_places() -> dict[int, Sequence[str]]:
    """Every currency code by its decimals."""
    groups: dict[int, list[str]] = {}
    for code in sorted(list_currencies()):
        with suppress(MoneyError):
            groups.setdefault(exponent(code), []).append(code)
    return dict(groups)

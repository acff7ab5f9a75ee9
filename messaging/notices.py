"""What members are told of: each kind is declared once, by the app that knows the happening.

A kind says which event it comes from, who is concerned, how it reads, and how members are told unless they choose
otherwise. Whoever lacks its right never gets it: that is asked when it is written, when it is shown and when it is
mailed. The words are found when they are read, from the figures kept and the names the reader may see.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _

from core import registry
from core.events import Event
from core.models import OutboxEvent
from core.registry import Handler
from messaging.domain.ways import Way

NEEDED, FINISHED, MONEY, PEOPLE, PRODUCT = (
    _("Waits for a person"),
    _("Finished"),
    _("Money"),
    _("People and security"),
    _("The product"),
)
GROUPS = (NEEDED, FINISHED, MONEY, PEOPLE, PRODUCT)


@dataclass(frozen=True, slots=True)
class Occasion:
    """What of an event is kept: `users` are the only ones concerned, if given.

    `key` is what makes it the same occasion, the event's id where empty. While one with this `gather` is unread and the
    next digest has not come, the next is counted on its line.
    """

    about: str
    facts: Mapping[str, Any]
    key: str = ""
    gather: str = ""
    users: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What words are made of: `times` it happened, and the `names` of what it mentions that the reader may see."""

    about: str
    facts: Mapping[str, Any]
    times: int = 1
    names: Mapping[str, str] = field(default_factory=dict)

    def name(self, public_id: str) -> str:
        """How something is called; "" for what the reader may not see."""
        return self.names.get(public_id, "")


@dataclass(frozen=True, slots=True)
class Said:
    """A line, more below it, and the page that it opens: the name of an address and what follows the slug in it."""

    title: str
    detail: str = ""
    page: tuple[str, ...] = ()
    query: str = ""


Pick = Callable[[OutboxEvent], Occasion | None]


def plainly(row: OutboxEvent) -> Occasion:
    """The event as it is, each for itself."""
    return Occasion(row.object_public_id, row.payload)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of happening. `fixed`: how one is told cannot be changed; `letter`: another handler sends its mail.

    `permission` is the right to see what it is about, `act` one that whoever is to do something needs besides. Without
    a `permission` it is for the users its occasion names alone. `ways` are those that can be chosen.
    """

    name: str
    label: Any
    group: Any
    permission: str
    act: str = ""
    say: Callable[[Told], Said]
    pick: Pick = plainly
    icon: str = "bell"
    tone: str = ""
    way: Way = Way.BELL
    fixed: bool = False
    letter: bool = False
    ways: tuple[Way, ...] = tuple(Way)


kinds: dict[str, Kind] = {}


def declare(kind: Kind, event: type[Event] | None) -> Kind:
    """Register a kind and the handler that writes it; without an event somebody else writes or mails it."""
    kinds[kind.name] = kind
    if event is not None:

        def write(rows: list[OutboxEvent]) -> None:
            from messaging.services.notify import notify  # services import this module

            notify(kind, rows)

        handler = Handler(f"messaging.notices.{kind.name}", event.name, write)
        registry.handlers.setdefault(event.name, []).append(handler)
    return kind


def may_see(kind: Kind, rights: frozenset[str]) -> bool:
    """Whether somebody with these rights may be told; what has no right is written to nobody but those concerned."""
    return {kind.permission, kind.act} - {""} <= rights


def way_of(kind: Kind, chosen: str | None) -> Way:
    """How a member is told: as they chose, where there is a choice and it still is one."""
    if kind.fixed or chosen not in set(kind.ways):
        return kind.way
    return Way(chosen)

"""What happened, in sentences: events of the outbox as people read them.

An app says how its events read with `@tells`, usually in its `panels.py`; an event that nobody tells is not shown.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from core import clock, registry
from core.models import OutboxEvent
from core.scope import current
from core.templatetags.fmt import clocktime, shortdate


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: when, what in a sentence, and more below it. `href` opens what it is about."""

    at: datetime
    title: str
    icon: str = "check"
    tone: str = ""
    detail: str = ""
    href: str = ""
    who: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What a teller may use: names of customers by public id, labels of open items by source, the page's slug."""

    slug: str
    customers: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    def customer(self, public_id: str) -> str:
        return self.customers.get(public_id, "")

    def label(self, source: str) -> str:
        return self.labels.get(source, "")


Teller = Callable[[OutboxEvent, Told], Entry | None]
tellers: dict[str, Teller] = {}


def tells(*names: str) -> Callable[[Teller], Teller]:
    """Register how events of these names read."""

    def register(teller: Teller) -> Teller:
        tellers.update(dict.fromkeys(names, teller))
        return teller

    return register


def told(events: Iterable[OutboxEvent], using: Told) -> list[Entry]:
    """The events that somebody can tell, in their order."""
    entries = (tellers[event.name](event, using) for event in events if event.name in tellers)
    return [entry for entry in entries if entry is not None]


def mentioned(events: Iterable[OutboxEvent], key: str) -> set[str]:
    """Every value that the events' payloads have under a key."""
    found: set[Any] = {event.payload.get(key) for event in events}
    return {value for value in found if isinstance(value, str) and value}


def link(name: str, *args: str) -> str:
    """Address of a page, or "" while there is none of that name."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


@dataclass(frozen=True, slots=True)
class Named:
    """Something known by its public id only: how it is called, and its page, or "" when there is none to open."""

    label: str
    href: str


def named(slug: str, public_ids: Iterable[str]) -> dict[str, Named]:
    """Names and pages of things of any kind that the actor may see, one query for each kind. Inside work()."""
    kinds: dict[str, set[str]] = {}
    for public_id in public_ids:
        kinds.setdefault(public_id.partition("_")[0], set()).add(public_id)
    found: dict[str, Named] = {}
    for prefix, ids in kinds.items():
        place = registry.places.get(prefix)
        if place and current().may(place.permission):
            names = place.names(ids)
            found |= {pk: Named(name, link(place.url_name, slug, pk)) for pk, name in names.items()}
    return found


def known(slug: str, public_id: str, name: str) -> Named:
    """The name and page of a thing of which both are read already; its id, where the actor may not see it."""
    place = registry.places.get(public_id.partition("_")[0])
    may = place is not None and current().may(place.permission)
    return Named(name, link(place.url_name, slug, public_id)) if place and may else Named(public_id, "")


@dataclass(frozen=True, slots=True)
class Line:
    """An entry with its time as the reader's day has it."""

    entry: Entry
    when: str
    iso: str


def lines(entries: Iterable[Entry], zone: str) -> list[Line]:
    """Newest first: `09:41` for today, `Yesterday 17:20`, else the day."""
    local = ZoneInfo(zone)
    today = clock.today(zone)
    shown = []
    for entry in sorted(entries, key=lambda each: each.at, reverse=True):
        at = entry.at.astimezone(local)
        if at.date() == today:
            when = clocktime(at.time())
        elif at.date() == today - timedelta(days=1):
            when = _("yesterday %(time)s") % {"time": clocktime(at.time())}
        else:
            when = shortdate(at.date(), today)
        shown.append(Line(entry, when, at.isoformat()))
    return shown

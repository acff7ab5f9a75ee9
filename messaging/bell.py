"""What a member sees of what they were told: lines in words, by the rights and choices they have now."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import ngettext

from core.scope import current
from core.timeline import link, named
from messaging.domain.ways import Way
from messaging.models import NoticeChoice, Notification
from messaging.notices import Kind, Said, Told, kinds, may_see, way_of
from tenants.rights import live

_ID = re.compile(r"[a-z]+_[0-9A-Z]{26}")
MOST = 99
"""The bell counts no further."""


def chosen_by(member_id: int) -> dict[str, str]:
    """What a member chose, by kind; one query. Inside work()."""
    return dict(NoticeChoice.objects.filter(member_id=member_id).values_list("kind", "way"))


def heard(chosen: Mapping[str, str]) -> list[Kind]:
    """The kinds that the actor may see and wants to hear of."""
    rights = current().permissions
    return [
        kind
        for kind in kinds.values()
        if may_see(kind, rights) and way_of(kind, chosen.get(kind.name)) is not Way.NONE
    ]


def mine(member_id: int) -> "QuerySet[Notification]":
    """The lines a member may see now, in no order; one query to know the kinds. Inside work()."""
    wanted = [kind.name for kind in heard(chosen_by(member_id))]
    found: QuerySet[Notification] = Notification.objects.filter(member_id=member_id, kind__in=wanted)
    return found


def unread(member_id: int) -> int:
    """How many lines were not read, at most MOST + 1; two queries. Inside work()."""
    return len(mine(member_id).filter(read_at=None).values_list("pk", flat=True)[: MOST + 1])


@dataclass(frozen=True, slots=True)
class Line:
    """A notification in words."""

    public_id: str
    kind: Kind
    said: Said
    href: str
    at: datetime
    is_read: bool
    times: int


def lines(rows: Sequence[Notification], slug: str) -> list[Line]:
    """The rows in words, for the actor: names only of what they may see, one query for each kind of thing."""
    ids = {each for row in rows for each in (row.about, *_ids(row.facts))}
    names = {public_id: found.label for public_id, found in named(slug, ids).items()}
    return [_line(row, slug, names) for row in rows if row.kind in kinds]


def _ids(facts: object) -> Iterable[str]:
    values = facts.values() if isinstance(facts, dict) else ()
    return (value for value in values if isinstance(value, str) and _ID.fullmatch(value))


def _line(row: Notification, slug: str, names: Mapping[str, str]) -> Line:
    kind = kinds[row.kind]
    said = kind.say(Told(row.about, row.facts, row.times, names))
    href = ""
    if said.page:
        href = link(said.page[0], slug, *said.page[1:])
        href += f"?{said.query}" if href and said.query else ""
    return Line(row.public_id, kind, said, href, row.at, row.read_at is not None, row.times)


def counted(n: int) -> str:
    """How many are new, as the bell says it."""
    if n > MOST:
        return ngettext("%(n)s+ new", "%(n)s+ new", n) % {"n": MOST}
    return ngettext("%(n)s new", "%(n)s new", n) % {"n": n}


@dataclass(frozen=True, slots=True)
class Wanting:
    """A member who chose to be told in a way."""

    public_id: str
    name: str
    email: str


def chose(kind: str, way: Way) -> list[Wanting]:
    """The members who come in now and chose this way for a kind, by name; two queries. Inside work()."""
    wanted = NoticeChoice.objects.filter(kind=kind, way=way).values_list("member_id", flat=True)
    rows = live().filter(pk__in=list(wanted)).select_related("user").order_by("user__name", "id")
    return [Wanting(row.public_id, row.user.name, row.user.email) for row in rows]

"""Writing down who is to be told of what, in the transaction that relays the event."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import F

from core import clock, effects
from core.locks import lock
from core.models import OutboxEvent
from messaging.domain.ways import Way, next_digest
from messaging.models import NoticeChoice, Notification
from messaging.notices import Kind, Occasion, may_see, way_of
from messaging.services.queue import Draft, queue_for_event
from tenants.rights import live, rights_of_member, with_groups
from tenants.selectors import entity

DIGEST, FORGET, LETTER = "notices.digest", "notices.forget", "notice"
KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Reader:
    """A member who is concerned, and how they want to be told."""

    member_id: int
    public_id: str
    email: str
    way: Way


@dataclass(slots=True)
class _Happened:
    """An occasion as it is written: when it happened first and how often."""

    occasion: Occasion
    at: datetime
    times: int = 1


def notify(kind: Kind, rows: Sequence[OutboxEvent]) -> None:
    """Tell of these events whoever is concerned and wants to be. Inside work().

    Natural key: member, kind and occasion; told again it writes nothing. What `gather`s is counted on the unread line
    that is there, until the next digest. A letter that goes at once is about the lines this made, one for each member;
    a digest becomes due, one for each member and local day.
    """
    happened = _gathered(kind, rows)
    if not happened:
        return
    readers = _readers(kind, {user for each in happened for user in each.occasion.users or ()})
    if not readers:
        return
    fresh = _write(kind, happened, readers)
    _mail(kind, fresh, readers)
    remember_to_forget()


def _gathered(kind: Kind, rows: Sequence[OutboxEvent]) -> list[_Happened]:
    """What is worth telling, in order; what is alike once, as it was last."""
    found: dict[object, _Happened] = {}
    day, _at = next_digest(clock.now(), entity().zone)
    for row in rows:
        occasion = kind.pick(row)
        if occasion is None:
            continue
        gather = f"{occasion.gather}:{day}" if occasion.gather else ""
        occasion = replace(occasion, key=occasion.key or row.public_id, gather=gather)
        alike = (occasion.gather, occasion.users) if occasion.gather else occasion.key
        before = found.get(alike)
        times = before.times + 1 if before and occasion.gather else 1
        found[alike] = _Happened(occasion, row.occurred_at, times)
    return list(found.values())


def _readers(kind: Kind, users: Iterable[int]) -> dict[int, Reader]:
    """Members by user who may see the kind and have not chosen to hear nothing of it; two queries."""
    members = with_groups(live().select_related("user"))
    if not kind.permission:
        members = members.filter(user_id__in=list(users))
    chosen = dict(NoticeChoice.objects.filter(kind=kind.name).values_list("member_id", "way"))
    found = {}
    for row in members:
        way = way_of(kind, chosen.get(row.pk))
        if way is not Way.NONE and may_see(kind, rights_of_member(row)):
            found[row.user_id] = Reader(row.pk, row.public_id, row.user.email, way)
    return found


def _write(kind: Kind, happened: Sequence[_Happened], readers: dict[int, Reader]) -> list[Notification]:
    """The lines that were not there yet; constant statements."""
    wanted = [
        _line(kind, each, reader)
        for each in happened
        for user, reader in readers.items()
        if each.occasion.users is None or user in each.occasion.users
    ]
    counted = _count(kind, wanted)
    rows = [row for row in wanted if (row.member_id, row.gather) not in counted]
    Notification.objects.bulk_create(rows, batch_size=1000, ignore_conflicts=True)
    written = set(
        Notification.objects.filter(public_id__in=[row.public_id for row in rows]).values_list(
            "public_id", flat=True
        )
    )
    return [row for row in rows if row.public_id in written]


def _line(kind: Kind, each: _Happened, reader: Reader) -> Notification:
    return Notification(
        member_id=reader.member_id,
        kind=kind.name,
        key=each.occasion.key,
        about=each.occasion.about,
        facts=dict(each.occasion.facts),
        gather=each.occasion.gather,
        times=each.times,
        at=each.at,
    )


def _count(kind: Kind, wanted: Sequence[Notification]) -> set[tuple[int, str]]:
    """Count on the unread lines that are there; which those are, by member and what they gather."""
    alike = {(row.member_id, row.gather): row for row in wanted if row.gather}
    if not alike:
        return set()
    there = lock(
        Notification.objects.filter(
            kind=kind.name,
            member__in={member for member, _gather in alike},
            gather__in={gather for _member, gather in alike},
            read_at=None,
        )
    )
    for row in there:
        new = alike[row.member_id, row.gather]
        if new.key != row.key:
            Notification.objects.filter(pk=row.pk).update(
                times=F("times") + new.times, facts=new.facts, about=new.about, at=new.at
            )
    return {(row.member_id, row.gather) for row in there}


def _mail(kind: Kind, fresh: Sequence[Notification], readers: dict[int, Reader]) -> None:
    """Put the fresh lines of each member into a letter at once, or into their next digest."""
    by_member: dict[int, list[Notification]] = {}
    for row in fresh:
        by_member.setdefault(row.member_id, []).append(row)
    at_once = [each for each in readers.values() if each.member_id in by_member and each.way is Way.MAIL]
    later = [each for each in readers.values() if each.member_id in by_member and each.way is Way.DIGEST]
    if at_once and not kind.letter:
        _queue_letters(kind, at_once, by_member)
    if later:
        day, at = next_digest(clock.now(), entity().zone)
        lines = [row.public_id for each in later for row in by_member[each.member_id]]
        Notification.objects.filter(public_id__in=lines).update(digest_on=day)
        items = [
            (f"{each.public_id}:{day}", {"member": each.public_id, "day": day.isoformat()}) for each in later
        ]
        effects.due(DIGEST, items, at=at)


def _queue_letters(kind: Kind, readers: Sequence[Reader], by_member: dict[int, list[Notification]]) -> None:
    drafts = []
    for reader in readers:
        rows = by_member[reader.member_id]
        name = f"{kind.name}:{rows[0].key}"[:120]
        Notification.objects.filter(public_id__in=[row.public_id for row in rows]).update(mail=name)
        drafts.append(Draft(LETTER, reader.public_id, to=reader.email, dedupe=name))
    queue_for_event(drafts)


def remember_to_forget() -> None:
    """Make due, once for a day on which something was written, that it is deleted when it is old. Inside work()."""
    now = clock.now()
    effects.due(FORGET, [(now.date().isoformat(), {})], at=now + KEPT + timedelta(days=1))

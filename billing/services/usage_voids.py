"""Voiding events of usage: a void is a fact of its own, and the buckets are what is left."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import connection

from billing.domain.usage import DAY, SLOT, Aggregation, floor
from billing.models import WHY, UsageEvent, UsageKey, UsageSeries, UsageVoid
from billing.services.late_usage import Touched, note
from billing.usage import LEFT
from core import bulk, clock
from core.errors import Invalid
from core.locks import lock
from core.scope import current

_SET = (
    "count = n.count, total = n.total, area = n.area, most = n.most, last = n.last, last_at = n.last_at,"
    " last_name = n.last_name"
)
_SLOTS = f"""
UPDATE billing_usagebucket b SET {_SET} FROM (
    SELECT t.series_id, t.start, count(e.id) AS count, coalesce(sum(e.value), 0) AS total,
        coalesce(sum(e.value * extract(epoch FROM e.at - t.start)), 0) AS area, max(e.value) AS most,
        (array_agg(e.value ORDER BY e.at DESC NULLS LAST, e.transaction_id DESC))[1] AS last, max(e.at) AS last_at,
        coalesce((array_agg(e.transaction_id ORDER BY e.at DESC NULLS LAST, e.transaction_id DESC))[1], '') AS last_name
    FROM unnest(%(series)s::bigint[], %(starts)s::timestamptz[]) AS t(series_id, start)
    LEFT JOIN billing_usageevent e ON e.organization_id = %(org)s AND e.series_id = t.series_id
        AND e.at >= t.start AND e.at < t.start + interval '15 minutes' AND {LEFT}
    GROUP BY t.series_id, t.start
) n WHERE b.organization_id = %(org)s AND b.series_id = n.series_id AND b.grain = 0 AND b.start = n.start
"""  # noqa: S608 - fixed text
_DAYS = f"""
UPDATE billing_usagebucket b SET {_SET} FROM (
    SELECT t.series_id, t.start, sum(s.count) AS count, sum(s.total) AS total,
        sum(s.area + s.total * extract(epoch FROM s.start - t.start)) AS area, max(s.most) AS most,
        (array_agg(s.last ORDER BY s.last_at DESC NULLS LAST, s.last_name DESC))[1] AS last, max(s.last_at) AS last_at,
        (array_agg(s.last_name ORDER BY s.last_at DESC NULLS LAST, s.last_name DESC))[1] AS last_name
    FROM unnest(%(series)s::bigint[], %(starts)s::timestamptz[]) AS t(series_id, start)
    JOIN billing_usagebucket s ON s.organization_id = %(org)s AND s.series_id = t.series_id AND s.grain = 0
        AND s.start >= t.start AND s.start < t.start + interval '24 hours'
    GROUP BY t.series_id, t.start
) n WHERE b.organization_id = %(org)s AND b.series_id = n.series_id AND b.grain = 1 AND b.start = n.start
"""  # noqa: S608 - fixed text
_UNSEE = """
DELETE FROM billing_usageseen u USING unnest(%(series)s::bigint[], %(starts)s::timestamptz[], %(keys)s::text[])
    AS t(series_id, start, key)
WHERE u.organization_id = %(org)s AND u.series_id = t.series_id AND u.day = t.start AND u.key = t.key
"""
_SEE = f"""
INSERT INTO billing_usageseen (organization_id, series_id, day, key, count, first_at, last_at)
SELECT %(org)s, t.series_id, t.start, t.key, count(*), min(e.at), max(e.at)
FROM unnest(%(series)s::bigint[], %(starts)s::timestamptz[], %(keys)s::text[]) AS t(series_id, start, key)
JOIN billing_usageevent e ON e.organization_id = %(org)s AND e.series_id = t.series_id AND e.key = t.key
    AND e.at >= t.start AND e.at < t.start + interval '24 hours' AND {LEFT}
GROUP BY t.series_id, t.start, t.key
"""  # noqa: S608 - fixed text


class Outcome(StrEnum):
    """What became of the wish to void an event."""

    VOIDED = "voided"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Voided:
    """What became of a transaction id in its place; `problems` says why nothing was voided."""

    status: Outcome
    transaction_id: str
    problems: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """An event that may be voided: where it is, what it counts for, and how late its meter lets it be."""

    event_id: int
    transaction_id: str
    series_id: int
    at: datetime
    late: timedelta
    subscription_id: int
    meter_id: int
    aggregation: Aggregation

    @property
    def touched(self) -> Touched:
        """What its void changes."""
        return Touched(self.subscription_id, self.meter_id, self.aggregation, self.late, self.at)


def void(transaction_ids: Sequence[str], *, why: str = "") -> list[Voided]:
    """Have events count no more, each named by its transaction id, for a reason. Inside work().

    Natural key: the event. One that is voided stays so and is unchanged. Refused is what is not here, and what is older
    than events of its meter may come late: what was read of that time stays. An id stays taken. Raises Invalid for a
    reason that is too long.
    """
    if len(why) > WHY:
        raise Invalid("The reason is too long.", fields={"why": f"At most {WHY} characters."})
    found = find(set(transaction_ids))
    lock(UsageSeries.objects.filter(pk__in={each.series_id for each in found.values()}))
    still = standing(found.values())
    answers = [_answer(name, found.get(name), still) for name in transaction_ids]
    first = {each.transaction_id: each for each in reversed(answers)}
    gone = [found[each.transaction_id] for each in first.values() if each.status is Outcome.VOIDED]
    write(gone, why=why)
    note(each.touched for each in gone)
    return [each if first[each.transaction_id] is each else _again(each) for each in answers]


def _answer(name: str, found: Standing | None, still: set[int]) -> Voided:
    if found is not None and found.event_id not in still:
        return Voided(Outcome.UNCHANGED, name)
    if why := problem(found):
        return Voided(Outcome.FAILED, name, {"transaction_id": why})
    return Voided(Outcome.VOIDED, name)


def _again(answer: Voided) -> Voided:
    """The answer for an id that was named before in the same wish."""
    return Voided(Outcome.UNCHANGED, answer.transaction_id) if answer.status is Outcome.VOIDED else answer


def find(names: Collection[str]) -> dict[str, Standing]:
    """The events of these transaction ids, voided or not; one query. Inside work()."""
    rows = UsageKey.objects.filter(transaction_id__in=names)
    return {
        name: Standing(
            pk, name, series_id, at, timedelta(days=late), subscription_id, meter_id, Aggregation(how)
        )
        for pk, name, series_id, at, late, subscription_id, meter_id, how in rows.values_list(
            "id",
            "transaction_id",
            "series_id",
            "at",
            "series__meter__late_days",
            "series__subscription_id",
            "series__meter_id",
            "series__meter__aggregation",
        )
    }


def problem(found: Standing | None) -> str:
    """Why an event cannot be voided; nothing when it can, as far as its time goes."""
    if found is None:
        return "There is no event of this transaction id."
    if found.at < clock.now() - found.late:
        return f"That event is more than {found.late.days} days old; its time is closed."
    return ""


def standing(found: Iterable[Standing]) -> set[int]:
    """Ids of those that are not voided; sure where the caller holds their series. One query."""
    ids = {each.event_id for each in found}
    gone = UsageVoid.objects.filter(event_id__in=ids).values_list("event_id", flat=True)
    return ids - set(gone)


def write(found: Sequence[Standing], *, why: str, replaced_by: Mapping[str, str] | None = None) -> None:
    """Write the voids and make the buckets what is left. The caller holds the series alone, all of them stand, and what
    they touch is noted by it.
    """
    if not found:
        return
    now = clock.now()
    bulk.insert(
        UsageVoid,
        [
            {
                "event_id": each.event_id,
                "transaction_id": each.transaction_id,
                "series_id": each.series_id,
                "at": each.at,
                "voided_at": now,
                "replaced_by": (replaced_by or {}).get(each.transaction_id, ""),
                "why": why,
            }
            for each in sorted(found, key=lambda one: one.event_id)
        ],
    )
    _recount(_SLOTS, {(each.series_id, floor(each.at, SLOT)) for each in found})
    _recount(_DAYS, {(each.series_id, floor(each.at, DAY)) for each in found})
    _resee(found)


def _recount(sql: str, starts: set[tuple[int, datetime]]) -> None:
    ordered = sorted(starts)
    with connection.cursor() as cursor:
        cursor.execute(
            sql,
            {
                "org": current().organization_id,
                "series": [series_id for series_id, _ in ordered],
                "starts": [start for _, start in ordered],
            },
        )


def _resee(found: Sequence[Standing]) -> None:
    """What was seen of the keys of these events on their days, once more."""
    events = UsageEvent.objects.filter(
        pk__in=[each.event_id for each in found], at__in={each.at for each in found}
    ).exclude(key="")
    seen = {
        (series_id, floor(at, DAY), key)
        for series_id, at, key in events.values_list("series_id", "at", "key")
    }
    if not seen:
        return
    ordered = sorted(seen)
    given: dict[str, Any] = {
        "org": current().organization_id,
        "series": [series_id for series_id, _, _ in ordered],
        "starts": [start for _, start, _ in ordered],
        "keys": [key for _, _, key in ordered],
    }
    with connection.cursor() as cursor:
        cursor.execute(_UNSEE, given)
        cursor.execute(_SEE, given)

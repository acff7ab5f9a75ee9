"""Reading usage: figures of periods, in a number of queries that does not depend on how many are asked for."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any

from django.db import connection
from django.db.models import Q

from billing.domain.usage import DAY, ROOM, Aggregation, Grain, Part, Span, before, figure, floor, spans
from billing.domain.usage_events import MeterFacts, groups_in
from billing.models import Meter
from core.scope import current

MOST_VALUES = 10_000
"""Values of single events that are read for one period."""
_WITHIN, _BEFORE = 0, 1
_ASKED = (
    "unnest(%(n)s::int[], %(kind)s::smallint[], %(subscription)s::bigint[], %(meter)s::bigint[], %(grain)s::smallint[],"
    " %(since)s::timestamptz[], %(until)s::timestamptz[], %(till)s::timestamptz[])"
    " AS a(n, kind, subscription_id, meter_id, grain, since, until, till)"
)
_SERIES = (
    "JOIN billing_usageseries s ON s.organization_id = %(org)s AND s.subscription_id = a.subscription_id"
    " AND s.meter_id = a.meter_id"
)
# What a series counted is looked up series by series (OFFSET 0 keeps it so): where the server knows nothing of the
# tables yet, it would rather read all that is there for each.
LEFT = "NOT EXISTS (SELECT FROM billing_usagevoid v WHERE v.organization_id = e.organization_id AND v.event_id = e.id)"
"""Of events called e: those that are not voided."""
_BUCKETS = f"""
SELECT a.n, a.kind, s."group", sum(b.count), sum(b.total),
    sum(b.total * extract(epoch FROM a.till - b.start) - b.area), max(b.most), max(b.last_at),
    (array_agg(b.last_name ORDER BY b.last_at DESC NULLS LAST, b.last_name DESC))[1],
    (array_agg(b.last ORDER BY b.last_at DESC NULLS LAST, b.last_name DESC))[1]
FROM {_ASKED} {_SERIES} CROSS JOIN LATERAL (
    SELECT * FROM billing_usagebucket b WHERE b.organization_id = %(org)s AND b.series_id = s.id AND b.grain = a.grain
    AND b.start >= a.since AND b.start < a.until OFFSET 0) b
WHERE a.grain < 2 GROUP BY a.n, a.kind, s.id, s."group"
"""  # noqa: S608 - fixed text
_EVENTS = f"""
SELECT a.n, a.kind, s."group", count(*), sum(e.value), sum(e.value * extract(epoch FROM a.till - e.at)), max(e.value),
    max(e.at), (array_agg(e.transaction_id ORDER BY e.at DESC, e.transaction_id DESC))[1],
    (array_agg(e.value ORDER BY e.at DESC, e.transaction_id DESC))[1]
FROM {_ASKED} {_SERIES} CROSS JOIN LATERAL (
    SELECT * FROM billing_usageevent e WHERE e.organization_id = %(org)s AND e.series_id = s.id
    AND e.at >= a.since AND e.at < a.until AND {LEFT} OFFSET 0) e
WHERE a.grain = 2 GROUP BY a.n, a.kind, s.id, s."group"
"""  # noqa: S608 - fixed text
# A day's row says when a key came first and last that day. Only where the period lies between the two, and so within
# the day, is that not enough.
_KEYS = f"""
SELECT a.n, s."group", count(DISTINCT u.key)
FROM unnest(%(n)s::int[], %(subscription)s::bigint[], %(meter)s::bigint[], %(day)s::timestamptz[],
    %(since)s::timestamptz[], %(until)s::timestamptz[]) AS a(n, subscription_id, meter_id, day, since, until) {_SERIES}
CROSS JOIN LATERAL (
    SELECT * FROM billing_usageseen u WHERE u.organization_id = %(org)s AND u.series_id = s.id
    AND u.day >= a.day AND u.day < a.until AND u.first_at < a.until AND u.last_at >= a.since OFFSET 0) u
WHERE u.first_at >= a.since OR u.last_at < a.until OR EXISTS (
    SELECT FROM billing_usageevent e WHERE e.organization_id = %(org)s AND e.series_id = u.series_id
    AND e.at >= a.since AND e.at < a.until AND e.key = u.key AND {LEFT})
GROUP BY a.n, s.id, s."group"
"""  # noqa: S608 - fixed text


_VALUES = f"""
SELECT a.n, v.value
FROM unnest(%(n)s::int[], %(subscription)s::bigint[], %(meter)s::bigint[], %(since)s::timestamptz[],
    %(until)s::timestamptz[]) AS a(n, subscription_id, meter_id, since, until)
CROSS JOIN LATERAL (
    SELECT e.value, e.at, e.transaction_id FROM billing_usageseries s
    JOIN billing_usageevent e ON e.organization_id = %(org)s AND e.series_id = s.id
        AND e.at >= a.since AND e.at < a.until AND {LEFT}
    WHERE s.organization_id = %(org)s AND s.subscription_id = a.subscription_id AND s.meter_id = a.meter_id
    ORDER BY e.at, e.transaction_id LIMIT %(limit)s) v
ORDER BY a.n, v.at, v.transaction_id
"""  # noqa: S608 - fixed text


@dataclass(frozen=True, slots=True)
class Asked:
    """What a meter counted of a subscription in `[start, end)`, two instants with their zone."""

    subscription_id: int
    meter_id: int
    start: datetime
    end: datetime


def usage_of(asked: Sequence[Asked]) -> dict[Asked, Decimal]:
    """The figure of each, in the meter's own unit, exact; 0 where nothing was counted. Inside work().

    Two queries for any number; a third where a period begins or ends within a quarter of an hour of UTC, a fourth where
    keys are counted. Voided events do not count. See `figure` of domain/usage.py for what groups and averages come to.
    Raises KeyError for a meter that is not here, ValueError for a period that ends before it starts.
    """
    meters, parts = _read(asked)
    return {
        each: figure(meters[each.meter_id], list(parts[each].values()), each.start, each.end)
        for each in asked
    }


def usage_by_group(asked: Sequence[Asked]) -> dict[Asked, dict[tuple[str, ...], Decimal]]:
    """The same for each group of the meter's `group_by`, by the values of its properties in their order; a meter
    without has the group `()`. Groups without anything are left out. As many queries as `usage_of`. Inside work()."""
    meters, parts = _read(asked)
    return {
        each: {
            groups_in(group): figure(meters[each.meter_id], [part], each.start, each.end)
            for group, part in sorted(parts[each].items())
        }
        for each in asked
    }


def values_of(asked: Sequence[Asked], *, limit: int = MOST_VALUES) -> dict[Asked, tuple[Decimal, ...]]:
    """The values of the single events of each, in order of time, then of their ids; one query. Inside work().

    One with more than `limit` events is left out.
    """
    if not asked:
        return {}
    found: dict[Asked, list[Decimal]] = {each: [] for each in asked}
    with connection.cursor() as cursor:
        cursor.execute(
            _VALUES,
            {
                "org": current().organization_id,
                "n": list(range(len(asked))),
                "subscription": [each.subscription_id for each in asked],
                "meter": [each.meter_id for each in asked],
                "since": [each.start for each in asked],
                "until": [each.end for each in asked],
                "limit": limit + 1,
            },
        )
        for n, value in cursor.fetchall():
            found[asked[n]].append(value)
    return {each: tuple(values) for each, values in found.items() if len(values) <= limit}


def meter_facts(which: Q) -> dict[str, MeterFacts]:
    """What decides how events count, by the meters' codes and ids; one query. Inside work()."""
    found: dict[str, MeterFacts] = {}
    for row in Meter.objects.filter(which):
        facts = MeterFacts(
            meter_id=row.pk,
            code=row.code,
            aggregation=Aggregation(row.aggregation),
            field=row.field,
            group_by=tuple(row.group_by),
            late=timedelta(days=row.late_days),
            archived=row.archived_at is not None,
        )
        found[row.code] = found[row.public_id] = facts
    return found


def _read(asked: Sequence[Asked]) -> tuple[dict[int, Aggregation], dict[Asked, dict[str, Part]]]:
    """Aggregations by meter, and of each period the parts of its groups."""
    known = dict(
        Meter.objects.filter(pk__in={each.meter_id for each in asked}).values_list("pk", "aggregation")
    )
    meters = {pk: Aggregation(word) for pk, word in known.items()}
    parts: dict[Asked, dict[str, Part]] = {each: {} for each in asked}
    listed = list(parts)
    for each in listed:
        if each.end <= each.start:
            raise ValueError("A period ends after it starts.")
    _add(
        parts,
        listed,
        _sums([each for each in enumerate(listed) if meters[each[1].meter_id] != Aggregation.UNIQUE], meters),
    )
    unique = [each for each in enumerate(listed) if meters[each[1].meter_id] is Aggregation.UNIQUE]
    for n, group, keys in _keys(unique):
        parts[listed[n]][group] = Part(keys=keys)
    return meters, parts


def _sums(asked: Sequence[tuple[int, Asked]], meters: Mapping[int, Aggregation]) -> list[tuple[Any, ...]]:
    """(place, kind, group, count, total, area, most, last_at, last_name, last) of each grain's rows."""
    rows: list[tuple[int, int, Asked, Span]] = []
    for n, each in asked:
        rows.extend((n, _WITHIN, each, span) for span in spans(each.start, each.end))
        if meters[each.meter_id] is Aggregation.WEIGHTED_SUM:
            rows.extend((n, _BEFORE, each, span) for span in before(each.start))
    found = []
    for sql, wanted in (
        (_BUCKETS, [row for row in rows if row[3].grain is not Grain.EVENT]),
        (_EVENTS, [row for row in rows if row[3].grain is Grain.EVENT]),
    ):
        if wanted:
            found += _ask(
                sql,
                n=[n for n, *_ in wanted],
                kind=[kind for _, kind, *_ in wanted],
                subscription=[each.subscription_id for _, _, each, _ in wanted],
                meter=[each.meter_id for _, _, each, _ in wanted],
                grain=[int(span.grain) for *_, span in wanted],
                since=[span.since for *_, span in wanted],
                until=[span.until for *_, span in wanted],
                till=[each.end for _, _, each, _ in wanted],
            )
    return found


def _keys(asked: Sequence[tuple[int, Asked]]) -> list[tuple[Any, ...]]:
    """(place, group, number of keys)."""
    if not asked:
        return []
    return _ask(
        _KEYS,
        n=[n for n, _ in asked],
        subscription=[each.subscription_id for _, each in asked],
        meter=[each.meter_id for _, each in asked],
        day=[floor(each.start, DAY) for _, each in asked],
        since=[each.start for _, each in asked],
        until=[each.end for _, each in asked],
    )


def _ask(sql: str, **given: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {**given, "org": current().organization_id})
        return cursor.fetchall()


def _add(
    parts: dict[Asked, dict[str, Part]], listed: Sequence[Asked], rows: Iterable[tuple[Any, ...]]
) -> None:
    """Put the rows of all grains together, by period and group."""
    kept: dict[tuple[int, str], list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        kept[row[0], row[2]].append(row)
    with localcontext(prec=ROOM):
        for (n, group), several in kept.items():
            part = _part(several)
            if part.count or part.level:
                parts[listed[n]][group] = part


def _part(rows: Sequence[tuple[Any, ...]]) -> Part:
    within = [row for row in rows if row[1] == _WITHIN]
    lasts = [(row[7], row[8], row[9]) for row in within if row[7] is not None]
    return Part(
        count=sum(int(row[3]) for row in within),
        total=sum((row[4] for row in within), Decimal(0)),
        area=sum((row[5] for row in within), Decimal(0)),
        level=sum((row[4] for row in rows if row[1] == _BEFORE), Decimal(0)),
        most=max((row[6] for row in within if row[6] is not None), default=None),
        last=max(lasts, default=None),
    )

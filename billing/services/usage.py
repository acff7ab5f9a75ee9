"""Taking events of usage: each once, counted into its buckets in the same transaction. See docs/adr/0028.

Locks, in this order: series (shared, so that whoever takes events waits for no other; who voids holds them alone),
transaction ids, buckets, each kind in the order of its key; last the items that bill them, waiting for nobody.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import connection
from django.db.models import Q

from billing.domain.usage import DAY, Reading, Tally, buckets, floor
from billing.domain.usage_events import Measured, MeterFacts, Refused, Said, measure, time_problem
from billing.models import Subscription, UsageKey, UsageSeries
from billing.services import usage_voids
from billing.services.late_usage import Touched, note
from billing.services.usage_alerts import look_soon
from billing.usage import meter_facts
from core import clock
from core.locks import keep, lock
from core.scope import current

MOST = 1000
"""Events taken at once."""
_TAKE = """
WITH said AS (
    SELECT * FROM unnest(%s::text[], %s::bigint[], %s::timestamptz[], %s::numeric[], %s::text[], %s::jsonb[])
        AS t(name, series_id, at, value, key, properties)
), fresh AS (
    INSERT INTO billing_usagekey (organization_id, series_id, transaction_id, at)
    SELECT %s, series_id, name, at FROM said
    ON CONFLICT (organization_id, transaction_id) DO NOTHING RETURNING id, transaction_id
)
INSERT INTO billing_usageevent
    (id, organization_id, series_id, transaction_id, at, value, key, properties, received_at)
SELECT f.id, %s, s.series_id, s.name, s.at, s.value, s.key, s.properties, %s
FROM said s JOIN fresh f ON f.transaction_id = s.name RETURNING transaction_id
"""
_COUNT = """
INSERT INTO billing_usagebucket AS b
    (organization_id, series_id, grain, start, count, total, area, most, last, last_at, last_name)
SELECT %s, t.* FROM unnest(%s::bigint[], %s::smallint[], %s::timestamptz[], %s::bigint[], %s::numeric[],
    %s::numeric[], %s::numeric[], %s::numeric[], %s::timestamptz[], %s::text[]) AS t
ON CONFLICT (organization_id, series_id, grain, start) DO UPDATE SET
    count = b.count + excluded.count, total = b.total + excluded.total, area = b.area + excluded.area,
    most = greatest(b.most, excluded.most),
    last = CASE WHEN b.last_at IS NULL OR (excluded.last_at, excluded.last_name) > (b.last_at, b.last_name)
                THEN excluded.last ELSE b.last END,
    last_name = CASE WHEN b.last_at IS NULL OR (excluded.last_at, excluded.last_name) > (b.last_at, b.last_name)
                THEN excluded.last_name ELSE b.last_name END,
    last_at = greatest(b.last_at, excluded.last_at)
"""
_SEE = """
INSERT INTO billing_usageseen AS u (organization_id, series_id, day, key, count, first_at, last_at)
SELECT %s, t.* FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[], %s::bigint[], %s::timestamptz[],
    %s::timestamptz[]) AS t
ON CONFLICT (organization_id, series_id, day, key) DO UPDATE SET count = u.count + excluded.count,
    first_at = least(u.first_at, excluded.first_at), last_at = greatest(u.last_at, excluded.last_at)
"""


class Status(StrEnum):
    """What became of an event."""

    CREATED = "created"
    DUPLICATE = "duplicate"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an event in its place; `problems` says by field why it was refused."""

    status: Status
    transaction_id: str = ""
    problems: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Row:
    """An event on its way: where it was sent, and what is known of it so far."""

    place: int
    said: Said
    at: datetime
    meter: MeterFacts
    subscription_id: int
    measured: Measured
    series_id: int = 0

    @property
    def group(self) -> tuple[int, int, str]:
        return self.subscription_id, self.meter.meter_id, self.measured.group

    @property
    def touched(self) -> Touched:
        """What it counts for, and since when."""
        meter = self.meter
        return Touched(self.subscription_id, meter.meter_id, meter.aggregation, meter.late, self.at)


def ingest(sent: Sequence[Said | Refused]) -> list[Taken]:
    """Take events, each on its own, and say of each what became of it. Inside work(), at most MOST.

    Natural key: the organization and the transaction id, for all time. An id that was taken before changes nothing and
    is a duplicate, whatever else the event says. Refused are events of unknown or archived meters, of unknown
    subscriptions, without what the meter needs, later than it allows or ahead of now. One that names in `replaces`
    another event voids that with the same breath. The number of statements does not depend on the number of events.
    """
    taken: dict[int, Taken] = {}
    rows = _known(sent, taken)
    targets = _replaced(rows, taken)
    rows = _first_of_each([row for row in rows if row.place not in taken], taken)
    if rows:
        make_months({row.at for row in rows})
        _find_series(rows, alone={each.series_id for each in targets.values()})
        still = usage_voids.standing(targets.values()) if targets else set()
        rows = _fit(rows, targets, still, taken)
        fresh = _write(rows)
        for row in rows:
            status = Status.CREATED if row.said.transaction_id in fresh else Status.DUPLICATE
            taken[row.place] = Taken(status, row.said.transaction_id)
        counted = [row for row in rows if row.said.transaction_id in fresh]
        _count(counted)
        gone = _void(counted, targets)
        note([*(row.touched for row in counted), *(each.touched for each in gone)])
    _name_duplicates(sent, taken)
    return [taken[place] for place in range(len(sent))]


def _known(sent: Sequence[Said | Refused], taken: dict[int, Taken]) -> list[_Row]:
    """The events that name a meter and a subscription and have what the meter needs; the others are refused."""
    said = [each for each in sent if isinstance(each, Said)]
    meters = meter_facts(
        Q(code__in={each.meter for each in said}) | Q(public_id__in={each.meter for each in said})
    )
    subscriptions = _subscriptions({each.subscription for each in said})
    now, rows = clock.now(), []
    for place, each in enumerate(sent):
        if isinstance(each, Refused):
            taken[place] = Taken(Status.FAILED, each.named, each.fields)
            continue
        try:
            rows.append(_row(place, each, meters, subscriptions, now))
        except Refused as refused:
            taken[place] = Taken(Status.FAILED, each.transaction_id, refused.fields)
    return rows


def _row(
    place: int, said: Said, meters: dict[str, MeterFacts], subscriptions: dict[str, int], now: datetime
) -> _Row:
    meter, subscription_id = meters.get(said.meter), subscriptions.get(said.subscription)
    if meter is None:
        raise Refused(meter="There is no such meter.")
    if meter.archived:
        raise Refused(meter="That meter is archived.")
    if subscription_id is None:
        raise Refused(subscription="There is no such subscription.")
    at = said.at or now
    if problem := time_problem(at, now, meter.late):
        raise Refused(at=problem)
    return _Row(place, said, at, meter, subscription_id, measure(said.properties, meter))


def _subscriptions(names: set[str]) -> dict[str, int]:
    """Subscriptions by their id and by what other systems call them; the id goes first."""
    found = Subscription.objects.filter(Q(public_id__in=names) | Q(external_id__in=names - {""}))
    rows = list(found.values_list("id", "public_id", "external_id"))
    return {external: pk for pk, _, external in rows} | {public: pk for pk, public, _ in rows}


def _first_of_each(rows: list[_Row], taken: dict[int, Taken]) -> list[_Row]:
    """Of events with one transaction id the first, in the order in which ids are locked."""
    first: dict[str, _Row] = {}
    for row in rows:
        if first.setdefault(row.said.transaction_id, row) is not row:
            taken[row.place] = Taken(Status.DUPLICATE, row.said.transaction_id)
    return [first[name] for name in sorted(first)]


def _replaced(rows: list[_Row], taken: dict[int, Taken]) -> dict[str, usage_voids.Standing]:
    """The events that others are to take the place of; whose is not here or cannot be voided any more is refused."""
    names = {row.said.replaces for row in rows if row.said.replaces}
    found = usage_voids.find(names) if names else {}
    for row in rows:
        if row.said.replaces and (why := usage_voids.problem(found.get(row.said.replaces))):
            taken[row.place] = Taken(Status.FAILED, row.said.transaction_id, {"replaces": why})
    return {name: each for name, each in found.items() if not usage_voids.problem(each)}


def _fit(
    rows: list[_Row], targets: dict[str, usage_voids.Standing], still: set[int], taken: dict[int, Taken]
) -> list[_Row]:
    """The rows without those whose target was voided meanwhile, or is taken by another of these."""
    fit, used = [], set()
    for row in rows:
        target = targets.get(row.said.replaces)
        if target is not None and (target.event_id not in still or target.event_id in used):
            taken[row.place] = Taken(
                Status.FAILED, row.said.transaction_id, {"replaces": "That was voided before."}
            )
            continue
        used |= {target.event_id} if target else set()
        fit.append(row)
    return fit


def months(instants: Iterable[datetime]) -> list[date]:
    """First days of the months, by UTC, that instants fall into."""
    return sorted({each.date().replace(day=1) for each in instants})


def make_months(instants: Iterable[datetime]) -> int:
    """See that there is room for events of these instants; returns how many months were made. In a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT make_usage_months(%s::date[])", [months(instants)])
        return int(cursor.fetchone()[0])


def _find_series(rows: list[_Row], *, alone: set[int]) -> None:
    """Give each row its series, made where it is new, and hold them: alone where something is voided."""
    wanted = {row.group for row in rows}
    found = _held(wanted, alone)
    if missing := sorted(wanted - set(found)):
        UsageSeries.objects.bulk_create(
            [UsageSeries(subscription_id=s, meter_id=m, group=group) for s, m, group in missing],
            ignore_conflicts=True,
        )
        found = _held(wanted, alone)
    for row in rows:
        row.series_id = found[row.group]


def _held(wanted: set[tuple[int, int, str]], alone: set[int]) -> dict[tuple[int, int, str], int]:
    subscriptions, meters, groups = (set(column) for column in zip(*wanted, strict=True))
    series = UsageSeries.objects.filter(
        Q(subscription_id__in=subscriptions, meter_id__in=meters, group__in=groups) | Q(pk__in=alone)
    )
    if alone:
        return {(each.subscription_id, each.meter_id, each.group): each.pk for each in lock(series)}
    held = keep(series.order_by("pk").values_list("subscription_id", "meter_id", "group", "pk"))
    return {(subscription, meter, group): pk for subscription, meter, group, pk in held}


def _write(rows: list[_Row]) -> set[str]:
    """Write what is new, rows in the order of their ids; returns the transaction ids that are."""
    organization_id = current().organization_id
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE,
            [
                [row.said.transaction_id for row in rows],
                _array(row.series_id for row in rows),
                _array(row.at.isoformat() for row in rows),
                _array(row.measured.value for row in rows),
                [row.measured.key for row in rows],
                [row.said.sent for row in rows],
                organization_id,
                organization_id,
                clock.now(),
            ],
        )
        return {name for (name,) in cursor.fetchall()}


def _array(values: Iterable[Any]) -> str:
    """An array of numbers or instants as one text, which is written and read in half the time of a list."""
    return f"{{{','.join(map(str, values))}}}"


def _count(rows: list[_Row]) -> None:
    """Add the rows to their buckets and, where keys are counted, to what was seen on their days."""
    if not rows:
        return
    readings = [(row.series_id, _reading(row)) for row in rows]
    _add(buckets(readings))
    look_soon({(row.subscription_id, row.meter.meter_id) for row in rows})
    if keyed := [(series_id, each) for series_id, each in readings if each.key]:
        _see(keyed)


def _reading(row: _Row) -> Reading:
    return Reading(row.at, row.measured.value, row.said.transaction_id, row.measured.key)


def _add(made: dict[Any, Tally]) -> None:
    tallies = list(made.values())
    lasts = [each.last or (None, "", None) for each in tallies]
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNT,
            [
                current().organization_id,
                [series_id for series_id, _, _ in made],
                [int(grain) for _, grain, _ in made],
                [start for _, _, start in made],
                [each.count for each in tallies],
                [each.total for each in tallies],
                [each.area for each in tallies],
                [each.most for each in tallies],
                [value for _, _, value in lasts],
                [at for at, _, _ in lasts],
                [name for _, name, _ in lasts],
            ],
        )


def _see(readings: list[tuple[int, Reading]]) -> None:
    days: dict[tuple[int, datetime, str], list[datetime]] = {}
    for series_id, each in readings:
        days.setdefault((series_id, floor(each.at, DAY), each.key), []).append(each.at)
    ordered = sorted(days.items(), key=lambda one: one[0])
    with connection.cursor() as cursor:
        cursor.execute(
            _SEE,
            [
                current().organization_id,
                [series_id for (series_id, _, _), _ in ordered],
                [day for (_, day, _), _ in ordered],
                [key for (_, _, key), _ in ordered],
                [len(instants) for _, instants in ordered],
                [min(instants) for _, instants in ordered],
                [max(instants) for _, instants in ordered],
            ],
        )


def _void(rows: list[_Row], targets: dict[str, usage_voids.Standing]) -> list[usage_voids.Standing]:
    """Void what the rows take the place of, and say what that was."""
    by = {row.said.replaces: row.said.transaction_id for row in rows if row.said.replaces}
    gone = [targets[name] for name in sorted(by)]
    usage_voids.write(gone, why="", replaced_by=by)
    return gone


def _name_duplicates(sent: Sequence[Said | Refused], taken: dict[int, Taken]) -> None:
    """An id that was taken before is a duplicate also where the event could not be taken now, for example so late."""
    refused = {
        place: each.transaction_id
        for place, each in enumerate(sent)
        if isinstance(each, Said) and taken[place].status is Status.FAILED
    }
    if not refused:
        return
    there = UsageKey.objects.filter(transaction_id__in=set(refused.values()))
    names = set(there.values_list("transaction_id", flat=True))
    for place, name in refused.items():
        if name in names:
            taken[place] = Taken(Status.DUPLICATE, name)


def ahead(now: datetime) -> list[datetime]:
    """Instants in the months that are made before anything falls into them."""
    return [now + timedelta(days=days) for days in (0, 31, 62)]

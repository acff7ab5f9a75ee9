"""Buckets come to what the events themselves come to, whatever the order they came in and the period asked for."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from billing.domain.usage import (
    DAY,
    SLOT,
    Aggregation,
    Grain,
    Part,
    Reading,
    Tally,
    before,
    buckets,
    counted,
    figure,
    floor,
    merged,
    plain,
    seconds,
    spans,
    tally,
)
from core.periods import local_midnight

START = datetime(2026, 10, 20, tzinfo=UTC)
instants = st.one_of(
    st.integers(0, 20 * 86400 * 10**6).map(lambda us: START + timedelta(microseconds=us)),
    st.integers(0, 20 * 96).map(lambda n: START + n * SLOT),
)
values = st.decimals("-999999999999999", "999999999999999", places=12)
keys = st.sampled_from(["", "a", "b", "c"])
readings = st.lists(
    st.builds(Reading, instants, values, st.uuids().map(str), keys),
    max_size=25,
    unique_by=lambda one: one.name,
)
periods = st.tuples(instants, instants).filter(lambda two: two[0] < two[1])


def part_by_buckets(events: list[Reading], start: datetime, end: datetime) -> Part:
    """What is known of a period as the database reads it: from buckets, and from events at the edges."""
    kept: dict[tuple[Grain, datetime], Tally] = {}
    for (_, grain, at), each in buckets([(1, one) for one in events]).items():
        kept[grain, at] = each

    def stretch(pieces: list[object]) -> Tally:
        found = []
        for span in pieces:
            if span.grain is Grain.EVENT:
                found.append((START, tally([e for e in events if span.since <= e.at < span.until], START)))
            else:
                step = SLOT if span.grain is Grain.SLOT else DAY
                assert floor(span.since, step) == span.since
                found += [
                    (at, each)
                    for (grain, at), each in kept.items()
                    if grain is span.grain and span.since <= at < span.until
                ]
        return merged(found, START)

    inside, earlier = stretch(spans(start, end)), stretch(before(start))
    with localcontext(prec=100):
        area = inside.total * seconds(end - START) - inside.area
    seen = {e.key for e in events if start <= e.at < end}
    return Part(inside.count, inside.total, area, earlier.total, inside.most, inside.last, len(seen))


@given(readings, periods, st.sampled_from(Aggregation), st.randoms())
def test_buckets_come_to_what_the_events_come_to(
    events: list[Reading], period: tuple[datetime, datetime], how: Aggregation, random: object
) -> None:
    plainly = counted(how, [events], *period)
    random.shuffle(events)
    assert figure(how, [part_by_buckets(events, *period)], *period) == plainly


@given(periods)
def test_the_stretches_of_a_period_have_no_gap_and_no_overlap(period: tuple[datetime, datetime]) -> None:
    found = spans(*period)
    assert found[0].since == period[0]
    assert found[-1].until == period[1]
    assert all(one.until == other.since for one, other in pairwise(found))
    assert len(found) <= 5
    for each in found:
        step = {Grain.SLOT: SLOT, Grain.DAY: DAY}.get(each.grain)
        if step:
            assert floor(each.since, step) == each.since
            assert floor(each.until, step) == each.until
        else:
            assert each.until - each.since < SLOT


@given(
    st.dates(date(1990, 1, 1), date(2090, 12, 31)),
    st.sampled_from(
        ["Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham", "America/St_Johns", "Pacific/Kiritimati"]
    ),
)
def test_every_zones_midnight_is_the_beginning_of_a_slot(day: date, zone: str) -> None:
    midnight = local_midnight(day, zone)
    assert midnight == datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    assert floor(midnight, SLOT) == midnight


@given(readings, readings)
def test_a_bucket_is_the_same_at_once_and_in_two_goes(one: list[Reading], other: list[Reading]) -> None:
    names = {each.name for each in one}
    other = [each for each in other if each.name not in names]
    both = merged([(START, tally(one, START)), (START, tally(other, START))], START)
    assert both == tally([*one, *other], START)


def at(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def test_a_level_is_averaged_to_the_second() -> None:
    """10 held from before, 20 more for the last second of the day: a figure written down by hand."""
    events = [
        Reading(at("2026-10-01"), Decimal(10), "a"),
        Reading(at("2026-11-02 23:59:59"), Decimal(20), "b"),
    ]
    day = at("2026-11-02"), at("2026-11-03")
    assert counted(Aggregation.WEIGHTED_SUM, [events], *day) == Decimal("10.000231481481")  # 10 + 20/86400
    assert figure(Aggregation.WEIGHTED_SUM, [part_by_buckets(events, *day)], *day) == Decimal(
        "10.000231481481"
    )


def test_of_two_at_one_instant_the_later_transaction_id_is_the_last() -> None:
    two = [Reading(START, Decimal(1), "b"), Reading(START, Decimal(2), "a")]
    for events in (two, two[::-1]):
        assert counted(Aggregation.LAST, [events], START, START + DAY) == 1


def test_nothing_is_nothing() -> None:
    for how in Aggregation:
        assert counted(how, [[]], START, START + DAY) == 0


def test_a_key_in_two_groups_counts_twice() -> None:
    """As in peers: three events of two items in two groups are three."""
    first = [Reading(START, Decimal(1), "1", "001")]
    second = [Reading(START, Decimal(1), "2", "001"), Reading(START, Decimal(1), "3", "002")]
    assert counted(Aggregation.UNIQUE, [first, second], START, START + DAY) == 3
    assert counted(Aggregation.UNIQUE, [first + second], START, START + DAY) == 2


def test_figures_are_plain() -> None:
    assert str(plain(Decimal("1E+3"))) == "1000"
    assert str(plain(Decimal("12.500000000000"))) == "12.5"
    assert str(plain(Decimal("0E-12"))) == "0"

"""Events are counted once, and figures are what the events come to."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.domain.usage import Aggregation
from billing.domain.usage_events import Refused
from billing.models import Subscription, UsageBucket, UsageEvent, UsageKey, UsageSeries
from billing.services.meters import archive_meter
from billing.services.usage import ingest, make_months
from billing.services.usage_voids import void
from billing.usage import Asked, usage_by_group, usage_of, values_of
from core import clock
from core.errors import CodeTaken, Invalid
from core.scope import Scope, work
from tests import factories
from tests.metering import DAY, at, hours_ago, meter, said, send, statuses, used


@pytest.fixture
def sub(acorn: Scope) -> Subscription:
    with work():
        return factories.subscription(factories.customer(), factories.DAY)


def test_the_same_id_counts_once_whatever_it_says(acorn: Scope, sub: Subscription) -> None:
    with work():
        gb, calls = meter("sum"), meter("count")
        first = send(said(gb, sub, "t-1", amount="5", at=hours_ago(3)))
        again = send(
            said(gb, sub, "t-1", amount="5", at=hours_ago(3)),
            said(gb, sub, "t-1", amount="7", at=hours_ago(400)),
            said(calls, sub, "t-1"),
            said(gb, sub, "t-1", at=hours_ago(2000)),  # too late, and taken long ago
            said(gb, sub, "t-2", amount="1"),
            said(gb, sub, "t-2", amount="1"),
        )
        assert statuses(first) == ["created"]
        assert statuses(again) == ["duplicate"] * 4 + ["created", "duplicate"]
        assert used(gb, sub) == 6
        assert used(calls, sub) == 0
        assert UsageEvent.objects.count() == UsageKey.objects.count() == 2


def test_one_that_is_refused_holds_up_no_other(acorn: Scope, sub: Subscription) -> None:
    with work():
        gb, gone = meter("sum", late_days=10), meter("sum")
        archive_meter(gone.public_id)
        now = clock.now()
        other = said(gb, sub, "a")
        answers = ingest(
            [
                said(gb, sub, "good", amount="0.000000000001"),
                Refused(at="no time"),
                said(gone, sub, "archived"),
                said(gb, sub, "late", at=now - timedelta(days=10, minutes=1)),
                said(gb, sub, "just", at=now - timedelta(days=9, hours=23)),
                said(gb, sub, "ahead", at=now + timedelta(hours=1, minutes=1)),
                said(gb, sub, "soon", at=now + timedelta(minutes=59)),
                said(gb, sub, "empty", amount=None),
                said(gb, sub, "odd", amount="NaN"),
                type(other)("nobody", gb.code, "sub_nobody", properties={"amount": "1"}),
                type(other)("nothing", "no-meter", sub.public_id, properties={"amount": "1"}),
            ]
        )
        assert statuses(answers) == [
            "created", "failed", "failed", "failed", "created", "failed", "created", "failed", "failed", "failed",
            "failed",
        ]  # fmt: skip
        assert [list(each.problems) for each in answers if each.problems] == [
            ["at"], ["meter"], ["at"], ["at"], ["properties/amount"], ["properties/amount"], ["subscription"],
            ["meter"],
        ]  # fmt: skip
        assert used(gb, sub) == Decimal("2.000000000001")


def test_each_aggregation_in_each_way_of_asking(acorn: Scope, sub: Subscription) -> None:
    base = (clock.now() - 4 * DAY).replace(hour=0, minute=0, second=0, microsecond=0)
    steps = [
        ("a", "3", 0),
        ("b", "-1", 7),
        ("a", "10", 30),
        ("c", "2", 47.99),
        ("b", "2.5", 48),
        ("a", "1", 71.2),
    ]
    with work():
        meters = {how: meter(how) for how in Aggregation if how is not Aggregation.UNIQUE}
        keyed = meter("unique", field="who")
        for n, (who, amount, hours) in enumerate(steps):
            when = base + timedelta(hours=hours)
            send(
                *(said(each, sub, f"{how}{n}", amount=amount, at=when) for how, each in meters.items()),
                said(keyed, sub, f"u{n}", who=who, at=when),
            )

        def asked(since: float, until: float) -> dict[str, Decimal]:
            period = base + timedelta(hours=since), base + timedelta(hours=until)
            found = {how: Asked(sub.pk, each.pk, *period) for how, each in meters.items()}
            found[Aggregation.UNIQUE] = Asked(sub.pk, keyed.pk, *period)
            figures = usage_of(list(found.values()))
            return {str(how): figures[each] for how, each in found.items()}

        assert asked(0, 48) == {
            "count": 4, "sum": 14, "max": 10, "last": 2, "unique": 3,
            # 3 over 48 h, -1 over 41 h, 10 over 18 h, 2 over 36 s
            "weighted_sum": Decimal("5.89625"),
        }  # fmt: skip
        assert asked(48, 72) == {
            "count": 2, "sum": Decimal("3.5"), "max": Decimal("2.5"), "last": 1, "unique": 2,
            "weighted_sum": Decimal("16.533333333333"),  # 14 from before, 2.5 over all 24 h, 1 over 0.8 h
        }  # fmt: skip
        assert asked(7, 30)["count"] == 1
        assert asked(7.0001, 7.0002) == {
            "count": 0, "sum": 0, "max": 0, "last": 0, "unique": 0, "weighted_sum": 2
        }  # fmt: skip
        assert asked(29.9, 48.0001) == {
            "count": 3, "sum": Decimal("14.5"), "max": 10, "last": Decimal("2.5"), "unique": 3,
            "weighted_sum": asked(29.9, 48.0001)["weighted_sum"],
        }  # fmt: skip


def test_ids_are_locked_in_their_own_order(acorn: Scope, sub: Subscription) -> None:
    """Whatever order they were sent in: else two senders of the same events would wait for each other."""
    with work():
        gb = meter("sum")
        send(*(said(gb, sub, name) for name in ("b", "é", "a", "B", "c")))
        assert list(UsageKey.objects.order_by("id").values_list("transaction_id", flat=True)) == sorted(
            "béaBc"
        )


def test_what_comes_late_into_a_bucket_is_not_its_last(acorn: Scope, sub: Subscription) -> None:
    slot = (clock.now() - DAY).replace(minute=0, second=0, microsecond=0)
    with work():
        level = meter("last")
        for minutes, name in ((9, "b"), (3, "z"), (9, "a"), (8.9, "zz")):
            send(
                said(
                    level,
                    sub,
                    name,
                    amount=str(minutes) + str(len(name)),
                    at=slot + timedelta(minutes=minutes),
                )
            )
        assert used(level, sub, slot, slot + timedelta(minutes=15)) == 91
        send(said(level, sub, "c", amount="5", at=slot + timedelta(minutes=9)))
        assert used(level, sub, slot, slot + timedelta(minutes=15)) == used(level, sub) == 5


def test_a_key_seen_before_and_after_within_a_day_is_not_seen_between(
    acorn: Scope, sub: Subscription
) -> None:
    noon = (clock.now() - DAY).replace(hour=12, minute=0, second=0, microsecond=0)
    with work():
        seats = meter("unique", field="who")
        send(*(said(seats, sub, who="x", at=noon + timedelta(hours=h)) for h in (-2, 2)))
        assert used(seats, sub, noon - timedelta(hours=1), noon + timedelta(hours=1)) == 0
        send(said(seats, sub, who="x", at=noon), said(seats, sub, who="y", at=noon))
        assert used(seats, sub, noon - timedelta(hours=1), noon + timedelta(hours=1)) == 2
        assert used(seats, sub, noon, noon + timedelta(seconds=1)) == 2
        assert used(seats, sub, noon + timedelta(seconds=1), noon + timedelta(hours=1)) == 0


def test_groups_are_counted_apart(acorn: Scope, sub: Subscription) -> None:
    """Peers: the same item in two groups counts in each."""
    with work():
        seats = meter("unique", field="item", group_by=["region", "tier"])
        send(
            said(seats, sub, item="001", region="08", tier=1),
            said(seats, sub, item="001", region="06", tier=1),
            said(seats, sub, item="002", region="06", tier=1),
        )
        now = clock.now()
        asked = Asked(sub.pk, seats.pk, now - DAY, now + DAY)
        assert usage_of([asked])[asked] == 3
        assert usage_by_group([asked])[asked] == {("06", "1"): 2, ("08", "1"): 1}
        refused = send(
            said(seats, sub, item="1", region="x"), said(seats, sub, item="1", region="x" * 101, tier="1")
        )
        assert [list(each.problems) for each in refused] == [["properties/tier"], ["properties/region"]]


def test_a_seat_that_is_added_and_removed(acorn: Scope, sub: Subscription) -> None:
    """Peers hold one seat, none, one again; as a level of changes, and by the ids that occurred."""
    with work():
        held, seen = meter("sum"), meter("unique", field="seat")
        found = []
        for hours, change, seat in ((90, "1", "seat_1"), (20, "-1", "seat_1"), (19, "1", "seat_2")):
            send(
                said(held, sub, amount=change, at=hours_ago(hours)),
                said(seen, sub, seat=seat, at=hours_ago(hours)),
            )
            found.append((used(held, sub), used(seen, sub)))
        assert found == [(1, 1), (0, 1), (1, 2)]


def test_a_void_takes_back_what_the_event_came_to(acorn: Scope, sub: Subscription) -> None:
    hour = (clock.now() - DAY).replace(minute=0, second=0, microsecond=0)
    with work():
        meters = [meter(how) for how in ("count", "sum", "max", "last", "weighted_sum")]
        keyed = meter("unique", field="who")
        for n, amount in enumerate(["2", "9", "4"]):
            when = hour + timedelta(minutes=n)
            send(*(said(each, sub, f"{each.code}/{n}", amount=amount, at=when) for each in meters))
            send(said(keyed, sub, f"{keyed.code}/{n}", who=amount, at=when))
        names = [f"{each.code}/{n}" for each in [*meters, keyed] for n in (1, 2)]
        answers = void([*names, "nobody", names[0]], why="sent by mistake")
        assert [str(each.status) for each in answers] == ["voided"] * 12 + ["failed", "unchanged"]
        assert [str(each.status) for each in void(names[:1])] == ["unchanged"]
        for each in [*meters, keyed]:
            end = hour + timedelta(hours=1)
            assert used(each, sub, hour, end) == (1 if each.aggregation in {"count", "unique"} else 2)
        void([f"{each.code}/0" for each in [*meters, keyed]])
        assert {used(each, sub) for each in [*meters, keyed]} == {0}
        assert statuses(send(said(meters[1], sub, names[0]))) == ["duplicate"]
        assert not UsageBucket.objects.exclude(
            count=0, total=0, area=0, most=None, last=None, last_at=None
        ).exists()


def test_an_event_takes_the_place_of_another(acorn: Scope, sub: Subscription) -> None:
    with work():
        gb = meter("sum", late_days=2)
        send(said(gb, sub, "old", amount="5"), said(gb, sub, "lone", amount="1"))
        swap = said(gb, sub, "new", amount="3", replaces="old")
        assert statuses(send(swap)) == ["created"]
        assert statuses(send(swap, swap)) == ["duplicate", "duplicate"]
        assert used(gb, sub) == 4
        answers = send(
            said(gb, sub, "n1", replaces="old"),
            said(gb, sub, "n2", replaces="none"),
            said(gb, sub, "n3", amount="2", replaces="lone"),
            said(gb, sub, "n4", replaces="lone"),
        )
        assert statuses(answers) == ["failed", "failed", "created", "failed"]
        assert used(gb, sub) == 5


def test_what_is_older_than_events_may_come_stays(acorn: Scope, sub: Subscription) -> None:
    with work():
        gb = meter("sum", late_days=2)
        send(said(gb, sub, "old", at=hours_ago(40)))
        assert str(void(["old"])[0].status) == "voided"
        send(said(gb, sub, "older", at=hours_ago(47.99)))
        from core.scope import acting, enter

    with enter(acting(clock_offset=timedelta(hours=1))), work():
        answer = void(["older"])[0]
        assert str(answer.status) == "failed"
        assert "closed" in answer.problems["transaction_id"]
        assert used(gb, sub) == 1


def test_single_values_come_in_the_order_of_time(acorn: Scope, sub: Subscription) -> None:
    with work():
        gb = meter("sum")
        send(*(said(gb, sub, f"t{n}", amount=str(n), at=hours_ago(n)) for n in (3, 1, 2, 5)))
        void(["t2"])
        asked = Asked(sub.pk, gb.pk, hours_ago(4), hours_ago(0))
        other = Asked(sub.pk, gb.pk, hours_ago(6), hours_ago(4))
        with CaptureQueriesContext(connection) as queries:
            assert values_of([asked, other]) == {asked: (3, 1), other: (5,)}
        assert len(queries) == 1
        assert values_of([asked, other], limit=1) == {other: (5,)}, "what is too much is not said"


def test_as_many_statements_for_many_as_for_few(acorn: Scope, sub: Subscription) -> None:
    with work():
        gb, seats = meter("sum"), meter("unique")

        def statements(n: int) -> int:
            events = [said(one, sub, at=hours_ago(i)) for i in range(n) for one in (gb, seats)]
            with CaptureQueriesContext(connection) as seen:
                send(*events)
            return len(seen)

        statements(1)
        assert statements(2) == statements(200)
        asked = [
            Asked(sub.pk, one.pk, hours_ago(n + 1.3), hours_ago(n / 7))
            for n in range(50)
            for one in (gb, seats)
        ]
        for n in (2, 100):
            with CaptureQueriesContext(connection) as seen:
                usage_of(asked[:n])
            assert len(seen) == 4


def test_a_month_that_has_no_place_yet_is_made(acorn: Scope, sub: Subscription) -> None:
    from core.scope import acting, enter

    far = datetime(2041, 7, 31, 23, 59, tzinfo=UTC)
    with enter(acting(clock_offset=far - clock.wall())), work():
        gb = meter("sum")
        assert (
            statuses(send(said(gb, sub, at=far), said(gb, sub, at=far + timedelta(minutes=1))))
            == ["created"] * 2
        )
        assert used(gb, sub) == 2
        assert make_months([far]) == 0
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT has_table_privilege('billing_usageevent_2041_07', 'SELECT, INSERT, UPDATE, DELETE')"
            )
            assert cursor.fetchone() == (False,)


def test_meters_are_checked(acorn: Scope) -> None:
    with work():
        kept = meter("sum", code="gb")
        with pytest.raises(CodeTaken):
            meter("count", code="gb")
        for wrong in (
            {"code": "mtr_1"},
            {"code": "GB"},
            {"name": " "},
            {"aggregation": "average"},
            {"aggregation": "count", "field": "x"},
            {"field": ""},
            {"field": "a b"},
            {"group_by": ["a", "b", "c", "d"]},
            {"group_by": ["a", "a"]},
            {"group_by": ["a b"]},
            {"late_days": 0},
            {"late_days": 401},
        ):
            with pytest.raises(Invalid) as refused:
                meter(**{"how": "sum", **{("how" if k == "aggregation" else k): v for k, v in wrong.items()}})
            assert list(refused.value.fields) == [list(wrong)[-1]], wrong
        assert archive_meter(kept.public_id).archived_at == archive_meter(kept.public_id).archived_at


def test_series_are_shared(acorn: Scope, sub: Subscription) -> None:
    with work():
        gb = meter("sum", group_by=["region"])
        for _ in range(3):
            send(said(gb, sub, region="eu"), said(gb, sub, region="us"))
        assert UsageSeries.objects.count() == 2
        assert used(gb, sub, at("1990-01-01"), at("1990-01-02")) == 0

"""Several at once: what two senders bring counts once, and a void never misses what is being written."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import time_machine
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.domain.usage import Aggregation, Reading, counted
from billing.models import Meter, Subscription, UsageEvent
from billing.services.usage_voids import void
from core import clock
from core.books import verify
from core.scope import Scope, enter, work
from tests import factories
from tests.metering import hours_ago, meter, said, send, statuses, used


@pytest.fixture
def furnished(committed_acorn: Scope) -> tuple[Subscription, Meter]:
    with work():
        return factories.subscription(factories.customer(), factories.DAY), meter("sum")


def at_once(scope: Scope, *jobs: Callable[[], Any]) -> list[Any]:
    """Each in a thread and a connection of its own, begun together."""
    together = Barrier(len(jobs))

    def run(job: Callable[[], Any]) -> Any:
        try:
            with enter(scope):
                together.wait()
                with work():
                    return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def test_two_senders_of_the_same_events_in_other_orders(
    committed_acorn: Scope, furnished: tuple[Subscription, Meter]
) -> None:
    sub, gb = furnished
    with work():
        send(said(gb, sub, "first", amount="0"))  # else they would wait for whoever makes the series
    with work():
        events = [said(gb, sub, f"t{n}", amount=str(n), at=hours_ago(n / 3)) for n in range(300)]
    shuffled = [random.Random(n).sample(events, len(events)) for n in range(4)]
    answers = at_once(committed_acorn, *(lambda mine=mine: send(*mine) for mine in shuffled))
    made = [status for each in answers for status in statuses(each)]
    assert made.count("created") == 300
    assert made.count("duplicate") == 900
    with work():
        assert used(gb, sub) == sum(range(300))
        assert UsageEvent.objects.count() == 301


@contextmanager
def open_elsewhere(scope: Scope, job: Callable[[], Any]) -> Iterator[None]:
    """The job done in another connection whose transaction stays open until the block ends."""
    began, may_end = Barrier(2), Barrier(2)

    def run() -> None:
        try:
            with enter(scope), work():
                job()
                began.wait(20)
                may_end.wait(20)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(run)
        began.wait(20)
        try:
            yield
        finally:
            may_end.wait(20)
            done.result()


@pytest.mark.parametrize("by", ["void", "replacement"])
def test_a_void_waits_for_what_is_being_written(
    committed_acorn: Scope, furnished: tuple[Subscription, Meter], by: str
) -> None:
    """Both in one slot: a recount that missed the open one would forget the largest value."""
    sub, _ = furnished
    with work():
        most = meter("max")
        when = hours_ago(5)
        send(said(most, sub, "small", amount="1", at=when), said(most, sub, "wrong", amount="7", at=when))
        right = said(most, sub, "right", amount="2", at=hours_ago(60), replaces="wrong")
    with ThreadPoolExecutor(1) as pool:

        def take_back() -> None:
            try:
                with enter(committed_acorn), work():
                    void(["wrong"]) if by == "void" else send(right)
            finally:
                connection.close()

        with open_elsewhere(committed_acorn, lambda: send(said(most, sub, "large", amount="5", at=when))):
            waiting = pool.submit(take_back)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.5)
        waiting.result()
    with work():
        assert used(most, sub) == 5


def test_voids_and_events_at_once_leave_buckets_that_hold(
    committed_acorn: Scope, furnished: tuple[Subscription, Meter]
) -> None:
    sub, gb = furnished
    with work():
        other = meter("unique")
        for one in (gb, other):
            send(
                *(
                    said(one, sub, f"{one.code}-{n}", amount=str(n % 7), at=hours_ago(n / 9))
                    for n in range(60)
                )
            )

    def more(start: int) -> Callable[[], Any]:
        events = [
            said(one, sub, f"m{start}-{one.code}-{n}", at=clock.now() - timedelta(minutes=n))
            for n in range(60)
            for one in (gb, other)
        ]
        return lambda: send(*events)

    def fewer(names: list[str]) -> Callable[[], Any]:
        return lambda: void(names)

    names = [f"{one.code}-{n}" for n in range(0, 60, 2) for one in (gb, other)]
    with work():
        jobs = [more(1), fewer(names), more(2), fewer(names[::-1])]
    answers = at_once(committed_acorn, *jobs)
    outcomes = sorted(str(each.status) for place in (1, 3) for each in answers[place])
    assert outcomes == ["unchanged"] * 60 + ["voided"] * 60
    with work():
        assert verify() == []


steps = st.lists(
    st.tuples(
        st.sampled_from(["send", "send", "send", "void", "replace"]),
        st.integers(0, 14),  # which transaction id
        st.integers(
            -36 * 24 * 4, 5
        ),  # when, in quarters of an hour from now; also too late and too far ahead
        st.decimals("-50", "50", places=12),
        st.sampled_from("xyz"),
    ),
    max_size=40,
)


@given(steps, st.integers(1, 7))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_comes_the_figures_are_those_of_the_events_that_stand(
    acorn: Scope, life: Any, batch: int
) -> None:
    """Duplicates, voids, replacements, late and early ones, in batches of any size, against a plain list."""
    now = clock.now()  # stands still: what comes just in time would be too early or late a second later
    with time_machine.travel(now, tick=False), work():
        sub = factories.subscription(factories.customer(), factories.DAY)
        meters = [
            meter(how, field="" if how == "count" else "who" if how == "unique" else "amount")
            for how in Aggregation
        ]
        standing: dict[str, Reading] = {}
        taken: set[str] = set()
        run = str(now.timestamp())

        def believe(name: str, when: Any, value: Any, key: str, replaces: str = "") -> None:
            fits = now - timedelta(days=35) <= when <= now + timedelta(hours=1)
            if name in taken or not fits or (replaces and replaces not in standing):
                return
            taken.add(name)
            standing.pop(replaces, None)
            standing[name] = Reading(when, value, name, key)

        for start in range(0, len(life), batch):
            for what, which, quarters, value, key in life[start : start + batch]:
                name, when = f"{run}-{which}", now + timedelta(minutes=15 * quarters, seconds=1)
                if what == "void":
                    for each in meters:
                        void([f"{each.code}:{name}"])
                    standing.pop(name, None)
                    continue
                target = f"{run}-{(which + 1) % 15}" if what == "replace" else ""
                for each in meters:
                    send(
                        said(
                            each, sub, f"{each.code}:{name}", at=when, amount=f"{value:f}", who=key,
                            replaces=f"{each.code}:{target}" if target else "",
                        )
                    )  # fmt: skip
                believe(name, when, value, key, target)
        for since, until in ((-40, 2), (-20, -3.123), (-1.01, 0.3)):
            period = now + timedelta(days=since), now + timedelta(days=until)
            for each in meters:
                how = Aggregation(each.aggregation)
                group = [
                    Reading(
                        r.at, r.value if how is not Aggregation.COUNT else 1, f"{each.code}:{r.name}", r.key
                    )
                    for r in standing.values()
                ]
                assert used(each, sub, *period) == counted(how, [group], *period), how
        assert verify() == []

"""Effects: written once, run under a lease outside transactions, tried again, parked."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection

from core import clock, effects, registry
from core import scope as scopes
from core.models import Effect, Job
from core.scope import Scope, enter, inside_work, work

Install = Callable[[Callable[[Any], None]], None]


@pytest.fixture
def effect(monkeypatch: pytest.MonkeyPatch) -> Install:
    monkeypatch.setattr("core.tasks.wake", lambda kind: None)
    return lambda run: monkeypatch.setitem(registry.effects, "test", run)


def due(*keys: str, **given: Any) -> None:
    with work():
        effects.due("test", [(key, {"to": key}) for key in keys], **given)


def row(key: str = "a") -> Effect:
    with work():
        found: Effect = Effect.objects.get(key=key)
        return found


def test_an_effect_runs_once_outside_work(acorn: Scope, effect: Install) -> None:
    ran: list[tuple[str, bool]] = []
    effect(lambda e: ran.append((e.payload["to"], inside_work())))
    due("a", "b")
    due("a")
    for _ in range(3):
        effects.work_off([])
    assert ran == [("a", False), ("b", False)]
    due("a")
    effects.work_off([])
    assert len(ran) == 2, "a key that was done stays done"


def test_of_two_workers_each_effect_runs_in_one(committed_acorn: Scope, effect: Install) -> None:
    ran: list[str] = []
    effect(lambda e: ran.append(e.key))
    due(*"abcdefgh")
    barrier = threading.Barrier(4)

    def run() -> None:
        try:
            barrier.wait()
            with scopes.enter(committed_acorn):
                effects.work_off([])
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ran) == list("abcdefgh")


class Killed(BaseException):
    pass


def kill(_: Any) -> None:
    raise Killed


def test_what_a_killed_worker_had_is_run_again_when_its_lease_is_over(acorn: Scope, effect: Install) -> None:
    effect(kill)
    due("a")
    with time_machine.travel(clock.wall(), tick=False) as now:
        with pytest.raises(Killed):
            effects.work_off([])
        ran: list[str] = []
        effect(lambda e: ran.append(e.key))
        effects.work_off([])
        assert ran == []
        now.shift(effects.LEASE)
        effects.work_off([])
    assert ran == ["a"]


def test_an_effect_that_kills_its_worker_every_time_is_parked(acorn: Scope, effect: Install) -> None:
    ran: list[str] = []
    effect(lambda e: ran.append(e.key) if e.key == "neighbour" else kill(e))
    due("a", "neighbour")
    with time_machine.travel(clock.wall(), tick=False) as now:
        for _ in range(effects.PARK_AFTER):
            with pytest.raises(Killed):
                effects.work_off([])
            now.shift(effects.LEASE)
        effects.work_off([])
    assert row().parked_at
    assert row().last_error
    assert ran == ["neighbour"]


def test_a_failure_waits_is_tried_again_and_is_parked(acorn: Scope, effect: Install) -> None:
    tries: list[str] = []

    def fail(e: Any) -> None:
        tries.append(e.key)
        raise ValueError("no")

    effect(fail)
    due("a")
    with time_machine.travel(clock.wall(), tick=False) as now:
        effects.work_off([])
        effects.work_off([])
        assert len(tries) == 1
        for _ in range(effects.PARK_AFTER + 2):
            now.shift(timedelta(hours=2))
            effects.work_off([])
    assert len(tries) == effects.PARK_AFTER
    assert row().attempts == effects.PARK_AFTER
    assert row().parked_at
    assert row().last_error == "ValueError: no"


def test_later_is_no_failure(acorn: Scope, effect: Install) -> None:
    with time_machine.travel(clock.wall(), tick=False) as now:
        at = clock.wall() + timedelta(days=1)

        def later(e: Any) -> None:
            raise effects.Later(at)

        effect(later)
        due("a")
        for _ in range(effects.PARK_AFTER + 1):
            effects.work_off([])
        assert (row().attempts, row().due_at, row().lease_until, row().parked_at) == (0, at, None, None)
        ran: list[str] = []
        effect(lambda e: ran.append(e.key))
        now.shift(timedelta(days=1))
        effects.work_off([])
        assert ran == ["a"]


def test_an_effect_of_tomorrow_is_not_run_today(acorn: Scope, effect: Install) -> None:
    effect(kill)
    due("a", at=clock.wall() + timedelta(days=1))
    effects.work_off([])
    assert row().attempts == 0


def test_an_effect_nobody_knows_is_parked_not_lost(acorn: Scope, effect: Install) -> None:
    with work():
        effects.due("unknown", [("a", {})])
    effects.work_off([])
    assert row().last_error.startswith("KeyError")


def test_one_failure_does_not_stop_the_next(acorn: Scope, effect: Install) -> None:
    ran: list[str] = []

    def run(e: Any) -> None:
        if e.key == "a":
            raise ValueError
        with work():
            Job.objects.create(kind=e.key)
        ran.append(e.key)

    effect(run)
    due("a", "b")
    effects.work_off([])
    assert ran == ["b"]


def test_a_worker_stops_after_its_share_of_time_and_leaves_the_rest_free(
    acorn: Scope, effect: Install
) -> None:
    """Else the time limit would kill a charge in the middle, and the rest would wait for the lease."""
    ran: list[str] = []
    with time_machine.travel(clock.wall(), tick=False) as now:
        effect(lambda e: (ran.append(e.key), now.shift(effects.SHIFT)))  # type: ignore[arg-type,func-returns-value]
        due("a", "b", "c")
        effects.work_off([])
        assert ran == ["a"]
        effects.work_off([])
        assert ran == ["a", "b"]
    assert row("c").attempts == 0


def test_effects_of_another_organization_are_left(acorn: Scope, birch: Scope, effect: Install) -> None:
    ran: list[str] = []
    effect(lambda e: ran.append(e.key))
    with enter(birch):
        due("theirs")
    effects.work_off([])
    assert ran == []


def test_a_key_belongs_to_its_organization(acorn: Scope, birch: Scope, effect: Install) -> None:
    ran: list[str] = []
    effect(lambda e: ran.append(e.key))
    for scope in (acorn, birch):
        with enter(scope):
            due("same")
            effects.work_off([])
    assert ran == ["same", "same"]


class TestGivenUp:
    """Whoever waits for an effect hears that it is tried no more, with the reason, in the same transaction."""

    @pytest.fixture
    def told(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
        heard: list[tuple[str, str]] = []
        monkeypatch.setitem(registry.given_up_by, "test", lambda e, why: heard.append((e.key, why)))
        return heard

    def test_after_the_last_failure(self, acorn: Scope, effect: Install, told: list[tuple[str, str]]) -> None:
        def fail(_: Any) -> None:
            raise ValueError("no token=abc")

        effect(fail)
        due("a")
        with time_machine.travel(clock.wall(), tick=False) as now:
            for n in range(effects.PARK_AFTER + 2):
                assert told == ([] if n < effects.PARK_AFTER else [("a", "ValueError: no …")])
                effects.work_off([])
                now.shift(timedelta(hours=2))
        assert len(told) == 1

    def test_after_its_workers_died(self, acorn: Scope, effect: Install, told: list[tuple[str, str]]) -> None:
        effect(kill)
        due("a")
        with time_machine.travel(clock.wall(), tick=False) as now:
            for _ in range(effects.PARK_AFTER):
                with pytest.raises(Killed):
                    effects.work_off([])
                now.shift(effects.LEASE)
            effects.work_off([])
        assert told == [("a", "The worker died at every try.")]

    def test_and_when_telling_fails_it_is_parked_all_the_same(
        self, acorn: Scope, effect: Install, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def deaf(_effect: Any, _why: str) -> None:
            Effect.objects.filter(pk=0).update(key=None)
            raise LookupError("nobody")

        monkeypatch.setitem(registry.given_up_by, "test", deaf)
        effect(lambda _: 1 / 0)
        due("a", "b")
        with work():
            Effect.objects.filter(key="b").update(attempts=effects.PARK_AFTER)
        with time_machine.travel(clock.wall(), tick=False) as now:
            for _ in range(effects.PARK_AFTER):
                effects.work_off([])
                now.shift(timedelta(hours=2))
        assert row().parked_at
        with work():
            assert not Effect.objects.filter(parked_at=None).exists()

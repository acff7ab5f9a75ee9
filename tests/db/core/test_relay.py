"""Events reach each handler exactly once, in order; a poisoned one delays nobody and ends where a person sees it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

import pytest
import time_machine
from django.db import connection

from core import clock, registry, relay
from core import scope as scopes
from core.events import Event, emit
from core.models import HandledEvent, Job, OutboxEvent
from core.scope import Scope, enter, work


@dataclass(frozen=True, slots=True)
class Rang(Event):
    name: ClassVar[str] = "test.rang"

    bell: str = ""
    on: date | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Fell(Event):
    name: ClassVar[str] = "test.fell"


Install = Callable[..., None]


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Install:
    """handler(run, event=Rang): the only handler of the event, for the test."""

    def install(
        run: Callable[[list[Any]], None], event: type[Event] = Rang, name: str = "test.handler"
    ) -> None:
        known = registry.handlers.get(event.name, [])
        monkeypatch.setitem(registry.handlers, event.name, [*known, registry.Handler(name, event.name, run)])

    return install


@pytest.fixture(autouse=True)
def silence(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("core.tasks.wake", lambda kind: None)
    return


def ring(*bells: str) -> None:
    with work():
        emit(*(Rang("job_1", n, bell) for n, bell in enumerate(bells, 1)))


def note(rows: list[Any]) -> None:
    Job.objects.bulk_create(Job(kind=row.payload["bell"]) for row in rows)


def noted() -> list[str]:
    with work():
        return list(Job.objects.order_by("id").values_list("kind", flat=True))


def test_each_event_is_handled_once_and_in_order(acorn: Scope, handler: Install) -> None:
    handler(note)
    ring("a", "b", "c")
    for _ in range(3):
        relay.relay([])
    assert noted() == ["a", "b", "c"]
    with work():
        assert not OutboxEvent.objects.filter(relayed_at=None).exists()
        assert HandledEvent.objects.count() == 3


def test_an_event_told_again_finds_that_it_was_handled(acorn: Scope, handler: Install) -> None:
    handler(note)
    ring("a", "b")
    relay.relay([])
    with work():
        OutboxEvent.objects.update(relayed_at=None)
        emit(Rang("job_1", 3, "c"))
    relay.relay([])
    assert noted() == ["a", "b", "c"]


def test_a_handler_added_later_gets_what_is_told_again_and_the_first_does_not(
    acorn: Scope, handler: Install
) -> None:
    handler(note)
    ring("a")
    relay.relay([])
    late: list[str] = []
    handler(lambda rows: late.extend(row.payload["bell"] for row in rows), name="test.late")
    with work():
        OutboxEvent.objects.update(relayed_at=None)
    relay.relay([])
    assert (noted(), late) == (["a"], ["a"])


def test_order_is_kept_across_names(acorn: Scope, handler: Install) -> None:
    seen: list[tuple[str, int]] = []
    for event in (Rang, Fell):
        handler(lambda rows: seen.extend((row.name, row.object_version) for row in rows), event=event)
    with work():
        emit(Rang("x", 1), Fell("x", 2), Fell("x", 3), Rang("x", 4))
    relay.relay([])
    assert [version for _, version in seen] == [1, 2, 3, 4]


def test_an_event_without_handlers_is_done(acorn: Scope) -> None:
    ring("a")
    relay.relay([])
    with work():
        assert OutboxEvent.objects.get().relayed_at


def test_what_a_handler_emits_is_relayed_too(acorn: Scope, handler: Install) -> None:
    handler(lambda rows: emit(*(Fell(row.object_public_id, 9) for row in rows)))
    fallen: list[int] = []
    handler(lambda rows: fallen.extend(row.object_version for row in rows), event=Fell)
    ring("a")
    relay.relay([])
    assert fallen == [9]


def poison(rows: list[Any]) -> None:
    note(rows)
    if any(row.payload["bell"] == "bad" for row in rows):
        raise ValueError("poisoned")


def test_a_poisoned_event_alone_is_parked_and_leaves_nothing_behind(acorn: Scope, handler: Install) -> None:
    handler(poison)
    ring("a", "bad", "b")
    with time_machine.travel(clock.wall(), tick=False) as now:
        for _ in range(relay.PARK_AFTER + 3):
            relay.relay([])
            now.shift(timedelta(hours=2))
    assert noted() == ["a", "b"]
    with work():
        bad = OutboxEvent.objects.get(payload__bell="bad")
        assert (bad.attempts, bad.relayed_at) == (relay.PARK_AFTER, None)
        assert bad.parked_at
        assert bad.last_error == "ValueError: poisoned"
        news = OutboxEvent.objects.filter(name="work.parked")  # that it is parked is told, once
        assert [row.object_public_id for row in news] == [f"event_{bad.pk}"]
        assert HandledEvent.objects.exclude(event__in=news).count() == 2


def test_a_failed_event_waits_before_the_next_try(acorn: Scope, handler: Install) -> None:
    tries: list[int] = []

    def fail(rows: list[Any]) -> None:
        tries.append(len(rows))
        raise ValueError

    handler(fail)
    ring("bad")
    relay.relay([])
    before = len(tries)
    relay.relay([])
    assert len(tries) == before


def test_a_batch_of_nothing_but_poison_ends(acorn: Scope, handler: Install, monkeypatch: Any) -> None:
    monkeypatch.setattr(relay, "BATCH", 2)
    handler(poison)
    ring("bad", "bad", "bad", "a")
    for _ in range(4):
        relay.relay([])
    assert noted() == ["a"]


def test_a_handler_that_breaks_the_transaction_is_undone_as_a_whole(acorn: Scope, handler: Install) -> None:
    def break_it(rows: list[Any]) -> None:
        note(rows)
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1/0")

    handler(break_it)
    ring("a")
    relay.relay([])
    assert noted() == []
    with work():
        assert OutboxEvent.objects.get().attempts == 1


class Killed(BaseException):
    """Stands for a worker that is killed: nothing is caught, nothing more is written."""


def test_a_crash_between_handler_and_commit_leaves_neither(committed_acorn: Scope, handler: Install) -> None:
    def die(rows: list[Any]) -> None:
        note(rows)
        raise Killed

    handler(die)
    ring("a")
    with pytest.raises(Killed):
        relay.relay([])
    assert noted() == []
    with work():
        assert not HandledEvent.objects.exists()
        event = OutboxEvent.objects.get()
        assert (event.relayed_at, event.attempts) == (None, 1)


def test_an_event_that_kills_its_worker_is_parked_and_its_neighbours_are_told(
    committed_acorn: Scope, handler: Install
) -> None:
    deaths: list[int] = []

    def kill(rows: list[Any]) -> None:
        note(rows)
        if any(row.payload["bell"] == "bad" for row in rows):
            deaths.append(len(rows))
            raise Killed

    handler(kill)
    ring("a", "bad", "b")
    with time_machine.travel(clock.wall(), tick=False) as now:
        for _ in range(relay.PARK_AFTER + 3):
            with suppress(Killed):
                relay.relay([])
            now.shift(timedelta(hours=2))
    assert deaths == [3, *[1] * (relay.PARK_AFTER - 1)]
    assert sorted(noted()) == ["a", "b"]
    with work():
        bad = OutboxEvent.objects.get(payload__bell="bad")
        assert bad.parked_at
        assert (bad.attempts, bad.relayed_at) == (relay.PARK_AFTER, None)
        assert bad.last_error == "The worker died at every try."


def test_what_was_begun_is_nobody_elses_for_a_while(committed_acorn: Scope, handler: Install) -> None:
    seen: list[str] = []

    def look(rows: list[Any]) -> None:
        note(rows)
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()

    def other() -> None:
        try:
            with scopes.enter(committed_acorn):
                relay.relay([])
                seen.extend(noted())
        finally:
            connection.close()

    handler(look)
    ring("a", "b")
    relay.relay([])
    assert seen == []
    assert noted() == ["a", "b"]


def test_two_relays_at_once_handle_each_event_once(committed_acorn: Scope, handler: Install) -> None:
    handler(note)
    ring(*"abcdefghij")
    barrier = threading.Barrier(4)

    def run() -> None:
        try:
            barrier.wait()
            with scopes.enter(committed_acorn):
                relay.relay([])
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(noted()) == list("abcdefghij")


def test_one_organizations_relay_leaves_the_others_events(
    acorn: Scope, birch: Scope, handler: Install
) -> None:
    handler(note)
    with enter(birch):
        ring("theirs")
    ring("mine")
    relay.relay([])
    assert noted() == ["mine"]


def test_a_relay_stops_after_its_share_of_time(acorn: Scope, handler: Install, monkeypatch: Any) -> None:
    """Else one busy organization keeps a worker until its time limit kills a handler in the middle."""
    monkeypatch.setattr(relay, "BATCH", 1)
    with time_machine.travel(clock.wall(), tick=False) as now:
        handler(lambda rows: (note(rows), now.shift(relay.SHIFT)))  # type: ignore[arg-type,func-returns-value]
        ring("a", "b", "c")
        relay.relay([])
        assert noted() == ["a"]


# ---------------------------------------------------------------------------------------------------- events


def test_an_event_comes_back_as_it_was_emitted(acorn: Scope) -> None:
    event = Rang(
        "job_1", 3, "ding – ü\t", on=date(2026, 2, 28), at=datetime(2026, 2, 28, 23, 59, 59, 5, tzinfo=UTC)
    )
    with work():
        emit(event)
        row = OutboxEvent.objects.get()
    assert Rang.of(row) == event
    assert row.public_id.startswith("evt_")
    assert (row.name, row.object_public_id, row.object_version) == ("test.rang", "job_1", 3)


@pytest.mark.parametrize("many", [20, 21, 500])
def test_many_events_at_once_are_kept_as_they_were_emitted_and_in_order(acorn: Scope, many: int) -> None:
    day = datetime(2026, 2, 28, 23, 59, 59, 5, tzinfo=UTC)
    events = [
        Rang("job_1", n, f'ding\t\\{n}\n"ü', on=date(2026, 2, 28) if n % 2 else None, at=day)
        for n in range(1, many + 1)
    ]
    with work():
        emit(*events)
        rows = list(OutboxEvent.objects.order_by("id"))
    assert [Rang.of(row) for row in rows] == events
    assert len({row.public_id for row in rows}) == many
    assert {(row.name, row.attempts, row.place, row.next_attempt_at == row.occurred_at) for row in rows} == {
        ("test.rang", 0, None, True)
    }


def test_fields_of_a_newer_writer_are_ignored(acorn: Scope) -> None:
    with work():
        emit(Rang("job_1", 1, "x"))
        row = OutboxEvent.objects.get()
        row.payload["new"] = 1
    assert Rang.of(row) == Rang("job_1", 1, "x")


def test_an_event_of_a_failed_transaction_was_never_there(acorn: Scope) -> None:
    def fail() -> None:
        emit(Rang("job_1", 1))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), work():
        fail()
    with work():
        assert not OutboxEvent.objects.exists()


def test_emitting_outside_work_is_refused(acorn: Scope) -> None:
    from django.db import DatabaseError, transaction

    with pytest.raises(DatabaseError), transaction.atomic():
        emit(Rang("job_1", 1))

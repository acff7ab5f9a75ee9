"""Events by API: a consumer that keeps the id of the last one misses nothing and gets nothing twice."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import quote

import pytest
import time_machine
from django.db import connection

from core import clock, registry, relay
from core.events import Event, emit
from core.models import OutboxEvent
from core.scope import Scope, enter, work
from tests import factories
from tests.conftest import seat
from tests.db.api.conftest import Program, key_of, pointers, said, same_refusal, statements


@dataclass(frozen=True, slots=True)
class Rang(Event):
    name: ClassVar[str] = "test.rang"

    bell: str = ""


@dataclass(frozen=True, slots=True)
class Fell(Event):
    name: ClassVar[str] = "test.fell"


@pytest.fixture(autouse=True)
def silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.tasks.wake", lambda kind: None)


@contextmanager
def inside(house: Scope) -> Iterator[None]:
    with enter(house), work():
        yield


def ring(house: Scope, *bells: str, about: str = "job_1") -> None:
    with inside(house):
        emit(*(Rang(about, n, bell) for n, bell in enumerate(bells, 1)))


def told(house: Scope) -> None:
    with enter(house):
        relay.relay([])


@dataclass
class Consumer:
    """Reads what is new and remembers where it stands."""

    program: Program
    after: str = ""
    limit: int = 100

    def __call__(self) -> list[str]:
        start = f"&after={self.after}" if self.after else ""
        path = f"/events?limit={self.limit}{start}"
        seen: list[dict[str, Any]] = []
        while path:
            page = self.program.get(path)
            seen += page["data"]
            path = page["next"]
        if seen:
            self.after = seen[-1]["id"]
        return [each["data"].get("bell", each["name"]) for each in seen]


def test_a_consumer_catches_up_without_missing_or_doubling(api: Program, house: Scope) -> None:
    told(house)
    consumer = Consumer(api, limit=2)
    consumer()
    ring(house, *"abcde")
    assert consumer() == []
    told(house)
    assert consumer() == list("abcde")
    assert consumer() == []
    ring(house, "f")
    told(house)
    assert consumer() == ["f"]


def test_an_event_says_what_happened(api: Program, house: Scope) -> None:
    with inside(house):
        owner = factories.customer()
        factories.payment(owner, 1_000)
    told(house)
    event = api.get("/events?name=payment.received")["data"][0]
    assert event["data"]["customer"] == owner.public_id
    assert (event["data"]["minor"], event["about_version"], event["schema_version"]) == (1_000, 1, 1)
    assert api.get(f"/payments/{event['about']}")["amount_minor"] == 1_000
    assert api.get(f"/events/{event['id']}") == event


def test_one_that_commits_late_comes_behind_and_is_not_missed(committed: dict[str, str]) -> None:
    """The id of the first is smaller, but it becomes visible after the second was read."""
    ana = seat("acorn", "ana@acorn.example")
    program = Program(key_of(ana))
    told(ana)
    consumer, later = Consumer(program), Consumer(program)
    consumer()
    later()
    drawn, read = threading.Event(), threading.Event()

    def slow() -> None:
        try:
            with enter(ana), work():
                emit(Rang("job_1", 1, "slow"))
                drawn.set()
                assert read.wait(30)
        finally:
            connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert drawn.wait(30)
    ring(ana, "quick")
    told(ana)
    assert consumer() == ["quick"]
    read.set()
    thread.join()
    told(ana)
    with inside(ana):
        slow_id, quick_id = (OutboxEvent.objects.get(payload__bell=bell).pk for bell in ("slow", "quick"))
    assert slow_id < quick_id
    assert consumer() == ["slow"]
    assert later() == ["quick", "slow"]
    assert consumer() == later() == []


def test_places_are_given_by_one_worker_at_a_time(committed: dict[str, str]) -> None:
    """While somebody gives places and has not committed, nobody else does, and nobody waits."""
    ana = seat("acorn", "ana@acorn.example")
    told(ana)
    ring(ana, "first")
    given, seen = threading.Event(), threading.Event()

    def give() -> None:
        try:
            with enter(ana), work():
                relay._place()
                given.set()
                assert seen.wait(30)
        finally:
            connection.close()

    thread = threading.Thread(target=give)
    thread.start()
    assert given.wait(30)
    ring(ana, "second")
    told(ana)
    with inside(ana):
        assert OutboxEvent.objects.filter(payload__bell="second").get().place is None
    seen.set()
    thread.join()
    told(ana)
    with inside(ana):
        first, second = (OutboxEvent.objects.get(payload__bell=bell).place for bell in ("first", "second"))
    assert first + 1 == second


def test_places_have_no_gap_and_no_double_when_many_relay_at_once(committed: dict[str, str]) -> None:
    """Writers commit in any order while relays give places; every reader sees a beginning of one same list."""
    ana = seat("acorn", "ana@acorn.example")
    told(ana)
    with inside(ana):
        before = OutboxEvent.objects.count()
    seen: list[list[str]] = []
    stop = threading.Event()

    def write(name: str) -> None:
        try:
            for n in range(15):
                ring(ana, f"{name}{n}")
        finally:
            connection.close()

    def give() -> None:
        try:
            while not stop.is_set():
                told(ana)
        finally:
            connection.close()

    def look() -> None:
        try:
            while not stop.is_set():
                with inside(ana):
                    seen.append(
                        list(
                            OutboxEvent.objects.filter(place__isnull=False)
                            .order_by("place")
                            .values_list("public_id", flat=True)
                        )
                    )
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    others = [threading.Thread(target=each) for each in (give, give, look)]
    for thread in (*writers, *others):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    for thread in others:
        thread.join()
    told(ana)
    with inside(ana):
        rows = list(OutboxEvent.objects.order_by("place").values_list("place", "public_id"))
    assert [place for place, _ in rows] == list(range(1, before + 46))
    final = [public_id for _, public_id in rows]
    assert all(each == final[: len(each)] for each in seen)


def test_an_event_whose_handler_fails_is_shown_all_the_same(
    api: Program, house: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(rows: list[Any]) -> None:
        raise ValueError

    monkeypatch.setitem(registry.handlers, Rang.name, [registry.Handler("test", Rang.name, fail)])
    told(house)
    consumer = Consumer(api)
    consumer()
    ring(house, "bad")
    told(house)
    assert consumer() == ["bad"]


def test_events_are_found(api: Program, house: Scope) -> None:
    with time_machine.travel(clock.wall() - timedelta(days=3)):
        ring(house, "a", about="job_1")
    ring(house, "b", about="job_1")
    ring(house, "c", about="job_2")
    with inside(house):
        emit(Fell("job_1", 9))
    told(house)
    yesterday = quote((clock.now() - timedelta(days=1)).isoformat())
    for query, expected in (
        ("name=test.rang", 3),
        ("name=test.rung", 0),
        ("about=job_2", 1),
        ("about=job_1&name=test.fell", 1),
        (f"since={yesterday}&name=test.rang", 2),
    ):
        assert len(api.get(f"/events?{query}")["data"]) == expected
    for query, pointer in (
        ("after=evt_none", "/after"),
        ("after=%00", "/after"),
        ("since=yesterday", "/since"),
        ("since=2026-11-26T10:00:00", "/since"),
        ("since=9999-12-31T23:59:59-01:00", "/since"),
        ("until=x", "/until"),
    ):
        answer = api("GET", f"/events?{query}")
        assert (answer.status_code, pointers(answer)) == (422, [pointer])


def test_another_organizations_events_are_nobodys(
    api: Program, as_key: Callable[..., Program], house: Scope
) -> None:
    ring(house, "mine")
    told(house)
    event = api.get("/events?name=test.rang")["data"][0]["id"]
    bea = as_key("birch", "bea@birch.example")
    same_refusal(bea, "GET", f"/events/{event}", event)
    assert bea.get("/events?name=test.rang")["data"] == []
    answer = bea("GET", f"/events?after={event}")
    assert (answer.status_code, pointers(answer)) == (422, ["/after"])


def test_places_are_each_organizations_own(api: Program, house: Scope, birch: Scope) -> None:
    for scope in (house, birch, house):
        ring(scope, "x")
        told(scope)
    for scope in (house, birch):
        with inside(scope):
            places = list(OutboxEvent.objects.order_by("id").values_list("place", flat=True))
        assert places == list(range(1, len(places) + 1))


def test_events_need_their_right(as_key: Callable[..., Program], house: Scope) -> None:
    told(house)
    for email in ("ana@acorn.example", "ben@acorn.example"):
        assert as_key("acorn", email)("GET", "/events").status_code == 200
    refused = as_key("acorn", "ana@acorn.example", rights=["payments.view"])("GET", "/events")
    assert (refused.status_code, said(refused)["code"]) == (403, "forbidden")


def test_statements_do_not_grow_with_the_list(api: Program, house: Scope) -> None:
    ring(house, "x")
    told(house)
    few = statements(api, "/events?limit=100")
    ring(house, *"abcdefghijklmnopqrstuvwxyz")
    told(house)
    assert statements(api, "/events?limit=100") <= few

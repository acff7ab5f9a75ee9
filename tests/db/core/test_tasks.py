"""The dispatcher: due rows are found for all, shared out, and neither a dead broker nor a doubled message matters."""

import socket
from datetime import timedelta
from typing import Any

import pytest

from arapp.celery import app
from core import clock, doors, effects, registry, tasks
from core.models import Effect, Job, Organization, OutboxEvent
from core.scope import Scope, current, enter, work


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What would have been sent to the broker."""
    found: list[tuple[str, int]] = []
    monkeypatch.setattr(tasks, "_send", lambda kind, organization_id: found.append((kind, organization_id)))
    return found


def event(**given: Any) -> OutboxEvent:
    return OutboxEvent.objects.create(
        name="test.nothing",
        object_public_id="x",
        payload={},
        occurred_at=clock.now(),
        **{"next_attempt_at": clock.wall(), **given},
    )


def test_dispatch_finds_what_is_due_for_every_organization_once(
    acorn: Scope, birch: Scope, sent: list[Any]
) -> None:
    with work():
        event(), event()
    with enter(birch), work():
        event()
        effects.due("test", [("a", {})])
    sent.clear()
    tasks.dispatch()
    assert sorted(sent) == sorted(
        [
            ("events", acorn.organization_id),
            ("events", birch.organization_id),
            ("effects", birch.organization_id),
        ]
    )


def test_what_is_done_parked_leased_or_later_is_not_due(acorn: Scope, sent: list[Any]) -> None:
    now, soon = clock.wall(), clock.wall() + timedelta(seconds=5)
    with work():
        event(relayed_at=now)
        event(parked_at=now)
        event(next_attempt_at=soon)
        for n, given in enumerate(
            [{"done_at": now}, {"parked_at": now}, {"lease_until": soon}, {"due_at": soon}]
        ):
            Effect.objects.create(kind="test", key=f"{n}", **{"due_at": now, **given})
    tasks.dispatch()
    assert sent == []


def test_a_busy_organization_gets_its_share_and_the_small_one_comes_through(
    acorn: Scope, birch: Scope
) -> None:
    with work():
        for _ in range(12):
            event()
    with enter(birch), work():
        event()
    due = doors.due_work("events", max_rows=4, per_tenant=3, wall=clock.wall())
    assert {key: len(ids) for key, ids in due.items()} == {acorn.organization_id: 3, birch.organization_id: 1}


@pytest.fixture
def dead_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setattr(app.conf, "broker_url", f"redis://127.0.0.1:{port}/0")
    monkeypatch.setattr(app.conf, "broker_write_url", f"redis://127.0.0.1:{port}/0")
    monkeypatch.setattr(app.amqp, "_producer_pool", None)


@pytest.mark.usefixtures("dead_broker")
def test_a_dead_broker_fails_neither_the_dispatcher_nor_the_writer(acorn: Scope) -> None:
    with work():
        event()
    tasks.dispatch()
    tasks.wake("events")


def test_the_same_message_twice_does_nothing_twice(acorn: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "wake", lambda kind: None)
    ran: list[str] = []
    monkeypatch.setitem(registry.effects, "test", lambda effect: ran.append(effect.key))
    with work():
        effects.due("test", [("a", {}), ("b", {})])
    for _ in range(2):
        tasks.run_due(kind="effects", organization_id=acorn.organization_id)
    assert ran == ["a", "b"]


def test_a_task_runs_as_the_system_at_the_organizations_own_time(
    sandbox: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    offset = timedelta(days=40, hours=3)
    with enter(sandbox), work():
        Organization.objects.update(clock_offset=offset)
    seen: list[Scope] = []
    monkeypatch.setitem(registry.due_workers, "events", lambda ids: seen.append(current()))
    tasks.run_due(kind="events", organization_id=sandbox.organization_id)
    assert [(s.organization_id, s.actor.kind, s.origin, s.clock_offset) for s in seen] == [
        (sandbox.organization_id, "system", "worker", offset)
    ]


def test_a_task_for_an_organization_that_is_not_there_fails_loudly(acorn: Scope) -> None:
    with pytest.raises(Organization.DoesNotExist):
        tasks.run_due(kind="events", organization_id=999_999)


def test_a_kind_the_door_does_not_know_does_not_stop_the_others(
    committed_acorn: Scope, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with work():
        event()
    monkeypatch.setattr(registry, "due_workers", {"nonsense": print, **registry.due_workers})
    tasks.dispatch()
    assert ("events", committed_acorn.organization_id) in sent


def test_work_done_by_a_task_is_the_systems_in_the_audit(
    acorn: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.models import AuditEntry

    def write(ids: list[int]) -> None:
        with work():
            Job.objects.create(kind="by the system")

    monkeypatch.setitem(registry.due_workers, "events", write)
    tasks.run_due(kind="events", organization_id=acorn.organization_id)
    with work():
        entry = AuditEntry.objects.get(content_type__model="job")
        assert (entry.actor_id, entry.actor_email, entry.additional_data["origin"]) == (
            None,
            "system",
            "worker",
        )

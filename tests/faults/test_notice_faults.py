"""Workers killed with kill -9 while members are told: each is told of each thing once, by one letter."""

import signal
from pathlib import Path

import pytest

from billing.events import BillingRunFinished, BillingRunStopped
from core import clock
from core.events import emit
from core.models import Effect, OutboxEvent
from core.scope import Scope, work
from messaging.models import Message, Notification
from messaging.services.notify import DIGEST
from tests.faults.test_worker_faults import (  # noqa: F401
    Processes,
    broker,
    counted,
    letters,
    processes,
)

pytestmark = pytest.mark.fault

TURN = """
import os, signal, sys
import django
django.setup()
from importlib import import_module
from core import doors, effects, relay
from core.scope import enter
from core.tasks import system_scope

if len(sys.argv) > 1:
    place, name, nth = import_module(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    real, calls = getattr(place, name), []

    def die(*args, **kwargs):
        calls.append(name)
        if len(calls) == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)

    setattr(place, name, die)
with enter(system_scope(doors.org_of_slug("acorn"))):
    relay.relay([])
    effects.work_off([])
"""


def turn(processes: Processes, *dies: str) -> None:  # noqa: F811
    """A worker's turn in a process of its own, killed at the nth call of a function if one is named."""
    ended = processes.start("-c", TURN, *dies).wait(120)
    assert ended == (-signal.SIGKILL if dies else 0)
    with work():  # what a dead worker held runs out, and the morning comes; here at once
        now = clock.wall()
        Effect.objects.filter(done_at=None).update(lease_until=None)
        Effect.objects.filter(done_at=None, kind__in=[DIGEST, "message.send"]).update(due_at=now)
        OutboxEvent.objects.filter(relayed_at=None).update(next_attempt_at=now)


@pytest.mark.parametrize(
    ("place", "name", "nth"),
    [
        ("messaging.services.notify", "_write", 1),
        ("messaging.services.notify", "_mail", 1),
        ("messaging.services.notify", "remember_to_forget", 1),
        ("integrations.services.deliver", "fan_out", 1),
    ],
)
def test_telling_killed_at_any_step_writes_each_line_once(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
    tmp_path: Path,
    place: str,
    name: str,
    nth: int,
) -> None:
    with work():
        emit(BillingRunStopped("run_01", 1, as_of="2026-11-26", why="closed"))
    turn(processes, place, name, str(nth))
    assert counted(Notification) == counted(Message) == 0
    for _ in range(3):
        turn(processes)
    assert counted(Notification, kind="billing.stopped") == counted(Notification) == 2
    assert counted(Message) == 2
    assert list(letters(tmp_path / "mail").values()) == [1, 1]


@pytest.mark.parametrize(
    ("place", "name", "nth", "copies"),
    [
        ("messaging.letters", "queue_for_event", 1, 2),
        ("messaging.letters", "queue_for_event", 2, 2),
        ("messaging.services.send", "deliver", 1, 2),
        (
            "messaging.services.send",
            "_sent",
            1,
            3,
        ),  # taken by the mail server, not yet written down: again, same id
    ],
)
def test_the_digest_killed_at_any_step_comes_once(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
    tmp_path: Path,
    place: str,
    name: str,
    nth: int,
    copies: int,
) -> None:
    with work():
        emit(BillingRunFinished("run_01", 1, as_of="2026-11-25", documents=0, held=3))
    turn(processes)
    assert counted(Message) == 0
    turn(processes, place, name, str(nth))
    for _ in range(3):
        turn(processes)
    assert counted(Message, kind="digest", state="sent") == counted(Message) == 2
    found = letters(tmp_path / "mail")
    assert (len(found), found.total()) == (2, copies)

"""Mail servers refuse, break off and go away; a customer gets the mail once, and twice at the very worst."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.db import connection

from core import clock, effects
from core import scope as scopes
from core.models import Effect, OutboxEvent
from core.scope import Scope, work
from messaging.composers import Ready, composers
from messaging.domain.letters import PaymentFailed
from messaging.models import Message
from messaging.services.queue import queue, send_again
from tests.faults.smtp import StubServer, smtp

pytestmark = pytest.mark.fault

KIND = "test.fault"
LETTER = PaymentFailed(
    organization_name="Acorn", customer_name="Kestrel", number="INV-1", amount="EUR 5.00", due_on="2 May"
)

CHILD = """
import django, os, sys
django.setup()
from core.scope import enter
from core.tasks import run_due, system_scope
from messaging.composers import Ready, composers
from tests.faults.test_mail_faults import KIND, LETTER
composers[KIND] = lambda message: Ready(LETTER)
run_due(kind="effects", organization_id=int(sys.argv[1]))
"""


@pytest.fixture(autouse=True)
def composed() -> Iterator[None]:
    composers[KIND] = lambda _message: Ready(LETTER)
    yield
    del composers[KIND]


def use(settings: LazySettings, server: StubServer | None, port: int = 0) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port if server else port
    settings.EMAIL_TIMEOUT = 5


def queued() -> Message:
    with work():
        return queue(kind=KIND, about="pay_1", to="ap@kestrel.example")


def later() -> None:
    """The wait of every effect is over and every lease has run out; work."""
    with work():
        Effect.objects.filter(done_at=None).update(due_at=clock.wall(), lease_until=None)
    effects.work_off([])


def now(message: Message) -> Message:
    with work():
        found: Message = Message.objects.get(pk=message.pk)
    return found


def test_a_mail_is_delivered_whole(acorn: Scope, settings: LazySettings) -> None:
    with smtp() as server:
        use(settings, server)
        message = queued()
        effects.work_off([])
    (taken,) = server.taken
    assert taken["Message-ID"] == message.header_id
    assert taken.get_content_type() == "multipart/alternative"
    assert now(message).state == "sent"


@pytest.mark.parametrize("plan", ["rcpt:550", "rcpt:501", "after:554", "data:550"])
def test_a_refusal_for_good_ends_it(acorn: Scope, settings: LazySettings, plan: str) -> None:
    with smtp(plan, "ok") as server:
        use(settings, server)
        message = queued()
        effects.work_off([])
        later()
    assert (now(message).state, server.taken) == ("failed", [])
    assert now(message).why.startswith(plan.partition(":")[2])
    with work():
        assert OutboxEvent.objects.filter(name="message.failed").count() == 1
        assert not Effect.objects.filter(done_at=None).exists()


@pytest.mark.parametrize("plan", [
    "rcpt:450", "rcpt:421", "after:451", "data:452", "mail:550", "mail:451", "drop_rcpt",
])  # fmt: skip
def test_a_refusal_for_now_is_tried_again_until_it_is_taken(
    acorn: Scope, settings: LazySettings, plan: str
) -> None:
    with smtp(plan, plan, plan, "ok") as server:
        use(settings, server)
        message = queued()
        effects.work_off([])
        assert (now(message).state, now(message).unconfirmed) == ("queued", 0)
        with work():
            effect = Effect.objects.get()
            assert effect.due_at > clock.wall()
            assert (effect.parked_at, effect.lease_until) == (None, None)
        for _ in range(5):
            later()
    assert (now(message).state, now(message).tries, len(server.taken)) == ("sent", 4, 1)


def test_a_server_that_comes_back_gets_it_once(acorn: Scope, settings: LazySettings) -> None:
    with smtp() as server:
        port = server.port
    use(settings, None, port)
    message = queued()
    effects.work_off([])
    for _ in range(12):  # longer than an effect may fail
        later()
    assert now(message).state == "queued"
    with smtp(port=port) as server:
        for _ in range(3):
            later()
    assert (now(message).state, len(server.taken)) == ("sent", 1)


def test_a_server_that_never_comes_back_is_given_up(
    acorn: Scope, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.services.send.TRIES", 3)
    use(settings, None, 1)
    message = queued()
    effects.work_off([])
    for _ in range(4):
        later()
    assert (now(message).state, now(message).tries) == ("failed", 3)
    with smtp() as server:
        use(settings, server)
        with work():
            send_again(message.public_id)
        effects.work_off([])
    assert (now(message).state, len(server.taken)) == ("sent", 1)


def test_a_break_after_the_mail_was_taken_costs_one_duplicate(acorn: Scope, settings: LazySettings) -> None:
    with smtp("drop", "ok") as server:
        use(settings, server)
        message = queued()
        effects.work_off([])
        assert now(message).state == "sending"
        for _ in range(3):
            later()
    assert now(message).state == "sent"
    assert [one["Message-ID"] for one in server.taken] == [message.header_id] * 2
    assert server.taken[0]["Subject"] == server.taken[1]["Subject"]


def test_a_server_that_always_breaks_off_is_not_asked_a_third_time(
    acorn: Scope, settings: LazySettings
) -> None:
    with smtp("drop") as server:
        use(settings, server)
        message = queued()
        effects.work_off([])
        for _ in range(5):
            later()
    assert (now(message).state, len(server.taken)) == ("failed", 2)


def test_two_workers_at_once_send_one_mail(committed_acorn: Scope, settings: LazySettings) -> None:
    with smtp() as server:
        use(settings, server)
        messages = []
        with work():
            messages = [queue(kind=KIND, about=f"pay_{n}", to="ap@kestrel.example") for n in range(30)]
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
    assert sorted(one["Message-ID"] for one in server.taken) == sorted(row.header_id for row in messages)


def test_a_worker_killed_between_sending_and_recording_costs_one_duplicate(
    committed: dict[str, str], settings: LazySettings
) -> None:
    from tests.conftest import seat

    acorn = seat("acorn", "ana@acorn.example")
    with scopes.enter(acorn), smtp("slow", "ok") as server:
        message = queued()
        environment = {
            **os.environ, **committed, "DJANGO_SETTINGS_MODULE": "arapp.settings", "EMAIL_HOST": "127.0.0.1",
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend", "EMAIL_PORT": str(server.port),
        }  # fmt: skip
        worker = subprocess.Popen([sys.executable, "-c", CHILD, str(acorn.organization_id)], env=environment)
        deadline = time.monotonic() + 30
        while not server.taken and time.monotonic() < deadline:
            time.sleep(0.02)
        worker.kill()
        worker.wait()
        server.release.set()
        assert (now(message).state, len(server.taken)) == ("sending", 1)
        use(settings, server)
        effects.work_off([])
        assert now(message).state == "sending"  # the dead worker's lease has not run out
        for _ in range(3):
            later()
        assert now(message).state == "sent"
        assert [one["Message-ID"] for one in server.taken] == [message.header_id] * 2

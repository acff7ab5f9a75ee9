"""What customers click on their own page: the web is killed in it, or two click at once; it is done and told once."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client

from billing.models import Subscription, SubscriptionStep
from billing.services.run import run_billing
from core import clock
from core.books import verify
from core.models import OutboxEvent
from core.scope import Scope, work
from messaging.models import Message
from tests.billed import proven
from tests.db.portal.owned import backs, let, link_to, offer, offered, opened, plans, priced, sold, told_of
from tests.faults.test_worker_faults import Processes, broker, processes, wait_until  # noqa: F401

pytestmark = pytest.mark.fault

CLICK = """
import os, signal, sys
import django
django.setup()
from importlib import import_module
from django.db import connection
from django.test import Client

link, field, value, place, name = sys.argv[1:6]
customer = Client(SERVER_NAME="localhost")
address = customer.get(link)["Location"]
if place:
    setattr(import_module(place), name, lambda *args, **kwargs: os.kill(os.getpid(), signal.SIGKILL))
else:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock_shared(7)")
assert customer.post(address, {field: value}).status_code == 302
"""
"""A click on what a page showed, that dies where a function of a module is called, or waits until all may go on."""

CLICKS = ["changed", "ended", "kept"]
PLACES = [("", "emit"), ("", "confirm"), ("portal.subscriptions", "redirect")]
"""In the service of each, before the event and before the mail; and when all is written and nobody was answered."""
SERVICES = {"changed": "self_change", "ended": "self_service", "kept": "self_keep"}


def shown(click: str) -> tuple[Subscription, str, str]:
    """A subscription that is billed, and what its page sends for a click: the field and the value."""
    today = clock.today("Europe/Berlin")
    with work():
        sub = sold(priced("team", "30"), today - timedelta(days=10))
        priced("solo", "10")
    run_billing(today)
    offer(("solo", "period_end"))
    let("period_end")
    customer = Client()
    address = opened(customer, sub)
    change = offered(customer.get(address).content)["solo"]
    if click == "changed":
        return sub, "change", change
    if click == "ended":
        return sub, "end", f"period_end:{change.rpartition(':')[2]}"
    assert customer.post(address, {"change": change}).status_code == 302
    (back,) = backs(customer.get(address).content)
    return sub, "keep", back


def state(sub: Subscription) -> tuple[date | None, int, int, int]:
    """Its end, how much is said of its plan, and how many mails and events there are of it."""
    with work():
        return (
            Subscription.objects.get(pk=sub.pk).ends_on,
            SubscriptionStep.objects.count(),
            Message.objects.filter(about=sub.public_id).count(),
            OutboxEvent.objects.filter(object_public_id=sub.public_id).count(),
        )


def done_once(sub: Subscription, click: str, value: str) -> None:
    assert told_of(click) == (1, 1)
    day = date.fromisoformat(value.rpartition(":")[2])
    with work():
        ends_on = Subscription.objects.get(pk=sub.pk).ends_on
    assert ends_on == (day if click == "ended" else None)
    assert [code for code, _ in plans(sub)] == ["team", "solo"][: 1 + (click == "changed")]
    proven()


@pytest.mark.parametrize(("place", "name"), PLACES)
@pytest.mark.parametrize("click", CLICKS)
def test_a_click_that_is_killed_is_done_whole_or_not_at_all(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
    click: str,
    place: str,
    name: str,
) -> None:
    sub, field, value = shown(click)
    before = state(sub)
    dies = place or f"billing.services.{SERVICES[click]}"
    link = link_to(sub)
    assert processes.start("-c", CLICK, link, field, value, dies, name).wait(120) == -signal.SIGKILL
    if place:
        done_once(sub, click, value)
    else:
        assert state(sub) == before
    with work():
        assert verify() == []
    for _again in range(2):
        assert processes.start("-c", CLICK, link, field, value, "", "").wait(120) == 0
    done_once(sub, click, value)


@contextmanager
def held_back(n: int) -> Iterator[None]:
    """So many processes that are about to click go on together at the end of the block."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(7)")
        yield
        waiting = (
            "SELECT count(*) FROM pg_locks JOIN pg_database ON oid = database"
            " WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()"
        )

        def are_all() -> bool:
            cursor.execute(waiting)
            return bool(cursor.fetchone()[0] == n)

        wait_until(are_all, 60)
        cursor.execute("SELECT pg_advisory_unlock(7)")


@pytest.mark.parametrize("click", CLICKS)
def test_two_who_click_at_once_are_one(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
    click: str,
) -> None:
    sub, field, value = shown(click)
    link = link_to(sub)
    with held_back(2):
        both = [processes.start("-c", CLICK, link, field, value, "", "") for _ in range(2)]
    assert [each.wait(120) for each in both] == [0, 0]
    done_once(sub, click, value)

"""A sender's batches are killed in the middle; what it sends again leaves each event counted once."""

import os
import signal
import subprocess
import sys
import time

import pytest

from billing.models import UsageEvent, UsageKey
from core.books import verify
from core.scope import Scope, work
from tests import factories
from tests.databases import ROOT
from tests.metering import meter, used

pytestmark = pytest.mark.fault
EVENTS = 3000
SENDER = """
import sys
import django
django.setup()
from datetime import timedelta
from billing.models import Meter, Subscription
from billing.services.usage import ingest
from billing.domain.usage_events import Said
from core import clock, doors
from core.scope import enter, work
from core.tasks import system_scope
with enter(system_scope(doors.org_of_slug("acorn"))):
    for start in range(0, EVENTS, 100):
        with work():
            sub, now = Subscription.objects.get().public_id, clock.now()
            ingest([
                Said(f"k{n}", code, sub, now - timedelta(minutes=n), {"amount": str(n)}) if code != "seats" else
                Said(f"s{n}", code, sub, now - timedelta(minutes=n), {"amount": str(n - n // 50 * 50)})
                for n in range(start, start + 100) for code in ("gb", "seats")
            ])
        print(start, flush=True)
""".replace("EVENTS", str(EVENTS))


def test_killed_between_and_within_batches_and_sent_again(
    committed: dict[str, str], committed_acorn: Scope
) -> None:
    with work():
        sub = factories.subscription(factories.customer(), factories.DAY)
        gb, seats = meter("sum", code="gb"), meter("unique", code="seats")
    env = {**os.environ, **committed, "DJANGO_SETTINGS_MODULE": "arapp.settings", "PYTHONPATH": str(ROOT)}

    def sender() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", SENDER], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
        )

    for after, pause in ((1, 0.0), (4, 0.03), (9, 0.07), (2, 0.11)):
        process = sender()
        assert process.stdout is not None
        for _ in range(after):
            assert process.stdout.readline()
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.wait()
        with work():
            assert verify() == []
            assert UsageEvent.objects.count() == UsageKey.objects.count() < 2 * EVENTS
    process = sender()
    process.communicate()
    assert process.returncode == 0
    with work():
        assert UsageEvent.objects.count() == 2 * EVENTS
        assert used(gb, sub) == sum(range(EVENTS))
        assert used(seats, sub) == 50
        assert verify() == []

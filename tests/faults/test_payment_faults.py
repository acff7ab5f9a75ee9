"""A paying process is killed with kill -9 at each step: one charge, one payment, or neither, and the books verify."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from cashapp.handlers import sweep
from cashapp.models import Attempt, Payment, SandboxCharge
from core import effects
from core.books import verify
from core.scope import Scope, work
from receivables.models import OpenItem
from tests import factories
from tests.databases import ROOT

pytestmark = pytest.mark.fault

PAYER = """
import os, signal, sys
import django
django.setup()
from django.conf import settings
settings.PAYMENT_GATEWAYS = ["sandbox"]
from cashapp.gateways.sandbox import Sandbox
from cashapp.services import attempts
from core import doors
from core.scope import enter
from core.tasks import system_scope

point, item = sys.argv[1], int(sys.argv[2])
charge, record = Sandbox.charge, attempts.record

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

if point == "before_send":
    attempts.send = die
if point == "before_call":
    Sandbox.charge = die
if point == "after_call":
    Sandbox.charge = lambda self, request: (charge(self, request), die())
if point == "inside_record":
    attempts.book = die
if point == "after_record":
    attempts.record = lambda *args: (record(*args), die())
with enter(system_scope(doors.org_of_slug("acorn"))):
    attempts.pay(key="killed", amounts={item: 10_000}, method="card_ok", description="INV")
"""


@pytest.mark.parametrize(
    "point", ["before_send", "before_call", "after_call", "inside_record", "after_record", "nowhere"]
)
def test_a_payer_killed_at_any_step_is_charged_at_most_once(
    committed_acorn: Scope, committed: dict[str, str], point: str
) -> None:
    with work():
        doc = factories.invoice(factories.customer(), ("1", "100.00"), tax="0")
        item = OpenItem.objects.get(source=doc.public_id)
    ended = subprocess.run(
        [sys.executable, "-c", PAYER, point, str(item.pk)],
        cwd=ROOT,
        env={**os.environ, **committed, "DJANGO_SETTINGS_MODULE": "arapp.settings"},
        check=False,
    )
    assert ended.returncode == (0 if point == "nowhere" else -signal.SIGKILL)
    with work():
        assert verify() == []
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=20)):
        for _ in range(2):
            sweep([])
            effects.work_off([])
    with work():
        taken = SandboxCharge.objects.filter(outcome="succeeded").count()
        assert Payment.objects.count() == taken == (0 if point in ("before_send", "before_call") else 1)
        assert Attempt.objects.get().state == ("succeeded" if taken else "abandoned")
        item.refresh_from_db()
        assert (item.open_minor, item.reserved_minor) == ((0, 0) if taken else (10_000, 0))

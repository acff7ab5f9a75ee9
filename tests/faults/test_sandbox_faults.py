"""Real workers killed in the middle of a sandbox's ninety days: it goes on, and each period is billed once."""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from billing.models import BilledPeriod
from core import clock, timetravel
from core.books import verify
from core.clocks import ClockAdvance
from core.models import Job
from core.scope import enter, work
from invoicing.models import Document
from tenants.services.sandbox import make_sandbox
from tests import factories
from tests.conftest import seat
from tests.faults.test_worker_faults import Processes, broker, processes, wait_until

__all__ = ["broker", "processes"]
pytestmark = pytest.mark.fault


@pytest.mark.timeout(300)
def test_a_clock_whose_mover_is_killed_again_and_again_comes_to_its_target(
    committed_acorn: object, processes: Processes, tmp_path: Path
) -> None:
    slug = make_sandbox().slug
    sandbox = seat(slug, "ana@acorn.example")
    with enter(sandbox):
        with work():
            for n in range(6):
                owner = factories.customer(email="")
                factories.subscription(
                    owner, clock.today("Europe/Berlin") + timedelta(days=1 + n), unit="week"
                )
            target = timetravel.business_now() + timedelta(days=30)
            job = timetravel.start(target)
        processes.beat(tmp_path / "beat")
        for _kill in range(3):
            worker = processes.worker()
            reached = _reached()
            wait_until(lambda before=reached: _reached() > before + timedelta(days=2) or _over(job), 90)
            processes.kill(worker)
            with work():  # the dead one's lease runs out: nobody waits for that here
                ClockAdvance.objects.filter(ended_at=None).update(lease_until=clock.wall())
        processes.worker()
        wait_until(lambda: _over(job), 150)
        with work():
            job.refresh_from_db()
            assert (job.state, job.message) == ("done", "")
            assert timetravel.business_now() >= target
            periods = Counter(BilledPeriod.objects.values_list("item_id", "period_start"))
            assert max(periods.values()) == 1
            assert len(periods) == Document.objects.count() >= 24
            assert verify() == []


def _reached() -> datetime:
    with work():
        return ClockAdvance.objects.values_list("reached", flat=True).order_by("-id")[0]


def _over(job: Job) -> bool:
    with work():
        return Job.objects.filter(pk=job.pk).exclude(state__in=("queued", "running")).exists()

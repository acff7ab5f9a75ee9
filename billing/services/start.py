"""Starting a run by hand."""

from datetime import date

from billing.models import BillingRun
from billing.previews import RunPreview, run_preview
from core.effects import due
from core.errors import Invalid
from core.locks import lock_one
from core.models import Effect
from core.suspension import require_live

RUN = "billing.run"
"""The effect that runs billing; its payload is {"as_of": ISO date}."""
EARLIEST = date(2000, 1, 1)


def start_run(as_of: date, *, today: date, key: str) -> BillingRun:
    """The organization's run for a day, rejoined when it is there, and due at once. Inside work().

    Natural key of the run: the day; of the start: the day and `key`, a form's hidden key, so a double click starts
    once, and a form sent again after its run leaves the run as it ended. Raises Invalid for a day that is not over or
    not begun: after `today`, or before 2000; Suspended while the organization is.
    """
    require_live()
    _require_begun(as_of, today)
    run: BillingRun = BillingRun.objects.get_or_create(as_of=as_of)[0]
    effect = f"{as_of.isoformat()}:{key}"
    if run.state != "running":
        run = lock_one(BillingRun.objects.filter(pk=run.pk))
    if run.state != "running":
        if Effect.objects.filter(kind=RUN, key=effect).exists():  # no worker would come for it a second time
            return run
        run.state = "running"
        run.finished_at = None
        run.stopped_why = ""
        run.touch("state", "finished_at", "stopped_why")
    due(RUN, [(effect, {"as_of": as_of.isoformat()})])
    return run


def preview_run(as_of: date, *, today: date) -> RunPreview:
    """What `start_run` for the day would bill now, by the run's own function, writing nothing. Inside work().

    Raises Invalid for a day that is not begun.
    """
    _require_begun(as_of, today)
    return run_preview(as_of)


def _require_begun(as_of: date, today: date) -> None:
    if not EARLIEST <= as_of <= today:
        raise Invalid("Choose a day up to today.", fields={"as_of": "Choose a day up to today."})


def still_tried(as_of: date, *, beside: Effect) -> bool:
    """Whether another start of the day's run waits or is under way. Inside work()."""
    others = Effect.objects.filter(
        kind=RUN, key__startswith=f"{as_of.isoformat()}:", done_at=None, parked_at=None
    )
    return others.exclude(pk=beside.pk).exists()

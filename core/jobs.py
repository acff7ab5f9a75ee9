"""Long work that somebody waits for: one row with progress, a cancel button and a result."""

from django.db.models import F

from core import clock
from core.errors import AppError
from core.models import Job, StoredFile
from core.scope import current, work

OPEN = ("queued", "running")


class Cancelled(AppError):
    """A person asked the job to stop."""

    code = "cancelled"


def start(kind: str, *, total: int = 0, **payload: object) -> Job:
    """A queued job; inside work()."""
    return Job.objects.create(kind=kind, total=total, payload=payload, started_by=current().actor.label)


def advance(job: Job, by: int, *, message: str = "") -> None:
    """Count `by` more items done, in a work() of its own.

    Raises Cancelled when a person asked to stop, or when the job has ended: then another worker had it too.
    """
    with work():
        running = Job.objects.filter(pk=job.pk, state__in=OPEN).update(
            done=F("done") + by, state="running", message=message, updated_at=clock.now()
        )
        job.refresh_from_db()
    if job.cancel_requested or not running:
        raise Cancelled("Stopped as asked.")


def finish(job: Job, *, state: str = "done", message: str = "", result: StoredFile | None = None) -> None:
    """End the job as done, failed or cancelled, in a work() of its own."""
    with work():
        Job.objects.filter(pk=job.pk).update(
            state=state, message=message, result=result, updated_at=clock.now()
        )
        job.refresh_from_db()

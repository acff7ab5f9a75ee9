"""Long work that somebody waits for: one row with progress, a cancel button and a result."""

from dataclasses import dataclass
from typing import ClassVar

from django.db.models import F

from core import clock
from core.errors import AppError, NotFound
from core.events import Event, emit
from core.locks import lock_one
from core.models import Job, StoredFile
from core.scope import current, work

OPEN = ("queued", "running")


@dataclass(frozen=True, slots=True)
class JobKind:
    """Who may look at jobs of a kind, and who may stop them: permissions."""

    view: str
    stop: str


kinds: dict[str, JobKind] = {}


@dataclass(frozen=True, slots=True)
class JobEnded(Event):
    """A job that somebody waited for is done or failed."""

    name: ClassVar[str] = "job.ended"

    kind: str
    state: str
    done: int
    total: int


def tell_ended(job: Job) -> None:
    """Let it be known that a job ended by itself, in the transaction that ends it."""
    emit(JobEnded(job.public_id, job.version, job.kind, job.state, job.done, job.total))


def kind(name: str, *, view: str, stop: str) -> str:
    """Declare a kind of job and return its name; called by the module that runs such jobs."""
    kinds[name] = JobKind(view, stop)
    return name


def job(public_id: str) -> Job:
    """The job with this public id; raises NotFound, also for one of a kind that nobody declared. Inside work()."""
    found = Job.objects.filter(public_id=public_id, kind__in=list(kinds)).first()
    if found is None:
        raise NotFound("That job is not here.")
    return found


def cancel(public_id: str) -> Job:
    """Have a job stop after its step; what it did stays done. Inside work(). Ended already, it stays as it is."""
    found = lock_one(Job.objects.filter(public_id=public_id))
    if found.state in OPEN and not found.cancel_requested:
        found.cancel_requested = True
        found.touch("cancel_requested")
    return found


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

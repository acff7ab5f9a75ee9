"""Progress, cancel, result; nobody else's job."""

import pytest

from core import files, jobs
from core.models import Job
from core.scope import Scope, enter, work


def started(**given: object) -> Job:
    with work():
        return jobs.start("export", total=10, **given)


def test_progress_is_counted_and_seen(acorn: Scope) -> None:
    job = started(query="open")
    jobs.advance(job, 3, message="three")
    jobs.advance(job, 4)
    assert (job.done, job.state, job.message, job.started_by, job.payload) == (
        7,
        "running",
        "",
        "Ana",
        {"query": "open"},
    )
    jobs.finish(job)
    assert job.state == "done"


def test_a_cancelled_job_stops_at_the_next_step_and_keeps_its_count(acorn: Scope) -> None:
    job = started()
    jobs.advance(job, 1)
    with work():
        Job.objects.update(cancel_requested=True)
    with pytest.raises(jobs.Cancelled):
        jobs.advance(job, 1)
    with work():
        assert Job.objects.get().done == 2


def test_a_job_that_ended_does_not_run_on(acorn: Scope) -> None:
    """A message delivered twice, or a worker that was thought dead."""
    job = started()
    jobs.finish(job, state="cancelled", message="Stopped.")
    with pytest.raises(jobs.Cancelled):
        jobs.advance(job, 1)
    with work():
        assert (Job.objects.get().state, Job.objects.get().done) == ("cancelled", 0)


def test_the_result_is_a_file_of_the_same_organization(acorn: Scope, birch: Scope) -> None:
    from django.db import IntegrityError, transaction

    job = started()
    with enter(birch):
        theirs = files.store(b"x", kind="export", name="x", content_type="text/plain")
    with pytest.raises(IntegrityError, match="core_job_result_fk"), transaction.atomic():
        jobs.finish(job, result=theirs)
    with work():
        assert Job.objects.get().state == "queued"


def test_another_organizations_job_is_left_alone(acorn: Scope, birch: Scope) -> None:
    with enter(birch):
        theirs = started()
    with pytest.raises(Job.DoesNotExist):
        jobs.advance(theirs, 1)
    with enter(birch), work():
        assert Job.objects.get().done == 0

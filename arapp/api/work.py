"""Jobs for programs: how far they are, and that they stop."""

from arapp.api.outputs import JobOut
from core import jobs
from core.api.operations import ANY_KEY, Api, Call, operation
from core.models import Job
from core.scope import require

JOBS = "Jobs"


class OneJob(Api):
    tag = JOBS

    @operation(ANY_KEY, gives=JobOut)
    def get(self, call: Call, public_id: str) -> Job:
        """Get a job and how far it is.

        Needs the right to see what it works on, such as `invoices.view`.
        """
        row = jobs.job(public_id)
        require(jobs.kinds[row.kind].view)
        return row


class JobCancel(Api):
    tag = JOBS

    @operation(ANY_KEY, gives=JobOut)
    def post(self, call: Call, public_id: str) -> Job:
        """Have a job stop after the step it is at; what it did stays done. Again changes nothing.

        Needs the right to do what it does, such as `invoices.issue`.
        """
        row = jobs.job(public_id)
        require(jobs.kinds[row.kind].stop)
        return jobs.cancel(public_id)

"""Imports and jobs for programs: how far they are, and what became of them."""

from rest_framework import serializers

from arapp.api.outputs import ImportOut, ImportRowOut, JobOut
from arapp.permissions import IMPORTS_VIEW
from core import jobs
from core.api.fields import In, Text
from core.api.operations import ANY_KEY, Api, Call, Listing, operation
from core.imports import reads
from core.imports.states import State
from core.imports.work import by_public_id
from core.models import Import, Job
from core.scope import require

IMPORTS, JOBS = "Imports", "Jobs"


class ImportsQuery(In):
    kind = Text(max_length=20, required=False, help_text="customers, invoices, payments.")
    state = serializers.ChoiceField([str(each) for each in State], required=False)


class ImportRowsQuery(In):
    outcome = serializers.ChoiceField(["failed", "created"], default="failed")
    problem = Text(max_length=40, required=False, help_text="Of failed rows, those with this code.")


class Imports(Api):
    tag = IMPORTS

    @operation(IMPORTS_VIEW, query=ImportsQuery, gives=ImportOut, many=True)
    def get(self, call: Call) -> Listing:
        """List imports, the newest first."""
        return Listing(reads.imports().filter(**call.filters))


class OneImport(Api):
    tag = IMPORTS

    @operation(IMPORTS_VIEW, gives=ImportOut)
    def get(self, call: Call, public_id: str) -> Import:
        """Get an import and how far it is."""
        return by_public_id(public_id)


class ImportRows(Api):
    tag = IMPORTS

    @operation(IMPORTS_VIEW, query=ImportRowsQuery, gives=ImportRowOut, many=True)
    def get(self, call: Call, public_id: str) -> Listing:
        """List the rows of an import that failed and why, or those of which something was made, in their order."""
        source = by_public_id(public_id)
        if call.query["outcome"] == "created":
            return Listing(reads.made(source), reads.IN_ORDER)
        return Listing(reads.failed(source, call.query.get("problem", "")), reads.IN_ORDER)


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

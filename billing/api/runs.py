"""Billing runs for programs."""

from typing import Any

from billing import listing
from billing.api.outputs import (
    BillingRunFiguresOut,
    BillingRunOut,
    GivenRun,
    RunPreviewOut,
    preview_given,
    run_given,
)
from billing.models import BillingRun
from billing.permissions import RUNS_START, RUNS_VIEW
from billing.services.start import preview_run, start_run
from core.api.fields import Day, In
from core.api.operations import Api, Call, Listing, operation
from invoicing.api.outputs import business_today

TAG = "Billing runs"


class RunIn(In):
    as_of = Day(help_text="Bill everything due by this day; not in the future.")


class BillingRuns(Api):
    tag = TAG

    @operation(RUNS_VIEW, gives=BillingRunOut, many=True)
    def get(self, call: Call) -> Listing:
        """List billing runs, the newest first."""
        return Listing(listing.runs())

    @operation(RUNS_START, takes=RunIn, gives=BillingRunOut, status=202)
    def post(self, call: Call) -> BillingRun:
        """Start the billing run of a day, or rejoin it.

        It is worked off in the background; each period is billed once, whatever runs beside or again.
        """
        return start_run(call.data["as_of"], today=business_today(), key=call.key)


class BillingRunPreview(Api):
    tag = TAG

    @operation(RUNS_START, takes=RunIn, gives=RunPreviewOut)
    def post(self, call: Call) -> dict[str, Any]:
        """What a billing run would do.

        By the function that runs bill with; nothing is written.
        """
        return preview_given(preview_run(call.data["as_of"], today=business_today()))


class OneBillingRun(Api):
    tag = TAG

    @operation(RUNS_VIEW, gives=BillingRunFiguresOut)
    def get(self, call: Call, public_id: str) -> GivenRun:
        """Get a billing run and how far it is."""
        return run_given(listing.run(public_id))

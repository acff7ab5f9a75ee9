"""The sandbox's clock for programs."""

from datetime import timedelta

from rest_framework import serializers

from arapp.api.outputs import JobOut
from core.api.fields import Flag, In, Moment, Out, Whole
from core.api.operations import Api, Call, operation
from core.models import Job, Organization
from tenants.permissions import SANDBOX_MANAGE, SANDBOX_USE
from tenants.services import copying, sandbox_clock
from tenants.services.sandbox import make_sandbox
from tenants.services.sandbox_clock import MOST_DAYS, SandboxClock, SandboxStanding, standing

TAG = "Sandbox"


class ClockOut(Out):
    """The clock of the organization."""

    OBJECT = "sandbox_clock"

    now = serializers.DateTimeField(help_text="What it shows; documents and deadlines are dated by it.")
    ahead_seconds = serializers.SerializerMethodField(
        help_text="How far it is ahead of the real time, in whole seconds."
    )
    moving_to = serializers.DateTimeField(
        source="target", allow_null=True, help_text="Where it is on its way to, while it is."
    )
    job = serializers.SerializerMethodField(help_text="The job that moves it, while one does.")

    def get_ahead_seconds(self, row: SandboxClock) -> int:
        return int(row.ahead.total_seconds())

    def get_job(self, row: SandboxClock) -> str | None:
        return row.job.public_id if row.job else None


class AdvanceIn(In):
    to = Moment(required=False, help_text="The time to move it to; or say a span.")
    days = Whole(min_value=0, max_value=MOST_DAYS, default=0)
    hours = Whole(min_value=0, max_value=MOST_DAYS * 24, default=0)


class SandboxOut(Out):
    """The sandbox of a live organization: one of its own, with test keys of its own."""

    OBJECT = "sandbox"

    id = serializers.CharField(source="public_id", help_text="Id of the sandbox as an organization.")
    name = serializers.CharField()
    slug = serializers.CharField()
    created_at = serializers.DateTimeField()


class SandboxStandingOut(Out):
    """Whether an organization has a sandbox, and how that stands."""

    OBJECT = "sandbox_standing"

    exists = serializers.BooleanField(help_text="False while nobody has made one.")
    sandbox = SandboxOut(allow_null=True)
    today = serializers.DateField(
        allow_null=True, help_text="The day that its clock shows, where its first legal entity is."
    )
    clock = ClockOut(allow_null=True, help_text="Its `job` can be read with a test key.")
    advancing = serializers.BooleanField(help_text="Whether its clock is on its way.")


class Sandbox(Api):
    tag = TAG

    @operation(SANDBOX_USE, gives=SandboxStandingOut, outside=lambda _call: standing())
    def get(self, call: Call) -> SandboxStanding:
        """See whether there is a sandbox, and where its clock stands.

        From either side: a test key gets the sandbox it is a key of.
        """
        found: SandboxStanding = call.found
        return found

    @operation(SANDBOX_MANAGE, gives=SandboxOut, outside=lambda _call: make_sandbox())
    def post(self, call: Call) -> Organization:
        """Make the sandbox, or get the one that is there; a test key is refused.

        Asked again, also at once, it is the same one. Its keys are made by a person: a key makes no keys.
        """
        made: Organization = call.found
        return made


class CopyIn(In):
    customers = Flag(
        default=False, help_text="Also likenesses of customers, with made-up names, and their subscriptions."
    )


class SandboxCopy(Api):
    tag = TAG

    @operation(SANDBOX_MANAGE, takes=CopyIn, gives=JobOut, status=202)
    def post(self, call: Call) -> Job:
        """Copy the configuration of the live organization into its sandbox; a live key is refused.

        Legal entities, roles, plans, prices and coupons; with `customers` also running subscriptions, as they stand, of
        customers whose names, numbers and addresses are made up. Again it adds what is new. Copied customers and
        subscriptions have the live one's id as their `external_id`.
        """
        return copying.start(customers=call.data["customers"])


class SandboxClockApi(Api):
    tag = TAG

    @operation(SANDBOX_USE, gives=ClockOut)
    def get(self, call: Call) -> SandboxClock:
        """Get the clock of the sandbox; a live key gets the real time."""
        return sandbox_clock.clock()


class ClockAdvanceApi(Api):
    tag = TAG

    @operation(SANDBOX_MANAGE, takes=AdvanceIn, gives=JobOut, status=202)
    def post(self, call: Call) -> Job:
        """Move the clock of the sandbox forward, to a time or by days and hours, 400 days at most.

        A live key is refused. Everything due in between is done in its order, as it would have been: the clock stops
        at each time at which something is due. The job says how far it is; cancelled, the clock stays where it is by
        then.
        """
        span = timedelta(days=call.data["days"], hours=call.data["hours"])
        return sandbox_clock.advance(to=call.data.get("to"), by=span)

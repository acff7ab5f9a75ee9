"""The clock of a sandbox, as people and programs move it. How it is moved: core.timetravel."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core import jobs, timetravel
from core.errors import Invalid
from core.models import Job, Organization
from core.sandbox import is_sandbox, require_sandbox
from core.scope import current, enter, require, work
from tenants.permissions import SANDBOX_MANAGE, SANDBOX_USE
from tenants.selectors import entity, organization
from tenants.twins import other_side

KIND = jobs.kind(timetravel.KIND, view=SANDBOX_USE, stop=SANDBOX_MANAGE)
MOST_DAYS = timetravel.MOST.days


@dataclass(frozen=True, slots=True)
class SandboxClock:
    """What the clock shows, how far it is ahead of the real time, and where it is being moved, by which job."""

    now: datetime
    ahead: timedelta
    target: datetime | None
    job: Job | None


def clock() -> SandboxClock:
    """The clock of the scope's organization, which in a live one is the real time. Inside work()."""
    moving = timetravel.under_way()
    ahead = Organization.objects.values_list("clock_offset", flat=True).get(pk=current().organization_id)
    return SandboxClock(
        timetravel.business_now(),
        ahead,
        moving.target if moving else None,
        moving.job if moving else None,
    )


@dataclass(frozen=True, slots=True)
class SandboxStanding:
    """The sandbox of an organization with the day and the state of its clock; None of each while there is none."""

    sandbox: Organization | None
    today: date | None
    clock: SandboxClock | None

    @property
    def exists(self) -> bool:
        return self.sandbox is not None

    @property
    def advancing(self) -> bool:
        """Whether its clock is on its way."""
        return self.clock is not None and self.clock.target is not None


def standing() -> SandboxStanding:
    """Whether there is a sandbox, and where its clock stands; asked from either side. Outside work().

    Raises Forbidden without SANDBOX_USE.
    """
    require(SANDBOX_USE)
    if is_sandbox():
        return _own_standing()
    twin = other_side()
    if twin is None:
        return SandboxStanding(None, None, None)
    with enter(replace(current(), organization_id=twin.pk, memo={})):
        return _own_standing()


def _own_standing() -> SandboxStanding:
    with work():
        found = clock()
        day = found.now.astimezone(ZoneInfo(entity().zone)).date()
        return SandboxStanding(organization(), day, found)


def last_move() -> Job | None:
    """The job of the latest move, also of one that is over. Inside work()."""
    return Job.objects.filter(kind=KIND).order_by("-id").first()


def advance(*, to: datetime | None = None, by: timedelta = timedelta()) -> Job:
    """Move the clock to an instant, or by a span; everything due on the way is done at its time. Inside work().

    Raises NotASandbox, Forbidden without SANDBOX_MANAGE, Advancing while it is being moved, and Invalid for both or
    neither, for what is over and for more than MOST_DAYS.
    """
    require(SANDBOX_MANAGE)
    require_sandbox()
    if (to is None) == (by == timedelta()):
        raise Invalid("Say when, or by how much.", fields={"to": "Give either a time or a span."})
    return timetravel.start(to if to is not None else timetravel.business_now() + by)


def advance_to_day(day: date) -> Job:
    """Move the clock to the beginning of a day of the legal entity's. As `advance`. Inside work()."""
    return advance(to=datetime.combine(day, time(), ZoneInfo(entity().zone)))

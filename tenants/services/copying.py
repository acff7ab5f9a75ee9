"""Copying the live organization's configuration, and made-up likenesses of its customers, into the sandbox."""

from datetime import datetime

from core import clock, jobs
from core.copying import Copier, chosen
from core.effects import due
from core.errors import Conflict
from core.locks import lock_one
from core.models import Job, Organization
from core.pages import missing
from core.sandbox import require_sandbox
from core.scope import current, enter, require, work
from core.tasks import system_scope
from tenants.permissions import SANDBOX_MANAGE, SANDBOX_USE

KIND = jobs.kind("sandbox.copy", view=SANDBOX_USE, stop=SANDBOX_MANAGE)
SEE_CUSTOMERS = ("customers.view", "subscriptions.view")
CHUNK = 50


class Copying(Conflict):
    """The live organization is being copied in already."""

    code = "copying"


def start(*, customers: bool) -> Job:
    """Have configuration, and with `customers` likenesses of customers and subscriptions, copied in. Inside work().

    Natural key of each row: the live one's public id, or its code; copied again it adds what is new. Raises
    NotASandbox, Forbidden without SANDBOX_MANAGE (with `customers` also SEE_CUSTOMERS), Copying while one is under way.
    """
    require(SANDBOX_MANAGE)
    for right in SEE_CUSTOMERS if customers else ():
        require(right)
    require_sandbox()
    lock_one(Organization.objects.filter(pk=current().organization_id))
    if Job.objects.filter(kind=KIND, state__in=jobs.OPEN).exists():
        raise Copying("The live organization is being copied in already.")
    job = jobs.start(KIND, customers=customers, at=0, after=0, made=0)
    due(KIND, [(job.public_id, {"job": job.public_id})])
    return job


def work_off(public_id: str, *, until: datetime) -> bool:
    """Copy chunk after chunk; False when time was up before the end. Outside work().

    What a chunk made and how far it is are one transaction, so whoever comes back goes on behind it.
    """
    with work():
        live_id: int = Organization.objects.filter(
            pk=current().organization_id, live_twin__isnull=False
        ).values_list("live_twin_id", flat=True)[0]
        job = jobs.job(public_id)
    copiers = chosen(people=job.payload["customers"])
    if job.state == "queued":
        _begin(public_id, live_id, copiers)
    while _step(public_id, live_id, copiers):
        if clock.wall() >= until:
            return False
    return True


def _begin(public_id: str, live_id: int, copiers: list[Copier]) -> None:
    with enter(system_scope(live_id)), work():
        total = sum(each.rows().count() for each in copiers)
    with work():
        Job.objects.filter(public_id=public_id, state="queued").update(state="running", total=total)


def _step(public_id: str, live_id: int, copiers: list[Copier]) -> bool:
    with work():
        job = lock_one(Job.objects.filter(public_id=public_id))
    at, after = job.payload["at"], job.payload["after"]
    if job.state not in jobs.OPEN:
        return False
    if job.cancel_requested or at >= len(copiers):
        jobs.finish(job, state="cancelled" if job.cancel_requested else "done")
        return False
    copier = copiers[at]
    with enter(system_scope(live_id)), work():
        rows = list(copier.rows().filter(pk__gt=after).order_by("pk")[:CHUNK])
        facts = copier.facts(rows)
    with work():
        job = lock_one(Job.objects.filter(public_id=public_id))
        if (job.payload["at"], job.payload["after"]) != (at, after):
            return True  # another worker was quicker; look where it is
        job.payload["made"] += copier.write(facts)
        job.payload |= {"after": rows[-1].pk} if len(rows) == CHUNK else {"at": at + 1, "after": 0}
        job.done = min(job.total, job.done + len(rows))
        job.touch("payload", "done")
    return True


def give_up(public_id: str, why: str) -> None:
    """End the job with the reason why it could not be done. Inside work()."""
    Job.objects.filter(public_id=public_id, state__in=jobs.OPEN).update(state="failed", message=why)


def last() -> Job | None:
    """The latest copying, also one that is over. Inside work()."""
    found: Job | None = Job.objects.filter(kind=KIND).order_by("-id").first()
    return found


def missing_right() -> str:
    """Why the actor may not have customers copied, or nothing. Inside work()."""
    return next((why for right in SEE_CUSTOMERS if (why := missing(right))), "")

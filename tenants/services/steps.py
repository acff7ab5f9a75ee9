"""A job's work in steps, each all or nothing, that can be stopped anywhere and goes on where it was.

A step takes the next things, acts on them, and notes how far it came, in one transaction. Killed in between, the next
worker goes on behind the last step that was committed. Whoever asked must still have the right at each step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from core import jobs
from core.errors import AppError, Conflict
from core.locks import lock_one
from core.models import Job
from core.scope import Scope, enter, work
from tenants.selectors import member_scope


class Overtaken(Conflict):
    """Another worker has the job too and was faster; this step is undone."""

    code = "overtaken"


@dataclass(frozen=True, slots=True)
class Steps:
    """How jobs of a kind are worked off. Their payload names the `user` who asked and says in `after` how far it came.

    `rows` are the next things by id, `act` does them, `note` writes into the locked job what became of them.
    """

    kind: str
    right: str
    rows: Callable[[Job], list[Any]]
    act: Callable[[Job, list[Any]], Any]
    note: Callable[[Job, list[Any], Any], None]

    def step(self, public_id: str) -> bool:
        """Do the next things; False when the job has ended. Opens its own transaction."""
        with work():
            job = self._ahead(public_id)
            user, label = job.payload["user"], job.started_by
        scope = member_scope(user, origin="worker", request_id=public_id)
        if scope is None or not scope.may(self.right):
            return self._stop(public_id, _("%(name)s may not do this any more.") % {"name": label})
        try:
            return self.take(public_id, scope)
        except Overtaken:
            return True  # nothing of this step was written; look where the other one is
        except AppError as error:
            return self._stop(public_id, error.message)

    def take(self, public_id: str, scope: Scope) -> bool:
        """One step as somebody. The job is locked only when the act is done: who wants to stop it waits for no act."""
        with enter(scope), work():
            before = self._ahead(public_id)
            if before.state not in jobs.OPEN:
                return False
            rows = [] if before.cancel_requested else self.rows(before)
            became = self.act(before, rows) if rows else None
            job = self.locked(public_id)
            if job.payload["after"] != before.payload["after"] or job.state not in jobs.OPEN:
                raise Overtaken("Another worker did these.")
            if rows:
                self.note(job, rows, became)
                job.payload["after"] = rows[-1].pk
                job.done += len(rows)
            job.state = "running" if rows else "cancelled" if before.cancel_requested else "done"
            job.touch("state", "done", "payload")
            if job.state == "done":
                jobs.tell_ended(job)
            return bool(rows)

    def give_up(self, public_id: str, why: str) -> None:
        """End a job whose worker kept failing, with the reason. Inside work(). Ended already, it stays as it is."""
        job = self.locked(public_id)
        if job.state in jobs.OPEN:
            job.state, job.message = "failed", _("It kept failing and is parked: %(why)s") % {"why": why}
            job.payload["given_up"] = True
            jobs.tell_ended(job.touch("state", "message", "payload"))

    def take_up(self, public_id: str) -> None:
        """Go on with a job that was given up, because somebody put it back to be tried again. Inside work()."""
        job = self.locked(public_id)
        if job.payload.pop("given_up", False) and job.state == "failed":
            job.state, job.message = "running", ""
            job.touch("state", "message", "payload")

    def locked(self, public_id: str) -> Job:
        """The job, locked; raises NotFound, for one of another kind too. Inside work()."""
        return lock_one(Job.objects.filter(public_id=public_id, kind=self.kind))

    def _ahead(self, public_id: str) -> Job:
        found: Job = Job.objects.get(public_id=public_id, kind=self.kind)
        return found

    def _stop(self, public_id: str, message: str) -> bool:
        with work():
            job = self.locked(public_id)
            if job.state in jobs.OPEN:
                job.state, job.message = "failed", message
                jobs.tell_ended(job.touch("state", "message"))
        return False

"""A suspended organization bills, issues, charges and sends nothing."""

from datetime import datetime

from core import clock, locks
from core.errors import Conflict
from core.models import Organization
from core.scope import current


class Suspended(Conflict):
    """The organization is suspended, so nothing was done."""

    code = "organization_suspended"


def is_suspended(since: datetime | None) -> bool:
    """Whether a suspension from `since` on is in force by the organization's own time."""
    return since is not None and since <= clock.now()


def require_live() -> None:
    """Raise Suspended for a suspended organization, and keep it from being suspended to the end of the transaction.

    Inside work(), before anything is written: whatever this let through is committed before the suspension is.
    """
    own = Organization.objects.filter(pk=current().organization_id)
    if any(is_suspended(since) for (since,) in locks.keep(own.values_list("suspended_at"))):
        raise Suspended("The organization is suspended: nothing is billed, issued, charged or sent.")

"""A suspended organization bills, issues, charges and sends nothing."""

from core import locks
from core.errors import Conflict
from core.models import Organization
from core.scope import current


class Suspended(Conflict):
    """The organization is suspended, so nothing was done."""

    code = "organization_suspended"


def require_live() -> None:
    """Raise Suspended for a suspended organization, and keep it from being suspended to the end of the transaction.

    Inside work(), before anything is written: whatever this let through is committed before the suspension is.
    """
    own = Organization.objects.filter(pk=current().organization_id)
    for (suspended_at,) in locks.keep(own.values_list("suspended_at")):
        if suspended_at:
            raise Suspended("The organization is suspended: nothing is billed, issued, charged or sent.")

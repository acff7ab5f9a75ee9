"""The other side of an organization: of a live one its sandbox, of a sandbox its live one. Reads only."""

from dataclasses import replace

from core import doors
from core.models import Organization
from core.scope import current, enter, work


def other_side() -> Organization | None:
    """The sandbox of a live organization, None while there is none; the live one of a sandbox. Outside work().

    For whoever may open both, which is asked of their membership when they do.
    """
    with work():
        own = Organization.objects.get(pk=current().organization_id)
        other_id = own.live_twin_id or doors.twin_of_own()
    if other_id is None:
        return None
    with enter(replace(current(), organization_id=other_id, memo={})), work():
        other: Organization = Organization.objects.get(pk=other_id)
    return other

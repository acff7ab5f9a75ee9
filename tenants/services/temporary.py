"""Temporary access: its end is announced a week and a day before, and at its minute it is over for good.

The membership's own bounds decide at every request, so nobody comes in later even when no worker runs. What is done
here is what must be seen afterwards: the mails, the keys that end, the line in the audit.
"""

from datetime import datetime, timedelta

from core import clock, effects
from core.events import emit
from core.locks import lock
from tenants.events import AccessEnding, MemberChanged
from tenants.models import ApiKey, Membership

BEFORE = (timedelta(days=7), timedelta(days=1))
WARN, END = "access.warn", "access.end"


def watch(member: Membership) -> None:
    """Make due what has to happen before and at the end of a membership that has one. Inside work().

    Natural key: the member, the end and what is due; an end that was moved finds its old work to be nothing.
    """
    until = member.valid_until
    if until is None:
        return
    facts = {"member": member.public_id, "until": until.isoformat()}
    key = f"{member.public_id}:{until.isoformat()}"
    for before in BEFORE:
        if until - before > clock.wall():
            effects.due(WARN, [(f"{key}:{before.days}", {**facts, "days": before.days})], at=until - before)
    effects.due(END, [(key, facts)], at=until)


def _temporary(public_id: str, until: str) -> Membership | None:
    """The member, locked, if they still come in and their access still ends then."""
    end = datetime.fromisoformat(until)
    rows = lock(Membership.objects.filter(public_id=public_id, valid_until=end, disabled_at=None))
    return rows[0] if rows else None


def warn(public_id: str, *, until: str, days: int) -> None:
    """Announce the end of somebody's access; nothing when it was moved or ended meanwhile. Inside work()."""
    member = _temporary(public_id, until)
    if member is not None and member.valid_until and member.valid_until > clock.wall():
        emit(AccessEnding(member.public_id, member.version, until, days))


def end(public_id: str, *, until: str) -> None:
    """Shut out whose time is over, with their keys. Inside work(). Again, or after it was moved, changes nothing."""
    member = _temporary(public_id, until)
    if member is None or member.valid_until is None or member.valid_until > clock.wall():
        return
    member.disabled_at = member.valid_until
    member.touch("disabled_at")
    for key in lock(ApiKey.objects.filter(member=member, revoked_at=None)):
        key.revoked_at = member.valid_until
        key.touch("revoked_at")
    emit(MemberChanged(member.public_id, member.version, "over"))

"""A member read something, or chose how to be told."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from core import clock
from core.errors import Invalid, NotFound
from core.locks import lock
from core.scope import current
from messaging.bell import mine
from messaging.models import NoticeChoice, Notification
from messaging.notices import kinds, may_see
from tenants.rights import acting_member


def read(public_id: str) -> None:
    """Mark one's own notification as read. Inside work(). Again it stays as it was; raises NotFound."""
    if not mine(acting_member().pk).filter(public_id=public_id).exists():
        raise NotFound(_("That notification is not here."))
    Notification.objects.filter(public_id=public_id, read_at=None).update(read_at=clock.wall())


def read_all(upto: str) -> int:
    """Mark as read what is up to a notification that was on the screen, not what came since; how many. Inside work().

    Raises NotFound.
    """
    own = mine(acting_member().pk)
    last = own.filter(public_id=upto).values_list("pk", flat=True).first()
    if last is None:
        raise NotFound(_("That notification is not here."))
    return own.filter(pk__lte=last, read_at=None).update(read_at=clock.wall())


def read_by_everybody() -> int:
    """Mark as read all that members were told, because it is long past; how many. Inside work()."""
    return Notification.objects.filter(read_at=None).update(read_at=clock.wall())


def choose(chosen: Mapping[str, str]) -> None:
    """Have the acting member told of these kinds in these ways from now on. Inside work(). All or nothing.

    Natural key: member and kind; what a kind does anyway leaves no row. Raises Invalid for a kind that is not the
    member's to choose, and for a way that it does not offer.
    """
    rights = current().permissions
    for name, way in chosen.items():
        kind = kinds.get(name)
        if kind is None or kind.fixed or not may_see(kind, rights) or way not in set(kind.ways):
            raise Invalid(_("That cannot be chosen."), fields={name: _("Choose one of the ways shown.")})
    member = acting_member()
    there = {row.kind: row for row in lock(NoticeChoice.objects.filter(member=member, kind__in=list(chosen)))}
    for name, way in chosen.items():
        row = there.get(name)
        if row is None and way != kinds[name].way:
            NoticeChoice.objects.update_or_create(member=member, kind=name, defaults={"way": way})
        elif row is not None and way == kinds[name].way:
            row.delete()
        elif row is not None and row.way != way:
            row.way = way
            row.touch("way")

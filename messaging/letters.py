"""The mails about notifications: at once about some, or once a day about what was not read.

Both read anew what they tell: a right that was lost, a choice that changed, and for the digest what was read under the
bell in between, are not told any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.models import Effect
from core.registry import effect
from core.scope import Actor, acting, enter, work
from core.templatetags.fmt import clocktime, longdate
from messaging import bell
from messaging.composers import Answer, Ready, Skip, composer, private
from messaging.domain.letters import Letter, Line
from messaging.domain.ways import Way
from messaging.models import Notification
from messaging.notices import way_of
from messaging.services import forget
from messaging.services.notify import DIGEST, FORGET, LETTER
from messaging.services.queue import Draft, queue_for_event
from tenants.rights import live, rights_of_member, with_groups
from tenants.selectors import entity, organization

DAILY = "digest"
MOST = 30
"""So many lines stand in a letter; the rest is counted."""
private.update({LETTER, DAILY})


@dataclass(frozen=True, kw_only=True)
class Notices(Letter):
    """What a member is told; `first` is the subject where there is one line, `more` how many are left out."""

    template: ClassVar[str] = "notice"

    first: str
    count: str
    lines: tuple[Line, ...]
    detail: str = ""
    more: str = ""
    day: str = ""
    open_url: str = ""
    choose_url: str = ""


def _member(public_id: str) -> Any:
    """The member who is told, with their groups, if they still come in."""
    return with_groups(live().select_related("user")).filter(public_id=public_id).first()


def _told(member: Any, way: Way, **which: Any) -> list[Notification]:
    """The lines of a letter that its reader may still see and wants told in this way. In the reader's scope."""
    chosen = bell.chosen_by(member.pk)
    wanted = [kind.name for kind in bell.heard(chosen) if way_of(kind, chosen.get(kind.name)) is way]
    found = Notification.objects.filter(member=member, kind__in=wanted, **which)
    return list(found.order_by("id"))


def _compose(message: Any, way: Way, **which: Any) -> Answer:
    member = _member(message.about)
    if member is None:
        return Skip("The member does not come in any more.")
    reader = acting(
        actor=Actor("member", member.user_id, member.user.name), permissions=rights_of_member(member), memo={}
    )
    house = organization()
    with enter(reader):
        rows = _told(member, way, **which)
        if not rows:
            return Skip("There is nothing left to tell.")
        said = bell.lines(rows, house.slug)
    return Ready(_letter(house, member.user.name, said, which.get("digest_on")))


def _letter(house: Any, name: str, said: Sequence[bell.Line], day: date | None) -> Notices:
    zone = ZoneInfo(entity().zone)
    base = settings.BASE_URL
    one = said[0] if len(said) == 1 else None
    return Notices(
        organization_name=house.name,
        customer_name=name,
        first=str(one.said.title) if one else "",
        detail=str(one.said.detail) if one else "",
        count=str(len(said)),
        lines=tuple(
            Line(str(line.said.title), clocktime(line.at.astimezone(zone).time())) for line in said[:MOST]
        ),
        more=str(len(said) - MOST) if len(said) > MOST else "",
        day=longdate(day) if day else "",
        open_url=base + (one.href if one and one.href else reverse("notifications", args=[house.slug])),
        choose_url=base + reverse("notification-choices", args=[house.slug]),
    )


@composer(LETTER, _("Notification"))
def compose_letter(message: Any) -> Answer:
    """What this letter was queued for."""
    return _compose(message, Way.MAIL, mail=message.dedupe)


@composer(DAILY, _("Digest"))
def compose_digest(message: Any) -> Answer:
    """What of the day was not read."""
    return _compose(message, Way.DIGEST, digest_on=date.fromisoformat(message.dedupe), read_at=None)


@effect(DIGEST, _("Send a digest of notifications"))
def send_digest(row: Effect) -> None:
    """Queue a member's digest of a day, once; run again it finds it queued. Nothing to say is no mail."""
    public_id, day = row.payload["member"], row.payload["day"]
    with work():
        member = _member(public_id)
        if member is None:
            return
        left = Notification.objects.filter(member=member, digest_on=date.fromisoformat(day), read_at=None)
        if left.exists():
            queue_for_event([Draft(DAILY, public_id, to=member.user.email, dedupe=day)])


@effect(FORGET, _("Forget old notifications"))
def forget_old(_row: Effect) -> None:
    """Delete what is older than is kept; run again it finds nothing."""
    forget.forget_old()

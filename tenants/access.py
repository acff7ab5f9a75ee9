"""Reading the access log: what is filtered, in words, and what of it is unusual."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Min, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from core.limits import network_of
from core.paging import Order
from core.templatetags.fmt import clocktime, longdate
from tenants.domain.unusual import HOUR, Before, Line, Reason, reasons
from tenants.models import AccessEvent, Membership

NEWEST = Order("pk", int, descending=True)
LOOKED_AT = 2000
"""So many of the newest lines are looked through for what is unusual."""
KINDS = {
    "signed_in": _("Signed in"),
    "sign_in_failed": _("Sign-in failed"),
    "signed_out": _("Signed out"),
    "password_set": _("Password set"),
    "joined": _("Invitation accepted"),
    "refused": _("Refused: lacks the right"),
    "exported": _("File downloaded"),
    "key_wrong": _("Key refused: over, revoked or from elsewhere"),
    "key_first": _("Key used for the first time"),
}
WHY = {
    Reason.NEW_ADDRESS: _("first time from this address"),
    Reason.AFTER_FAILURES: _("after 5 failures or more within an hour"),
    Reason.MANY_REFUSALS: _("10 refusals or more within an hour"),
    Reason.ODD_HOUR: _("at night or at the weekend"),
}
UNUSUAL_KINDS = ("signed_in", "refused", "exported")


@dataclass(frozen=True, slots=True)
class AccessFilter:
    """What of the log is asked for; `who` is a member's id."""

    who: str = ""
    kind: str = ""
    address: str = ""
    start: datetime | None = None
    end: datetime | None = None
    unusual: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A line as people read it; `why` is what is unusual about it."""

    row: AccessEvent
    when: str
    what: str
    why: list[str]


def events(wanted: AccessFilter) -> "QuerySet[AccessEvent]":
    """The lines that a filter means, in no order. Inside work()."""
    rows: QuerySet[AccessEvent] = AccessEvent.objects.all()
    if wanted.who:
        member = Membership.objects.filter(public_id=wanted.who).first()
        rows = rows.filter(user_id=member.user_id if member else 0)
    if wanted.kind:
        rows = rows.filter(kind=wanted.kind)
    if wanted.address:
        rows = rows.filter(address=wanted.address)
    if wanted.start:
        rows = rows.filter(at__gte=wanted.start)
    return rows.filter(at__lt=wanted.end) if wanted.end else rows


def unusual(wanted: AccessFilter, zone: str) -> list[Shown]:
    """What is unusual among the newest lines of the filter, newest first. Inside work()."""
    rows = events(wanted).filter(kind__in=UNUSUAL_KINDS).order_by("-pk")[:LOOKED_AT]
    return [line for line in shown(rows, zone) if line.why]


def shown(rows: Iterable[AccessEvent], zone: str) -> list[Shown]:
    """The lines in words; four queries, however many. Inside work()."""
    found = list(rows)
    local = ZoneInfo(zone)
    before = _before(found, local)
    return [_shown(row, local, before) for row in found]


def _shown(row: AccessEvent, local: ZoneInfo, before: Before) -> Shown:
    at = row.at.astimezone(local)
    line = Line(row.pk, row.kind, row.user_id, network_of(row.address), at)
    return Shown(
        row,
        f"{longdate(at.date())} {clocktime(at.time())}",
        str(KINDS.get(row.kind, row.kind)),
        [str(WHY[reason]) for reason in reasons(line, before)],
    )


def _before(rows: Sequence[AccessEvent], local: ZoneInfo) -> Before:
    """What the rules must know of the people on the lines."""
    people = {row.user_id for row in rows if row.user_id and row.kind in UNUSUAL_KINDS}
    if not people:
        return Before({}, {}, {}, {})
    own = AccessEvent.objects.filter(user_id__in=people)
    signed_in = own.filter(kind="signed_in")
    firsts = signed_in.values("user_id").annotate(first=Min("pk")).values_list("user_id", "first")
    span = (min(row.at for row in rows) - HOUR, max(row.at for row in rows))
    wrong: dict[str, dict[int, list[Any]]] = {"sign_in_failed": {}, "refused": {}}
    for kind, user, at in own.filter(kind__in=wrong, at__range=span).values_list("kind", "user_id", "at"):
        wrong[kind].setdefault(user, []).append(at.astimezone(local))
    return Before(
        first=dict(firsts),
        first_from=_firsts_from(signed_in, {row.address for row in rows}),
        failed={user: tuple(moments) for user, moments in wrong["sign_in_failed"].items()},
        refused={user: tuple(moments) for user, moments in wrong["refused"].items()},
    )


def _firsts_from(signed_in: "QuerySet[AccessEvent]", addresses: set[str]) -> dict[tuple[int, str], int]:
    """The first line of each person from each place; an IPv6 address stands for all of its network."""
    wide = Q(address__contains=":") if any(":" in each for each in addresses) else Q()
    lines = signed_in.filter(Q(address__in=addresses) | wide)
    found: dict[tuple[int, str], int] = {}
    each = lines.values("user_id", "address").annotate(first=Min("pk")).order_by("first")
    for user_id, address, first in each.values_list("user_id", "address", "first"):
        found.setdefault((user_id, network_of(address)), first)
    return found


def came_from(request: str, user_id: int) -> tuple[str, str] | None:
    """Address and program of a person's sign-in, by its request. Inside work()."""
    lines = AccessEvent.objects.filter(user_id=user_id, kind="signed_in", request_id=request)
    return lines.values_list("address", "agent").first()

"""What every staff page shows around its content: organization, person, sidebar. See docs/frontend.md."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from arapp.api.calls import Copied, copied
from arapp.releases import is_new_to
from core import clock, registry
from core.scope import current_or_none, work
from tenants.permissions import HOME_VIEW, SANDBOX_USE, built_in_roles
from tenants.seats import remembered
from tenants.selectors import Seat, entity

FOOT = "Settings"
SECTIONS = ("", "Receivables", "Billing", "Books", FOOT)
"""The sections that NavItem.section may name, in their order."""


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the sidebar; `needs` names a role that may open it when the person may not."""

    label: str
    icon: str
    href: str
    key: str
    active: bool
    allowed: bool
    needs: str
    count: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A group of entries."""

    label: str
    items: list[Item]
    foot: bool = False


@dataclass(frozen=True, slots=True)
class Organization:
    """The organization of the page, or another one of the person's."""

    name: str
    slug: str
    href: str
    current: bool = False

    @property
    def initial(self) -> str:
        return self.name.strip()[:1].upper()


@dataclass(frozen=True, slots=True)
class Member:
    """The person."""

    name: str
    role: str

    @property
    def initials(self) -> str:
        words = self.name.split()
        return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


@dataclass(frozen=True, slots=True)
class Shell:
    """See docs/frontend.md."""

    organization: Organization
    organizations: list[Organization]
    member: Member
    sections: list[Section]
    sandbox: bool
    sign_out_href: str
    search_href: str = ""
    switch_href: str = ""
    """Leads to the other side, live or sandbox, for those who may open both."""
    bell_href: str = ""
    call: Copied | None = None
    bell_count_href: str = ""
    bell_panel_href: str = ""
    choices_href: str = ""
    news_panel_href: str = ""
    news_unread: bool = False
    extra: dict[str, Any] = field(default_factory=dict)


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `shell` and `today`, read when a page asks for them; nothing outside /o/<slug>/."""
    seat = getattr(request, "seat", None)
    if seat is None or isinstance(request.user, AnonymousUser):
        return {}
    return {
        "shell": SimpleLazyObject(lambda: _shell(request, seat)),
        "today": SimpleLazyObject(_today),
    }


def _today() -> date | None:
    """The legal entity's date; none on an error page whose scope or database is gone."""
    if current_or_none() is None:
        return None
    try:
        with work():
            return clock.today(entity().zone)
    except DatabaseError:
        return None


def _shell(request: HttpRequest, seat: Seat) -> Shell:
    here = _organization(seat.organization.slug, seat.organization.name, current=True)
    return Shell(
        organization=here,
        organizations=_organizations(request, here),
        member=Member(seat.scope.actor.label, seat.role.name),
        sections=_sections(request, seat),
        sandbox=seat.organization.live_twin_id is not None,
        sign_out_href=reverse("sign-out"),
        search_href=reverse("search", args=[seat.organization.slug]),
        switch_href=_switch(seat),
        call=copied(request),
        **_bell(request, seat),
    )


def _bell(request: HttpRequest, seat: Seat) -> dict[str, Any]:
    """Where the bell and the news are; what is new is asked for by the page itself, so that none waits for it."""
    if not seat.scope.may(HOME_VIEW):
        return {}
    slug = seat.organization.slug
    return {
        "bell_href": reverse("notifications", args=[slug]),
        "bell_count_href": reverse("bell-count", args=[slug]),
        "bell_panel_href": reverse("bell-panel", args=[slug]),
        "choices_href": reverse("notification-choices", args=[slug]),
        "news_panel_href": reverse("news-panel", args=[slug]),
        "news_unread": is_new_to(request.user),
    }


def _switch(seat: Seat) -> str:
    may = seat.scope.may(SANDBOX_USE)
    return reverse("sandbox-switch", args=[seat.organization.slug]) if may else ""


def _organization(slug: str, name: str, *, current: bool = False) -> Organization:
    return Organization(name, slug, reverse("home", args=[slug]), current)


def _organizations(request: HttpRequest, here: Organization) -> list[Organization]:
    """As the session remembers them, so that no page pays for a long list; the one of the page is always there."""
    known = [here if slug == here.slug else _organization(slug, name) for slug, name in remembered(request)]
    if here not in known:
        known.insert(0, here)
    start = Organization(_("All organizations"), "", reverse("front"))
    return known if len(known) == 1 else [*known, start]


def _sections(request: HttpRequest, seat: Seat) -> list[Section]:
    slug = seat.organization.slug
    places = [(item, _href(item.url_name, slug)) for item in registry.nav]
    places = [(item, href) for item, href in places if href]
    start = reverse("home", args=[slug])  # every page's address begins so
    under = [href for _item, href in places if request.path.startswith(href) and href != start]
    active = max(under, key=len, default=start if request.path == start else "")
    found: dict[str, list[tuple[int, Item]]] = {name: [] for name in SECTIONS}
    for item, href in places:
        shown = Item(
            label=str(item.label),
            icon=item.icon,
            href=href,
            key=item.key,
            active=href == active,
            allowed=seat.scope.may(item.permission),
            needs=_needed_role(seat, item.permission),
        )
        found.setdefault(item.section, []).append((item.order, shown))
    return [
        Section(
            "" if name in ("", FOOT) else _(name),
            [shown for _order, shown in sorted(items, key=lambda each: each[0])],
            foot=name == FOOT,
        )
        for name, items in found.items()
        if items
    ]


def _href(url_name: str, slug: str) -> str:
    try:
        return reverse(url_name, args=[slug])
    except NoReverseMatch:
        return ""


def _needed_role(seat: Seat, permission: str) -> str:
    """Which built-in role would do where the person's rights do not: the one with the fewest; no query."""
    if seat.scope.may(permission):
        return ""
    fitting = [role for role in built_in_roles().values() if permission in role.rights]
    return str(min(fitting, key=lambda role: len(role.rights)).name)

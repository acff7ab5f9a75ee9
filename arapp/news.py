"""What's new: the panel and the page, the mark of who opened it, and the mail to who asked for one."""

from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from arapp.releases import NEWEST, RELEASES
from core import doors
from core.scope import enter, work
from core.tasks import system_scope
from core.web import page
from messaging.bell import chose
from messaging.composers import Answer, Ready, Skip, composer
from messaging.domain.letters import Letter, Line
from messaging.domain.ways import Way
from messaging.known import NEWS
from messaging.services.queue import Draft, queue_for_event
from tenants.permissions import HOME_VIEW
from tenants.selectors import organization
from tenants.services.accounts import saw_news


@page(HOME_VIEW)
@require_safe
def news_page(request: HttpRequest, slug: str) -> TemplateResponse:
    """All versions."""
    return TemplateResponse(request, "news/page.html", {"slug": slug, "releases": RELEASES})


@page(HOME_VIEW)
@require_POST
def news_panel(request: HttpRequest, slug: str) -> TemplateResponse:
    """The newest version for the panel; from then on the person has seen it."""
    saw_news(request.user.pk or 0, NEWEST.version)
    return TemplateResponse(request, "news/panel.html", {"slug": slug, "release": NEWEST})


@dataclass(frozen=True, kw_only=True)
class News(Letter):
    """A new version, to who asked to be told by mail."""

    template: ClassVar[str] = "news"

    version: str
    lines: tuple[Line, ...]
    news_url: str
    choose_url: str


def announce() -> int:
    """Queue the mail about the newest version to all members who want one; how many. Opens its own transactions.

    Natural key: member and version, so that run again it queues nothing.
    """
    told = 0
    for organization_id in doors.organizations():
        with enter(system_scope(organization_id, origin="command")), work():
            wanted = chose(NEWS, Way.MAIL)
            queue_for_event(
                [Draft(NEWS, each.public_id, to=each.email, dedupe=NEWEST.version) for each in wanted]
            )
            told += len(wanted)
    return told


@composer(NEWS, _("News"))
def compose_news(message: Any) -> Answer:
    """The newest version's items; nothing to who ended or chose otherwise meanwhile."""
    reader = next((each for each in chose(NEWS, Way.MAIL) if each.public_id == message.about), None)
    if reader is None:
        return Skip("The member does not want news by mail any more.")
    release = next((each for each in RELEASES if each.version == message.dedupe), NEWEST)
    house = organization()
    return Ready(
        News(
            organization_name=house.name,
            customer_name=reader.name,
            version=release.version,
            lines=tuple(Line(str(item.title), str(item.text)) for item in release.items),
            news_url=settings.BASE_URL + reverse("news", args=[house.slug]),
            choose_url=settings.BASE_URL + reverse("notification-choices", args=[house.slug]),
        )
    )

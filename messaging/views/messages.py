"""What was written to customers: the list, one message as it went out, and sending it again."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp_replace, csp_update
from django.contrib import messages as flash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from core import clock
from core.errors import AppError
from core.pages import attempt, missing
from core.paging import CURSOR, Address, Chip, paged
from core.templatetags.fmt import clocktime, shortdate
from core.timeline import Named, link, named
from core.web import page
from messaging.composers import composers, kind_label
from messaging.domain.states import REPEATABLE, State
from messaging.forms import FilterForm
from messaging.models import Message
from messaging.permissions import MESSAGES_SEND, MESSAGES_VIEW
from messaging.selectors import NEWEST, MessageFilter, attached_to, letter_of, message, messages, moves_of
from messaging.services.queue import send_again
from tenants.selectors import entity

FILTERS = ("state", "kind", "q", "customer", "about")
AS_LETTER = {
    "default-src": [NONE],
    "script-src": [NONE],
    "connect-src": [NONE],
    "font-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "img-src": ["data:"],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [SELF],
    "sandbox": True,
}
"""The letter's own styles and nothing else: no script, no picture from elsewhere, no form, no link that leads away."""


@page(MESSAGES_VIEW)
@require_safe
def messages_page(request: HttpRequest, slug: str) -> TemplateResponse:
    wanted = FilterForm(request.GET).wanted()
    address = Address.of(request.GET, FILTERS)
    part = paged(messages(wanted), NEWEST, request.GET.get(CURSOR, ""))
    names, zone = _names(slug, part.rows, wanted), _zone()
    chips = _chips(wanted, address, names)
    context = {
        "slug": slug,
        "wanted": wanted,
        "rows": [_row(row, names, zone) for row in part.rows],
        "tabs": _tabs(wanted, address),
        "kinds": _kinds(wanted, address),
        "chips": chips,
        "clear": address.href(**dict.fromkeys(FILTERS, "")) if chips else "",
        "kept": {name: value for name, value in address.given.items() if name != "q"},
        "newer": address.page(part.newer),
        "older": address.page(part.older),
    }
    return TemplateResponse(request, "messaging/list.html", context)


def _zone() -> ZoneInfo:
    return ZoneInfo(entity().zone)


def _names(slug: str, rows: Iterable[Message], wanted: MessageFilter) -> dict[str, Named]:
    ids = {public_id for row in rows for public_id in (row.about, row.customer_public_id)}
    return named(slug, filter(None, ids | {wanted.customer, wanted.about}))


def _row(row: Message, names: dict[str, Named], zone: ZoneInfo) -> dict[str, Any]:
    return {
        "row": row,
        "kind": kind_label(row.kind),
        "about": names.get(row.about),
        "customer": names.get(row.customer_public_id),
        "at": _when(row.sent_at or row.created_at, zone),
    }


def _when(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{shortdate(local.date(), clock.today(str(zone)))} {clocktime(local.time())}"


def _tabs(wanted: MessageFilter, address: Address) -> list[dict[str, Any]]:
    words = {
        "": _("All"),
        State.QUEUED: _("Queued"),
        State.SENDING: _("Being sent"),
        State.SENT: _("Sent"),
        State.SKIPPED: _("Skipped"),
        State.FAILED: _("Failed"),
    }
    return [
        {"label": word, "href": address.href(state=str(state)), "current": wanted.state == state}
        for state, word in words.items()
    ]


def _kinds(wanted: MessageFilter, address: Address) -> list[Chip]:
    """Kinds that one click filters by."""
    if wanted.kind:
        return []
    return [Chip(kind_label(kind), address.href(kind=kind)) for kind in sorted(composers)]


def _chips(wanted: MessageFilter, address: Address, names: dict[str, Named]) -> list[Chip]:
    def called(public_id: str) -> str:
        return names[public_id].label if public_id in names else public_id

    said = [
        (_("To “%(text)s…”") % {"text": wanted.recipient}, "q", wanted.recipient),
        (kind_label(wanted.kind), "kind", wanted.kind),
        (_("Customer is %(name)s") % {"name": called(wanted.customer)}, "customer", wanted.customer),
        (_("About %(name)s") % {"name": called(wanted.about)}, "about", wanted.about),
    ]
    return [Chip(label, address.href(**{name: ""})) for label, name, is_set in said if is_set]


@csp_update({"frame-src": [SELF]})
@page(MESSAGES_VIEW)
@require_safe
def message_page(request: HttpRequest, slug: str, public_id: str) -> TemplateResponse:
    return _message_page(request, slug, public_id)


def _message_page(
    request: HttpRequest, slug: str, public_id: str, *, error: AppError | None = None
) -> TemplateResponse:
    row = message(public_id)
    zone = _zone()
    names = named(slug, filter(None, [row.about, row.customer_public_id]))
    said = row.letter_text
    text = letter_of(row, said)
    context = {
        "slug": slug,
        **_row(row, names, zone),
        "title": row.shown_subject or kind_label(row.kind),
        "private": row.is_private,
        "written": bool(row.html_body or row.text_body) and not row.is_private,
        "as_text": request.GET.get("as") == "text" or not row.html_body,
        "text": text,
        "cut": not row.is_private and text != said,
        "files": attached_to(row),
        "made": _when(row.created_at, zone),
        "moves": [{"row": move, "at": _when(move.at, zone)} for move in reversed(moves_of(row))],
        "may_repeat": row.state in REPEATABLE,
        "no_send": missing(MESSAGES_SEND),
        "error": error,
        "crumbs": [{"label": _("Messages"), "href": link("messages", slug)}],
    }
    return TemplateResponse(request, "messaging/detail.html", context, status=error.status if error else 200)


@xframe_options_sameorigin
@csp_replace(AS_LETTER)
@page(MESSAGES_VIEW)
@require_safe
def message_letter(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """The HTML of a letter, for the frame on the message's page."""
    row = message(public_id)
    return HttpResponse(letter_of(row, row.letter_html))


@csp_update({"frame-src": [SELF]})
@page(MESSAGES_SEND)
@require_POST
def message_send_again(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """A failed or skipped message is queued once more; one under way or sent is refused."""
    with attempt() as outcome:
        send_again(public_id)
        flash.success(request, _("The message is on its way again"))
    if outcome.error:
        return _message_page(request, slug, public_id, error=outcome.error)
    return redirect("message", slug, public_id)

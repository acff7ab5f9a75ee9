"""Cash application: the bank lines that wait, one of them with its offers, and what a person decides."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cashapp.forms import AsideForm, parts_of
from cashapp.models import BankLine
from cashapp.permissions import PAYMENTS_APPLY, PAYMENTS_VIEW
from cashapp.queue import (
    ItemRow,
    Offer,
    around,
    lately_booked,
    next_open,
    of_state,
    offers,
    previous_open,
    rows_for,
    waiting_count,
)
from cashapp.services import lines
from cashapp.services.matching import settle_line
from core import clock
from core.errors import AppError, Invalid
from core.fields import fresh_key
from core.money import Money
from core.pages import attempt, missing
from core.paging import paged
from core.web import page
from customers.lookup import named
from customers.selectors import customer as customer_of
from receivables.selectors import states_by_public_id
from tenants.selectors import entity


@page(PAYMENTS_VIEW)
@require_GET
def lines_page(request: HttpRequest, slug: str) -> HttpResponse:
    """The lines of one state as a list; those that wait lead to their own page."""
    state = request.GET.get("state", "")
    state = state if state in {"booked", "aside"} else "open"
    part = paged(of_state(state), lines.BY_DAY, request.GET.get("page", ""))
    kept = f"state={state}&" if state != "open" else ""
    context = {
        "slug": slug,
        "today": clock.today(entity().zone),
        "state": state,
        **{f"is_{name}": state == name for name in ("open", "booked", "aside")},
        "rows": [{"line": row, "amount": Money(row.minor, row.currency)} for row in part.rows],
        "count": of_state(state).count(),
        "first": next_open() if state == "open" else None,
        "newer": f"?{kept}page={part.newer}" if part.newer else "",
        "older": f"?{kept}page={part.older}" if part.older else "",
        "key": fresh_key(),
        "no_apply": missing(PAYMENTS_APPLY),
    }
    return TemplateResponse(request, "cashapp/lines.html", context)


@page(PAYMENTS_APPLY)
@require_POST
def lines_match(request: HttpRequest, slug: str) -> HttpResponse:
    """Have a worker match the open lines again."""
    lines.match_soon(f"page:{request.POST.get('key', '')[:60] or fresh_key()}")
    messages.success(request, _("Matching again. What is certain is booked in a moment."))
    return redirect("bank-lines", slug)


@page(PAYMENTS_VIEW)
@require_GET
def line_page(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    return _line_page(request, slug, public_id)


def _line_page(
    request: HttpRequest, slug: str, public_id: str, *, error: AppError | None = None, reopen: bool = False
) -> HttpResponse:
    line = lines.line(public_id)
    found = offers(line) if line.state == "open" else []
    used = _used(request, found)
    customer = _customer(request, line, used)
    parts = used.parts if used and not error else {}
    rows = rows_for(line, customer, parts) if customer and line.state == "open" else []
    typed, problems = parts_of(request.POST, line.currency)
    context = {
        "slug": slug,
        "today": clock.today(entity().zone),
        "line": line,
        "amount": Money(line.minor, line.currency),
        "offers": found,
        "used": used,
        "customer": customer,
        "items": [_field(row, request.POST, problems) for row in rows],
        **_difference(
            line, typed if error else {row.item.public_id: row.part.minor for row in rows if row.part}
        ),
        "queue": [{"line": row, "amount": Money(row.minor, row.currency)} for row in around(line)],
        "waiting": waiting_count(),
        "lately": [{"line": row, "amount": Money(row.minor, row.currency)} for row in lately_booked()],
        "before": previous_open(line),
        "after": next_open(line),
        "aside": AsideForm(request.POST if reopen else None),
        "reopen": reopen,
        "error": error,
        "no_apply": missing(PAYMENTS_APPLY),
        "crumbs": [{"label": _("Matching"), "href": reverse("bank-lines", args=[slug])}],
    }
    status = error.status if error else 422 if reopen else 200
    return TemplateResponse(request, "cashapp/line.html", context, status=status)


def _used(request: HttpRequest, found: list[Offer]) -> Offer | None:
    """The offer that is laid out: the one asked for, else the best; none when a customer was chosen instead."""
    if request.GET.get("customer") or request.POST.get("customer") or request.GET.get("owner"):
        return None
    wanted = request.GET.get("use", "1")
    return next((offer for offer in found if str(offer.number) == wanted), found[0] if found else None)


def _customer(request: HttpRequest, line: BankLine, used: Offer | None) -> Any:
    if used is not None:
        return used.customer
    if public_id := request.POST.get("customer") or request.GET.get("owner", ""):
        return customer_of(public_id)
    return line.customer


def _field(row: ItemRow, typed: Any, problems: dict[str, str]) -> dict[str, Any]:
    name = f"part-{row.item.public_id}"
    return {
        "item": row.item,
        "open": row.open,
        "field": name,
        "typed": typed.get(name, f"{row.part.decimal:f}" if row.part else ""),
        "problem": problems.get(row.item.public_id, ""),
    }


def _difference(line: BankLine, parts: dict[str, int]) -> dict[str, Any]:
    applied = sum(parts.values())
    rest = line.minor - applied
    return {
        "applied": Money(applied, line.currency),
        "rest": Money(rest, line.currency),
        "tone": "zero" if rest == 0 else "off" if rest < 0 else "",
    }


@page(PAYMENTS_VIEW)
@require_POST
def line_difference(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """What the amounts typed so far leave of the line."""
    line = lines.line(public_id)
    parts, _problems = parts_of(request.POST, line.currency)
    context = {"amount": Money(line.minor, line.currency), **_difference(line, parts)}
    return TemplateResponse(request, "cashapp/parts/difference.html", context)


@page(PAYMENTS_VIEW)
@require_GET
def line_customer(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Lay out what another customer owes, named by what was typed."""
    try:
        found = named(request.GET.get("customer", ""))
    except Invalid as error:
        return _line_page(request, slug, public_id, error=error)
    answer = redirect("bank-line", slug, public_id)
    answer["Location"] += f"?owner={found.public_id}"
    return answer


@page(PAYMENTS_APPLY)
@require_POST
def line_settle(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Book the line's money as typed and go on to the next one."""
    line = lines.line(public_id)
    parts, problems = parts_of(request.POST, line.currency)
    version = request.POST.get("version", "")
    with attempt() as outcome:
        if problems:
            raise Invalid(_("One of the amounts is none. Nothing was booked."))
        items = states_by_public_id(parts)
        settle_line(
            public_id,
            version=int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0,  # noqa: PLR2004
            customer=request.POST.get("customer", ""),
            parts={items[each].item_id if each in items else 0: minor for each, minor in parts.items()},
        )
        messages.success(request, _("Booked"))
    if outcome.error:
        return _line_page(request, slug, public_id, error=outcome.error)
    return _onward(slug, line)


def _onward(slug: str, line: BankLine) -> HttpResponse:
    following = next_open(line)
    return redirect("bank-line", slug, following.public_id) if following else redirect("bank-lines", slug)


@page(PAYMENTS_APPLY)
@require_POST
def line_aside(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Say that no customer sent this money."""
    form = AsideForm(request.POST)
    if not form.is_valid():
        return _line_page(request, slug, public_id, reopen=True)
    line = lines.line(public_id)
    with attempt() as outcome:
        lines.set_aside(public_id, reason=form.cleaned_data["reason"])
        messages.success(request, _("Set aside"))
    if outcome.error:
        return _line_page(request, slug, public_id, error=outcome.error)
    return _onward(slug, line)


@page(PAYMENTS_APPLY)
@require_POST
def line_back(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Put a line that was set aside back on the list."""
    lines.bring_back(public_id)
    messages.success(request, _("Back on the list"))
    return redirect("bank-line", slug, public_id)

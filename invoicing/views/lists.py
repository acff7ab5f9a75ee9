"""The list of invoices and credit notes, and what is done to many at once."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from core import timeline
from core.errors import Invalid, NotFound
from core.exports import Column, csv_file, in_chunks
from core.fields import fresh_key
from core.pages import missing
from core.paging import paged
from core.templatetags.fmt import shortdate
from core.web import page
from customers.lookup import label_of, named, suggest
from customers.selectors import customer as customer_of
from invoicing.forms import PRESETS, FilterForm
from invoicing.listing import NEWEST, STATES, documents, rows, totals
from invoicing.permissions import INVOICES_CREATE, INVOICES_EXPORT, INVOICES_ISSUE, INVOICES_VIEW
from invoicing.services.send import can_send
from invoicing.views.bulk import REPORT
from invoicing.views.common import business_today, respond
from tenants.saved import saved_views


@page(INVOICES_VIEW)
@require_GET
def invoices(request: HttpRequest, slug: str) -> HttpResponse:
    today = business_today()
    form = FilterForm(request.GET)
    wanted = form.wanted(today)
    if (name := form.cleaned_data.get("customer_name")) and (found_id := _find_named(form, name)):
        return redirect(request.path + _link(request.GET, "customer_name", customer=found_id))
    found = documents(wanted, today=today)
    part = paged(found.select_related("customer"), NEWEST, request.GET.get("page", ""))
    sums = totals(wanted, today=today)
    chips = _chips(slug, request.GET, form, today)
    context = {
        "slug": slug,
        "today": today,
        "form": form,
        "rows": rows(part.rows, today=today),
        "sums": sums,
        "count": sum(each.count for each in sums),
        "every": sum(each.count for each in sums) > len(part.rows),
        "tabs": _tabs(request.GET),
        "chips": chips,
        "clear": _link(request.GET, *FilterForm.base_fields) if chips or form.errors else "",
        "newer": _link(request.GET, page=part.newer) if part.newer else "",
        "older": _link(request.GET, page=part.older) if part.older else "",
        "kept": [(name, value) for name, value in request.GET.items() if name not in {"q", "page"} and value],
        "back": request.GET.urlencode(),
        "views": saved_views("invoices", _link(request.GET).removeprefix("?")),
        "key": fresh_key(),
        "report": request.session.pop(REPORT, None),
        "no_create": missing(INVOICES_CREATE),
        "no_export": missing(INVOICES_EXPORT),
        "no_issue": missing(INVOICES_ISSUE),
        "no_send": missing(INVOICES_ISSUE) or ("" if can_send() else _("sending mail is not set up")),
    }
    return respond(request, "invoicing/list.html", context)


@page(INVOICES_EXPORT)
@require_GET
def invoices_csv(request: HttpRequest, slug: str) -> HttpResponse:
    """The list with its filters as a file."""
    today = business_today()
    found = documents(FilterForm(request.GET).wanted(today), today=today).select_related("customer")
    return csv_file(
        f"invoices-{today.isoformat()}",
        _columns(),
        (row for part in in_chunks(found) for row in rows(part, today=today)),
    )


def _columns() -> list[Column]:
    return [
        Column(_("Number"), lambda row: row.document.number),
        Column(_("Kind"), lambda row: row.document.kind),
        Column(_("Customer"), lambda row: row.document.customer.name),
        Column(_("Customer number"), lambda row: row.document.customer.number),
        Column(_("State"), lambda row: row.state),
        Column(_("Issued"), lambda row: row.document.issued_on),
        Column(_("Due"), lambda row: row.due_on),
        Column(_("Currency"), lambda row: row.document.currency),
        Column(_("Total"), lambda row: row.total),
        Column(_("Open"), lambda row: row.open),
    ]


def _find_named(form: FilterForm, text: str) -> str:
    try:
        return str(named(text).public_id)
    except Invalid as error:
        form.add_error("customer_name", error.message)
        return ""


def _link(given: QueryDict, *drop: str, **put: str) -> str:
    """The address of the list with some parameters dropped and some set; cursors never survive a change."""
    kept = {name: value for name, value in given.items() if name not in {*drop, "page"} and value}
    return f"?{urlencode({**kept, **{name: value for name, value in put.items() if value}})}"


def _tabs(given: QueryDict) -> list[dict[str, Any]]:
    words = {
        "": _("All"),
        "draft": _("Drafts"),
        "open": _("Open"),
        "overdue": _("Overdue"),
        "paid": _("Paid"),
        "void": _("Void"),
    }
    now = given.get("state", "") if given.get("state", "") in STATES else ""
    return [
        {"label": word, "href": _link(given, "state", state=state), "current": state == now}
        for state, word in words.items()
    ]


def _chips(slug: str, given: QueryDict, form: FilterForm, today: date) -> list[dict[str, str]]:
    """What is filtered by, each with the address without it."""
    said: dict[str, Any] = form.cleaned_data
    chips: list[tuple[str, tuple[str, ...]]] = []
    if said.get("q"):
        chips.append((f"“{said['q']}”", ("q",)))
    chips += _whose(slug, said)
    if said.get("kind"):
        chips.append((str(dict(form.fields["kind"].choices)[said["kind"]]), ("kind",)))  # type: ignore[attr-defined]
    if said.get("currency"):
        chips.append((_("Currency is %(code)s") % {"code": said["currency"]}, ("currency",)))
    if said.get("amount") is not None:
        chips.append((_("Total is %(amount)s") % {"amount": f"{said['amount']:f}"}, ("amount",)))
    for name, word in (("due", _("Due")), ("issued", _("Issued"))):
        span = _span(said, name, today)
        if span:
            chips.append((f"{word} {span}", (name, f"{name}_from", f"{name}_to")))
    return [{"label": label, "href": _link(given, *names)} for label, names in chips]


def _whose(slug: str, said: dict[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    chips: list[tuple[str, tuple[str, ...]]] = []
    if said.get("customer"):
        chips.append((_("Customer is %(name)s") % {"name": _customer_name(said["customer"])}, ("customer",)))
    if wanted := said.get("subscription"):
        known = timeline.named(slug, [wanted]).get(wanted)
        name = known.label if known else wanted
        chips.append((_("Subscription is %(name)s") % {"name": name}, ("subscription",)))
    return chips


def _span(said: dict[str, Any], name: str, today: date) -> str:
    if said.get(name):
        return str(PRESETS[said[name]])
    first, last = said.get(f"{name}_from"), said.get(f"{name}_to")
    if first and last:
        return f"{shortdate(first, today)} – {shortdate(last, today)}"
    if first:
        return _("from %(day)s") % {"day": shortdate(first, today)}
    return _("until %(day)s") % {"day": shortdate(last, today)} if last else ""


def _customer_name(public_id: str) -> str:
    try:
        return str(customer_of(public_id).name)
    except NotFound:
        return public_id


@page(INVOICES_VIEW)
@require_GET
def customer_choices(request: HttpRequest, slug: str) -> HttpResponse:
    """Options of a field that finds customers while somebody types; `into=id` makes filters find by public id."""
    text = request.GET.get("customer", "") or request.GET.get("customer_name", "")
    found = suggest(text.replace("\x00", ""))
    return respond(
        request, "invoicing/parts/customers.html", {"choices": [label_of(customer) for customer in found]}
    )

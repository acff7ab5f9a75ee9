"""The list of customers, on a page and as a file."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from core import clock
from core.choices import country_name
from core.exports import Column, TooManyRows, csv_file, in_chunks
from core.pages import missing
from core.paging import CURSOR, Address, Chip, chosen
from core.privacy import personal
from core.web import page
from customers import listing
from customers.balances import Balance
from customers.forms import FilterForm
from customers.listing import CustomerFilter, CustomerRow
from customers.permissions import CUSTOMERS_CREATE, CUSTOMERS_EXPORT, CUSTOMERS_VIEW
from tenants.saved import saved_views
from tenants.selectors import entity

SORT = "sort"
FILTERS = ("q", "currency", "overdue", "archived")


@page(CUSTOMERS_VIEW)
@require_safe
def customers_page(request: HttpRequest, slug: str) -> HttpResponse:
    today = clock.today(entity().zone)
    wanted = FilterForm(request.GET).wanted()
    address = Address.of(request.GET, [*FILTERS, SORT])
    sort, order = chosen(request.GET.get(SORT, ""), listing.offered(wanted), listing.BY_NAME)
    found = listing.customers(wanted, today=today)
    part = listing.ordered(found, wanted, order, request.GET.get(CURSOR, ""))
    chips = _chips(wanted, address)
    context = {
        "slug": slug,
        "today": today,
        "wanted": wanted,
        "rows": listing.rows(part.rows, today=today),
        "sums": listing.sums(wanted, today=today),
        "count": found.count(),
        "chips": chips,
        "clear": address.href(**dict.fromkeys(FILTERS, "")) if chips else "",
        "more": _more_chips(wanted, address),
        "heads": _heads(sort, wanted, address),
        "newer": address.page(part.newer),
        "older": address.page(part.older),
        "query": address.href().removeprefix("?"),
        "views": saved_views("customers", address.href().removeprefix("?")),
        "kept": {name: value for name, value in address.given.items() if name != "q"},
        "no_create": missing(CUSTOMERS_CREATE),
        "no_export": missing(CUSTOMERS_EXPORT),
    }
    return TemplateResponse(request, "customers/list.html", context)


def _chips(wanted: CustomerFilter, address: Address) -> list[Chip]:
    """What is filtered by, each with the address without it."""
    said = [
        (_("Starts with “%(text)s”") % {"text": wanted.text}, "q", bool(wanted.text)),
        (_("Currency is %(code)s") % {"code": wanted.currency}, "currency", bool(wanted.currency)),
        (_("Overdue"), "overdue", wanted.overdue),
        (_("Archived"), "archived", wanted.archived),
    ]
    return [Chip(label, address.href(**{name: ""})) for label, name, is_set in said if is_set]


def _more_chips(wanted: CustomerFilter, address: Address) -> list[Chip]:
    """Filters that could be set with one click."""
    more = [
        (_("Overdue"), "overdue", wanted.overdue),
        (_("Archived"), "archived", wanted.archived),
    ]
    return [Chip(label, address.href(**{name: "1"})) for label, name, is_set in more if not is_set]


def _heads(sort: str, wanted: CustomerFilter, address: Address) -> dict[str, dict[str, str]]:
    """For each column that sorts: the address that sorts by it, or turns it around, and how it stands now."""
    names = [listing.BY_NAME, listing.BY_NUMBER]
    if wanted.currency:
        names.append(listing.BY_OPEN)
    heads = {}
    for name in names:
        first, other = (f"-{name}", name) if name == listing.BY_OPEN else (name, f"-{name}")
        way = {name: "ascending", f"-{name}": "descending"}.get(sort, "")
        heads[name] = {"href": address.href(sort=other if sort == first else first), "sort": way}
    return heads


@page(CUSTOMERS_EXPORT)
@require_safe
def customers_csv(request: HttpRequest, slug: str) -> HttpResponse:
    today = clock.today(entity().zone)
    wanted = FilterForm(request.GET).wanted()
    found = listing.customers(wanted, today=today).select_related("parent")
    try:
        lines = [line for chunk in in_chunks(found) for line in _lines(chunk, today)]
    except TooManyRows as error:
        messages.warning(request, error.message)
        address = Address.of(request.GET, [*FILTERS, SORT])
        return redirect(f"../{address.href()}")
    return csv_file(f"customers-{today.isoformat()}", _columns(), lines)


def _lines(chunk: list[Any], today: date) -> list[tuple[CustomerRow, Balance | None]]:
    """One line for each currency a customer has something open in, and one where nothing is open."""
    found: list[tuple[CustomerRow, Balance | None]] = []
    for row in listing.rows(chunk, today=today):
        found += [(row, balance) for balance in row.balances] or [(row, None)]
    return found


def _columns() -> list[Column]:
    def of(field: str) -> Any:
        return lambda line: getattr(line[0].customer, field)

    def sum_of(name: str) -> Any:
        return lambda line: getattr(line[1], name) if line[1] else 0

    return [
        Column(_("Number"), of("number")),
        Column(_("Name"), of("name")),
        Column(_("E-mail"), lambda line: personal(line[0].customer.email)),
        Column(_("Address"), lambda line: personal(line[0].customer.address)),
        Column(_("Country"), lambda line: country_name(line[0].customer.country)),
        Column(_("Days to pay"), of("terms_days")),
        Column(_("Deposit, %"), of("deposit_percent")),
        Column(
            _("Belongs to"), lambda line: line[0].customer.parent.number if line[0].customer.parent_id else ""
        ),
        Column(_("Currency"), lambda line: line[1].currency if line[1] else line[0].customer.currency),
        Column(_("Open"), sum_of("open")),
        Column(_("Overdue"), sum_of("overdue")),
        Column(_("Unused credit"), sum_of("credit")),
        Column(
            _("Archived on"),
            lambda line: line[0].customer.archived_at and line[0].customer.archived_at.date(),
        ),
    ]

"""One customer: everything about it, its data in a form, and what is done to it."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import resolve
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core import clock, registry, timeline
from core.changes import last_change
from core.choices import country_name
from core.errors import AppError, Invalid, NotFound
from core.pages import RECORD_PAYMENT, WRITE_INVOICE, attempt, missing
from core.privacy import PERSONAL
from core.scope import current, require
from core.web import page
from customers import selectors
from customers.balances import reads
from customers.forms import ContactForm, CustomerForm
from customers.history import history
from customers.models import Customer
from customers.permissions import CUSTOMERS_CREATE, CUSTOMERS_DELETE, CUSTOMERS_EDIT, CUSTOMERS_VIEW
from customers.services import contacts, customers
from customers.services.methods import EXPIRES_SOON, card_url, live_methods, method, remove
from messaging.permissions import MESSAGES_VIEW
from messaging.selectors import messages_of_customer
from tenants.selectors import entity

OPEN_SHOWN = 50
MESSAGES_SHOWN = 8
TABS = ("overview", "activity")


@page(CUSTOMERS_VIEW)
@require_safe
def customer_page(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    return _page(request, slug, selectors.customer(public_id))


def _page(
    request: HttpRequest,
    slug: str,
    row: Customer,
    *,
    form: ContactForm | None = None,
    error: AppError | None = None,
    status: int = 200,
) -> TemplateResponse:
    """The page, or the page after a refusal with what was typed or why it was not done."""
    zone = entity().zone
    today = clock.today(zone)
    people = selectors.contacts_of(row.pk)
    wished = request.GET.get("tab", "")
    tab = wished if wished in TABS else TABS[0]
    context: dict[str, Any] = {
        "slug": slug,
        "today": today,
        "customer": row,
        "tab": tab,
        "country": country_name(row.country) if row.country else "",
        "crumbs": _crumbs(slug),
        "balances": reads().by_customer([row.pk], today=today).get(row.pk, []),
        "contacts": people,
        "form": form or ContactForm(),
        "error": error,
        "panels": _panels(slug, row),
        "card": live_methods([row.pk]).get(row.pk),
        "soon": today + EXPIRES_SOON,
        "invoice_new": timeline.link("invoice-new", slug),
        "invoices": timeline.link("invoices", slug),
        "no_edit": missing(CUSTOMERS_EDIT),
        "no_people": missing(CUSTOMERS_EDIT) or missing(PERSONAL),
        "no_delete": missing(CUSTOMERS_DELETE),
        "no_invoice": missing(WRITE_INVOICE),
        "no_record": missing(RECORD_PAYMENT),
    }
    if tab == "activity":
        context["lines"] = timeline.lines(history(row, people, slug=slug), zone)
    else:
        context["items"] = _items(slug, row)
        context["children"] = selectors.children_of(row.pk)
    status = error.status if error else status
    return TemplateResponse(request, "customers/detail.html", context, status=status)


def _crumbs(slug: str) -> list[dict[str, str]]:
    return [{"label": _("Customers"), "href": timeline.link("customers", slug)}]


def _items(slug: str, row: Customer) -> list[dict[str, Any]]:
    return [
        {
            "line": line,
            "href": timeline.link("invoice", slug, line.source) if line.source.startswith("doc_") else "",
        }
        for line in reads().open_lines(row.pk, limit=OPEN_SHOWN)
    ]


def _panels(slug: str, row: Customer) -> list[dict[str, str]]:
    """What other apps show of a customer and the person may see; each is loaded by its own request."""
    found = [
        {"label": label, "href": timeline.link(name, slug, row.public_id)}
        for label, name in registry.panels.get("customer.detail", [])
    ]
    return [panel for panel in found if panel["href"] and current().may(_right_of(panel["href"]))]


def _right_of(href: str) -> str:
    return str(getattr(resolve(href).func, "permission", ""))


@page(MESSAGES_VIEW)
@require_safe
def customer_messages(request: HttpRequest, slug: str, public_id: str) -> TemplateResponse:
    """The newest messages to a customer, as a panel of its page."""
    row = selectors.customer(public_id)
    rows = messages_of_customer(row.public_id, limit=MESSAGES_SHOWN)
    about = timeline.named(slug, {each.about for each in rows})
    zone = entity().zone
    context = {
        "slug": slug,
        "customer": row,
        "rows": [{"row": each, "about": about.get(each.about)} for each in rows],
        "today": clock.today(zone),
        "zone": zone,
    }
    return TemplateResponse(request, "customers/parts/messages.html", context)


@page(CUSTOMERS_CREATE)
@require_http_methods(["GET", "HEAD", "POST"])
def customer_new(request: HttpRequest, slug: str) -> HttpResponse:
    if request.method != "POST":
        seller = entity()
        start = {
            "number": customers.suggest_number(),
            "currency": seller.currency,
            "terms_days": seller.terms_days,
            "country": seller.country,
            "name": request.GET.get("name", "")[:200],
        }
        return _form_page(request, slug, CustomerForm(initial=start))
    form = CustomerForm(request.POST)
    if not form.is_valid():
        return _form_page(request, slug, form, status=422)
    with attempt() as outcome:
        row = customers.create_customer(**form.values())
        messages.success(request, _("%(name)s added") % {"name": row.name})
    if outcome.error:
        return _refused(request, slug, form, outcome.error)
    return redirect("customer", slug, row.public_id)


@page(CUSTOMERS_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def customer_edit(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    row = selectors.customer(public_id)
    if request.method != "POST":
        return _form_page(request, slug, CustomerForm(initial=CustomerForm.of(row)), row=row)
    form = CustomerForm(request.POST, initial=CustomerForm.of(row))
    if not form.is_valid():
        return _form_page(request, slug, form, row=row, status=422)
    with attempt() as outcome:
        customers.update_customer(row.pk, version=form.cleaned_data["version"] or 0, **form.values())
        messages.success(request, _("Saved"))
    if outcome.error:
        return _refused(request, slug, form, outcome.error, row=row)
    return redirect("customer", slug, public_id)


def _refused(
    request: HttpRequest, slug: str, form: CustomerForm, error: AppError, *, row: Customer | None = None
) -> HttpResponse:
    """The form again, with what was typed; after a conflict with who was first and what they changed."""
    if isinstance(error, customers.Stale) and row is not None:
        there = selectors.customer(row.public_id)
        context = {"change": last_change(there), "differences": _differences(form, there)}
        form.data = form.data.copy()  # type: ignore[attr-defined]
        form.data["version"] = str(there.version)  # type: ignore[index]
        return _form_page(request, slug, form, row=row, status=409, **context)
    fields = error.fields if isinstance(error, Invalid) else {}
    if error.code == "number_taken":
        fields = {"number": error.message}
    for name, message in fields.items():
        form.add_error(name, message)
    if not fields:
        form.add_error(None, error.message)
    return _form_page(request, slug, form, row=row, status=error.status)


def _differences(form: CustomerForm, there: Customer) -> list[dict[str, str]]:
    """Where what was typed differs from what is saved now."""
    now = CustomerForm.of(there)
    typed = {**form.cleaned_data, "parent": form.data.get("parent", "")}
    return [
        {"label": str(form.fields[name].label), "saved": str(now[name]), "typed": str(typed[name])}
        for name in form.fields
        if name != "version" and str(now[name] or "") != str(typed[name] or "")
    ]


def _form_page(
    request: HttpRequest, slug: str, form: CustomerForm, *, status: int = 200, **also: Any
) -> TemplateResponse:
    crumbs = _crumbs(slug)
    if row := also.get("row"):
        crumbs.append({"label": row.name, "href": timeline.link("customer", slug, row.public_id)})
    context = {"slug": slug, "form": form, "row": None, "crumbs": crumbs, **also}
    return TemplateResponse(request, "customers/form.html", context, status=status)


@page(CUSTOMERS_DELETE)
@require_POST
def customer_archive(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    row = selectors.customer(public_id)
    with attempt() as outcome:
        customers.set_archived(row.pk, archived=True)
        messages.success(request, _("%(name)s archived. What is open stays open.") % {"name": row.name})
    if outcome.error:
        return _page(request, slug, row, error=outcome.error)
    return redirect("customer", slug, public_id)


@page(CUSTOMERS_DELETE)
@require_POST
def customer_restore(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    row = customers.set_archived(selectors.customer(public_id).pk, archived=False)
    messages.success(request, _("%(name)s is back") % {"name": row.name})
    return redirect("customer", slug, public_id)


@page(CUSTOMERS_EDIT)
@require_POST
def contact_add(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    require(PERSONAL)
    row = selectors.customer(public_id)
    form = ContactForm(request.POST)
    if not form.is_valid():
        return _page(request, slug, row, form=form, status=422)
    with attempt() as outcome:
        made = contacts.add_contact(row.pk, **form.cleaned_data)
        messages.success(request, _("%(name)s added") % {"name": made.name})
    if outcome.error:
        form.add_error("email", outcome.error.message)
        return _page(request, slug, row, form=form, status=outcome.status)
    return redirect("customer", slug, public_id)


@page(CUSTOMERS_EDIT)
@require_POST
def contact_remove(request: HttpRequest, slug: str, public_id: str, contact_id: str) -> HttpResponse:
    row = selectors.customer(public_id)
    name = contacts.remove_contact(row.pk, public_id=contact_id)
    messages.success(request, _("%(name)s removed") % {"name": name})
    return redirect("customer", slug, public_id)


@page(CUSTOMERS_EDIT)
@require_POST
def card_link(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """The link to the page of their card, for the customer; the same each time it is asked for."""
    context = {"slug": slug, "url": card_url(selectors.customer(public_id))}
    return TemplateResponse(request, "customers/parts/card_link.html", context)


@page(CUSTOMERS_EDIT)
@require_POST
def card_remove(request: HttpRequest, slug: str, public_id: str, method_id: str) -> HttpResponse:
    """Charge the card no more; only its customer can keep another."""
    row = method(method_id)
    if row.customer.public_id != public_id:
        raise NotFound("That card is not here.")
    remove(method_id)
    messages.success(request, _("The card is removed"))
    return redirect("customer", slug, public_id)

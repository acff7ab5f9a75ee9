"""The first page, signed in or not, and an organization's dashboard."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from cashapp.permissions import PAYMENTS_VIEW
from cashapp.queue import waiting_count
from core import clock, parked, timeline
from core.models import OutboxEvent
from core.money import Money
from core.pages import missing
from core.scope import current
from core.templatetags.fmt import count, money, percent
from core.web import open_page, page
from customers import selectors as customers
from customers.permissions import CUSTOMERS_CREATE
from invoicing.permissions import INVOICES_CREATE
from receivables import balances
from receivables.permissions import AGEING_VIEW
from receivables.selectors import item_states
from tenants.permissions import HOME_VIEW, MEMBERS_EDIT, SETTINGS_EDIT, SYSTEM_VIEW
from tenants.seats import remember
from tenants.selectors import entity, member_count

DAYS = 30
ACTIVITY = 12
_SCANNED = 60


@open_page("leads to the pages a person may open, or to signing in")
@never_cache
@require_safe
def front(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return redirect("sign-in")
    organizations = remember(request)
    if len(organizations) == 1:
        return redirect("home", organizations[0].slug)
    return render(request, "home/choose.html", {"organizations": organizations})


@page(HOME_VIEW)
@require_safe
def home(request: HttpRequest, slug: str) -> TemplateResponse:
    seller = entity()
    today = clock.today(seller.zone)
    standings = balances.standings(today=today, since=today - timedelta(days=DAYS))
    standings.sort(key=lambda standing: (standing.currency != seller.currency, standing.currency))
    context: dict[str, Any] = {"slug": slug, "day": today, "today": today, "steps": None}
    events = list(OutboxEvent.objects.order_by("-id")[:_SCANNED])
    late: list[balances.LatePayer] = []
    if standings or balances.any_items():
        context["figures"] = [_figures(slug, standing, today) for standing in standings]
        context["late_in"] = seller.currency
        late = balances.late_payers(seller.currency, today=today, limit=5)
    else:
        context["steps"] = _first_steps(slug, seller)
    known = customers.known(
        ids=[row.customer_id for row in late], public_ids=timeline.mentioned(events, "customer")
    )
    context["late"] = _late_payers(slug, late, known)
    context["activity"] = timeline.lines(_activity(slug, events, known), seller.zone)
    context["parked"] = parked.count() if current().may(SYSTEM_VIEW) else 0
    context["lines"] = waiting_count() if current().may(PAYMENTS_VIEW) else 0
    context["invoice_new"] = timeline.link("invoice-new", slug)
    context["no_customer"] = missing(CUSTOMERS_CREATE)
    return TemplateResponse(request, "home/home.html", context)


def _invoices(slug: str, **filters: str) -> str:
    """The list of invoices with filters set, or "" while there is no such page."""
    base = timeline.link("invoices", slug)
    return f"{base}?{urlencode(filters)}" if base else ""


@dataclass(frozen=True, slots=True)
class Figures:
    """One currency of the dashboard."""

    standing: balances.Standing
    open_href: str
    overdue_href: str
    received_href: str
    dso_href: str
    overdue_share: Decimal | None
    sales: Money
    buckets: list[dict[str, Any]]


def _figures(slug: str, standing: balances.Standing, today: date) -> Figures:
    code, owed = standing.currency, standing.owed.minor
    return Figures(
        standing=standing,
        open_href=_invoices(slug, state="open", currency=code),
        overdue_href=_invoices(slug, state="overdue", currency=code),
        received_href=_received(slug, code, today),
        dso_href=f"{timeline.link('dso', slug)}#{code}" if current().may(AGEING_VIEW) else "",
        overdue_share=Decimal(standing.overdue.minor) / owed if owed else None,
        sales=Money(standing.dso.sales_minor, code),
        buckets=[_bucket(slug, standing, bucket, today) for bucket in standing.buckets] if owed else [],
    )


def _received(slug: str, currency: str, today: date) -> str:
    """The payments that the figure of what was received is made of."""
    since = today - timedelta(days=DAYS - 1)
    base = timeline.link("payments", slug)
    return f"{base}?{urlencode({'currency': currency, 'received_from': since.isoformat()})}" if base else ""


def _bucket(slug: str, standing: balances.Standing, bucket: balances.Bucket, today: date) -> dict[str, Any]:
    labels = (_("Not due"), _("1–30 days"), _("31–60"), _("61–90"), _("Over 90"))
    first, last = balances.bucket_days(bucket.level, today)
    days = {"due_from": first, "due_to": last}
    given = {name: day.isoformat() for name, day in days.items() if day}
    share = percent(Decimal(bucket.minor) / standing.owed.minor)
    return {
        "level": bucket.level,
        "label": labels[bucket.level],
        "figure": money(Money(bucket.minor, standing.currency)),
        "detail": ngettext("%(share)s · %(n)s item", "%(share)s · %(n)s items", bucket.items)
        % {"share": share, "n": count(bucket.items)},
        "share": bucket.minor,
        "href": _invoices(slug, state="open", currency=standing.currency, **given),
    }


def _late_payers(slug: str, found: list[balances.LatePayer], known: list[Any]) -> list[dict[str, Any]]:
    named = {customer.pk: customer for customer in known}
    return [
        {
            "name": named[row.customer_id].name,
            "href": timeline.link("customer", slug, named[row.customer_id].public_id),
            "overdue": row.overdue,
            "oldest": row.oldest_due_on,
        }
        for row in found
    ]


def _activity(slug: str, events: list[OutboxEvent], known: list[Any]) -> list[timeline.Entry]:
    states = item_states(timeline.mentioned(events, "source"))
    using = timeline.Told(
        slug=slug,
        customers={customer.public_id: customer.name for customer in known},
        labels={source: state.label for source, state in states.items()},
    )
    return timeline.told(events, using)[:ACTIVITY]


def _first_steps(slug: str, seller: Any) -> list[dict[str, Any]]:
    """What a new organization does first; done ones stay, ticked."""
    steps = [
        ("building", _("Say who you are on invoices"), _("Address and tax number"), "settings",
         bool(seller.address and seller.tax_number), SETTINGS_EDIT),
        ("building-store", _("Add the first customer"), _("Name, e-mail, days to pay"), "customer-new",
         customers.any_customers(), CUSTOMERS_CREATE),
        ("file-invoice", _("Write the first invoice"), _("Or let a subscription write it"), "invoice-new",
         False, INVOICES_CREATE),
        ("users", _("Invite a colleague"), _("Each with the rights they need"), "members",
         member_count() > 1, MEMBERS_EDIT),
    ]  # fmt: skip
    return [
        {
            "icon": icon,
            "title": title,
            "hint": missing(permission) or hint,
            "href": timeline.link(name, slug) or "#",
            "done": done,
        }
        for icon, title, hint, name, done, permission in steps
        if timeline.link(name, slug)
    ]

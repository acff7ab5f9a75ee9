"""The journal and the trial balance."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from core import clock
from core.paging import paged
from core.templatetags.fmt import shortdate
from core.web import page
from ledger.forms import JournalForm
from ledger.permissions import JOURNAL_VIEW
from ledger.selectors import NEWEST, chart, journal, journal_sums, trial_balances, with_legs
from tenants.selectors import entity


@page(JOURNAL_VIEW)
@require_GET
def journal_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Entries newest first with their legs; sums only of what is filtered, because they read every leg of it."""
    form = JournalForm(request.GET)
    wanted = form.wanted()
    part = paged(journal(wanted), NEWEST, request.GET.get("page", ""))
    accounts = chart()
    form.fields["account"].widget = forms.Select(
        choices=[("", _("Any")), *((each["code"], f"{each['code']} {each['name']}") for each in accounts)]
    )
    context = {
        "slug": slug,
        "today": clock.today(entity().zone),
        "form": form,
        "entries": with_legs(part.rows),
        "sums": journal_sums(wanted) if wanted else [],
        "chips": _chips(request.GET, form),
        "newer": _link(request.GET, page=part.newer) if part.newer else "",
        "older": _link(request.GET, page=part.older) if part.older else "",
    }
    return TemplateResponse(request, "ledger/journal.html", context)


@page(JOURNAL_VIEW)
@require_GET
def trial_balance_page(request: HttpRequest, slug: str) -> HttpResponse:
    """The balance of every account per currency, as of a day."""
    form = JournalForm(request.GET)
    wanted = form.wanted()
    today = clock.today(entity().zone)
    as_of = wanted.until or today
    context = {
        "slug": slug,
        "today": today,
        "form": form,
        "as_of": as_of,
        "balances": trial_balances(as_of),
    }
    return TemplateResponse(request, "ledger/trial_balance.html", context)


def _link(given: QueryDict, *drop: str, **put: str) -> str:
    kept = {name: value for name, value in given.items() if name not in {*drop, "page"} and value}
    return f"?{urlencode({**kept, **put})}"


def _chips(given: QueryDict, form: JournalForm) -> list[dict[str, Any]]:
    said = form.cleaned_data
    chips = [
        (_("From %(day)s") % {"day": shortdate(said.get("since"))}, "since"),
        (_("Until %(day)s") % {"day": shortdate(said.get("until"))}, "until"),
        (_("Account %(code)s") % {"code": said.get("account")}, "account"),
        (_("Source %(source)s") % {"source": said.get("source")}, "source"),
    ]
    return [{"label": label, "href": _link(given, name)} for label, name in chips if said.get(name)]

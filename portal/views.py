"""The pay page: from the link in the mail to paid, without an account."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cashapp.domain.states import LIVE
from cashapp.gateways.registry import plays
from cashapp.gateways.sandbox import CARDS, Sandbox
from cashapp.selectors import AttemptView, attempts_on
from cashapp.services import attempts
from core import clock, files, money
from core.errors import AppError, NotFound
from core.scope import work
from core.web import each_once, open_page
from customers.domain.cards import Kept
from invoicing.selectors import DocumentView, view
from portal.access import PAYING
from receivables.selectors import ItemState

_KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class PayLine:
    """A line as a payer reads it; `last` is the last day of its period, not the first day after."""

    description: str
    first: date | None
    last: date | None
    amount: money.Money


@dataclass(frozen=True, slots=True)
class PayTax:
    """Tax of one rate, in percent."""

    percent: Decimal
    base: money.Money
    tax: money.Money


@dataclass(frozen=True, slots=True)
class PayPage:
    """Everything the pay page shows."""

    seller: str
    invoice: DocumentView
    attempts: list[AttemptView]

    @property
    def open(self) -> money.Money:
        return money.Money(self.invoice.open_minor, self.invoice.document.currency)

    @property
    def paid(self) -> money.Money:
        return money.Money(self.invoice.paid_minor, self.invoice.document.currency)

    @property
    def deposit(self) -> money.Money | None:
        """What is due first, while the rest is not due yet."""
        minor = self.invoice.deposit_minor(clock.today(self.invoice.document.entity.zone))
        return money.Money(minor, self.invoice.document.currency) if minor else None

    @property
    def now(self) -> str:
        """The same as the form sends it: what the button said is charged, whatever happens meanwhile."""
        return f"{self.deposit.decimal:f}" if self.deposit else ""

    @property
    def taken(self) -> money.Money:
        """What was paid, as the figure that lowers the total."""
        return -self.paid

    @property
    def lines(self) -> list[PayLine]:
        currency = self.invoice.document.currency
        return [
            PayLine(
                line.description,
                line.service_start,
                line.service_end - timedelta(days=1) if line.service_end else None,
                money.Money(line.amount_minor, currency),
            )
            for line in self.invoice.lines
        ]

    @property
    def taxes(self) -> list[PayTax]:
        currency = self.invoice.document.currency
        return [
            PayTax(
                tax.percent.normalize(),
                money.Money(tax.base_minor, currency),
                money.Money(tax.tax_minor, currency),
            )
            for tax in self.invoice.taxes
            if tax.tax_minor
        ]

    @property
    def live(self) -> AttemptView | None:
        return next((each for each in self.attempts if each.state in LIVE), None)

    @property
    def last(self) -> AttemptView | None:
        return self.attempts[0] if self.attempts else None


@open_page("a signed link is exchanged for a cookie")
@require_GET
def enter_link(request: HttpRequest, token: str) -> HttpResponse:
    """From the link in the mail to the page of its document."""
    return PAYING.exchange(request, token)


@PAYING.behind
@require_http_methods(["GET", "POST"])
def pay(request: HttpRequest, document: str) -> HttpResponse:
    """Show what is owed; on POST charge it and come back here, where the outcome is read from the books."""
    if request.method == "GET":
        return _show(request, document)
    each_once(request)
    try:
        state, attempt = _charge(request, _page(document))
    except AppError as error:
        return _show(request, document, error=error)
    if state == "action_required":
        return redirect("pay-authenticate", document, attempt)
    return redirect("pay", document)


def _charge(request: HttpRequest, page: PayPage) -> tuple[str, str]:
    """Charge what the form asks; (state, public id) of the attempt."""
    item = _owed(page)
    minor = page.open.minor
    if text := request.POST.get("amount", "").strip() or request.POST.get("now", ""):
        try:
            minor = money.parse(text, item.currency).minor
        except money.MoneyError as error:
            raise AppError(str(error), code="bad_amount") from error
    attempt = attempts.pay(
        key=f"page:{_form_key(request)}",
        amounts={item.item_id: minor},
        method=request.POST.get("method", ""),
        description=page.invoice.document.number,
    )
    return attempt.state, attempt.public_id


def _form_key(request: HttpRequest) -> str:
    """The form's hidden key: one intent to pay, whatever is clicked, reloaded or opened twice."""
    key = request.POST.get("key", "")
    if not _KEY.fullmatch(key):
        raise AppError(_("This form is too old. Look at the amount again and pay."), code="bad_key")
    return key


def _owed(page: PayPage) -> ItemState:
    if page.invoice.item is None or not page.invoice.open_minor:
        raise AppError(_("This is paid already. Nothing more was charged."), code="nothing_open")
    return page.invoice.item


def _page(document: str) -> PayPage:
    with work():
        invoice = view(document)
        if invoice.document.state == "draft":
            raise NotFound("This link is no longer valid.")
        tried = attempts_on(invoice.item.item_id) if invoice.item else []
        seller = invoice.party.seller["name"] if invoice.party else ""
    return PayPage(seller, invoice, tried)


def _show(request: HttpRequest, document: str, *, error: AppError | None = None) -> HttpResponse:
    page = _page(document)
    context = {
        "page": page,
        "document": page.invoice.document,
        "error": error,
        "key": str(uuid4()),
        "cards": CARDS,
        "brand": {"name": page.seller},
        "amount": request.POST.get("amount", ""),
        "today": clock.today(page.invoice.document.entity.zone),
        "sandbox": plays(),
        "card": _charged_by_itself(page),
    }
    template = "portal/pay_status.html" if getattr(request, "htmx", False) else "portal/pay.html"
    with work():
        response = TemplateResponse(request, template, context, status=error.status if error else 200)
        response.render()
    return response


def _charged_by_itself(page: PayPage) -> Kept | None:
    """The kept card that will be charged, while its day has not come."""
    due_on = page.invoice.due_on
    if due_on is None or due_on <= clock.today(page.invoice.document.entity.zone):
        return None
    with work():
        return page.invoice.card


@PAYING.behind
@require_http_methods(["GET", "POST"])
def authenticate(request: HttpRequest, document: str, attempt: str) -> HttpResponse:
    """Stands for the payer's bank in the sandbox: approve or refuse a charge that waits for it."""
    row = _attempt_of(document, attempt)
    if request.method == "POST" and row.state == "action_required":
        approved = request.POST.get("answer") == "approve"
        attempts.record(row.public_id, Sandbox().authenticate(row.reference, approved=approved))
        return redirect("pay", document)
    if row.state != "action_required":
        return redirect("pay", document)
    page = _page(document)
    context = {
        "page": page,
        "document": page.invoice.document,
        "attempt": row,
        "brand": {"name": page.seller},
        "sandbox": True,
    }
    return TemplateResponse(request, "portal/authenticate.html", context)


@PAYING.behind
@require_POST
def give_up(request: HttpRequest, document: str, attempt: str) -> HttpResponse:
    """Cancel a charge that waits for authentication, to try another card."""
    attempts.give_up(_attempt_of(document, attempt).public_id)
    return redirect("pay", document)


def _attempt_of(document: str, attempt: str) -> AttemptView:
    found = next((each for each in _page(document).attempts if each.public_id == attempt), None)
    if found is None:
        raise NotFound("That payment is not here.")
    return found


@PAYING.behind
@require_GET
def pdf(request: HttpRequest, document: str) -> HttpResponseBase:
    """The document's stored PDF."""
    with work():
        row = view(document).document
    if row.pdf is None:
        response = TemplateResponse(
            request, "503.html", {"error": AppError(_("The PDF is being made."))}, status=503
        )
        response["Retry-After"] = "10"
        return response
    data = files.read(row.pdf)
    return FileResponse(iter([data]), content_type="application/pdf", filename=f"{row.number}.pdf")

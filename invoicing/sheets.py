"""From a document to what its PDF says: every figure formatted here, in the document's language."""

from datetime import timedelta
from decimal import Decimal

import segno
from django.utils.translation import gettext as _

from core.money import Money
from core.sandbox import is_sandbox
from core.sheets import DocumentSheet, SheetLine, SheetTax
from core.templatetags.fmt import longdate, money_doc, quantity
from invoicing.domain.terms import ALL
from invoicing.models import Document, Line, TaxLine
from invoicing.prepaid import drawn_minor
from invoicing.selectors import DocumentView


def sheet(view: DocumentView, *, pay_url: str) -> DocumentSheet:
    """The sheet of an issued document as it was issued, with what a prepaid balance paid of it then. Inside work().

    Nothing paid since stands on it.
    """
    row = view.document
    seller = view.party.seller if view.party else {}
    buyer = view.party.buyer if view.party else {}
    invoice = row.kind == "invoice"
    drawn = drawn_minor(row.pk) if invoice else 0
    owed = drawn < row.total_minor
    return DocumentSheet(
        title=_("Invoice") if invoice else _("Credit note"),
        number=row.number,
        seller_name=seller.get("name", ""),
        seller_address=tuple(seller.get("address", "").splitlines()),
        seller_tax_number=seller.get("tax_number", ""),
        buyer_name=buyer.get("name", ""),
        buyer_address=tuple(buyer.get("address", "").splitlines()),
        buyer_number=buyer.get("number", ""),
        issued_on=longdate(row.issued_on),
        due_on=longdate(row.due_on) if invoice and owed else "",
        terms=_terms(row, drawn) if invoice and owed else "",
        currency=row.currency,
        net=_figure(row.net_minor, row.currency),
        total=_figure(row.total_minor, row.currency),
        paid=_figure(drawn, row.currency) if drawn else "",
        open=_figure(row.total_minor - drawn, row.currency) if drawn else "",
        notes=(_("Paid in advance: tax is not due on it, but on what it pays for."),) if row.prepays else (),
        lines=tuple(_line(each, row.currency) for each in view.lines),
        tax_lines=tuple(_tax(each, row.currency) for each in view.taxes if each.tax_minor),
        memo=row.memo,
        pay_url=pay_url if owed else "",
        pay_qr=segno.make(pay_url, error="m").svg_data_uri(border=0) if pay_url and owed else "",
        credit_of=row.credits.number if row.credits else "",
        dated=str(row.issued_on),
        mark=_("Sandbox: a test, not a document. Nothing is to be paid.") if is_sandbox() else "",
    )


def _terms(row: Document, drawn: int) -> str:
    """When what is asked for is due; what a prepaid balance paid counts for the deposit first."""
    net = _("Net %(days)s days") % {"days": row.terms_days}
    if row.deposit_percent == ALL:
        return _("Due at once")
    if row.deposit_minor <= drawn:
        return net
    deposit = f"{row.currency} {_figure(row.deposit_minor - drawn, row.currency)}"
    return _("%(deposit)s at once, the rest net %(days)s days") % {"deposit": deposit, "days": row.terms_days}


def period_text(line: Line) -> str:
    """The days a line is for, both of them included; empty when it is for none."""
    if not (line.service_start and line.service_end):
        return ""
    last = line.service_end - timedelta(days=1)
    return f"{longdate(line.service_start)} – {longdate(last)}"


def _line(line: Line, currency: str) -> SheetLine:
    return SheetLine(
        description=line.description,
        amount=_figure(line.amount_minor, currency),
        detail=" · ".join(part for part in (line.detail, period_text(line)) if part),
        quantity=quantity(line.quantity),
        unit_price=quantity(line.unit_price),
        tax="" if line.tax_category == "O" else _percent(line.tax_percent),
    )


def _tax(tax: TaxLine, currency: str) -> SheetTax:
    label = _("Tax %(percent)s") % {"percent": _percent(tax.percent)}
    return SheetTax(label, _figure(tax.base_minor, currency), _figure(tax.tax_minor, currency))


def _percent(value: Decimal) -> str:
    return f"{quantity(value)} %"


def _figure(minor: int, currency: str) -> str:
    return money_doc(Money(minor, currency))

"""Invoices and credit notes as the API gives them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from rest_framework import serializers

from core import clock
from core.api.fields import Exact, Id, Out, Ref, Word
from core.money import Money
from invoicing.domain.totals import LineDraft, Totals
from invoicing.explain import Step, steps
from invoicing.models import Document, Line
from invoicing.selectors import DocumentView, document, views
from invoicing.services.edit import DraftContent
from tenants.selectors import entity

STATES = ("draft", "open", "part_paid", "overdue", "paid", "open_credit", "applied", "void")
KINDS = ("invoice", "opening", "credit_note")


def business_today() -> date:
    """Today in the legal entity's zone. Inside work()."""
    return clock.today(entity().zone)


@dataclass(frozen=True, slots=True)
class GivenLine:
    """A line with its explanation in words, and the public id of the subscription that it bills, if any."""

    line: Line | LineDraft
    position: int
    left_minor: int
    why: list[Step]
    subscription: str | None


@dataclass(frozen=True, slots=True)
class Given:
    """A document as it is given: with everything that hangs on it and the word for how it stands."""

    view: DocumentView
    state: str

    @property
    def document(self) -> Document:
        return self.view.document

    @property
    def object(self) -> str:
        return "credit_note" if self.document.kind == "credit_note" else "invoice"

    @property
    def lines(self) -> list[GivenLine]:
        left, code, billed = self.view.left, self.document.currency, self.view.billed
        return [
            given_line(
                each, each.position, left[each.position], code, billed.get(each.position, {}).get("id")
            )
            for each in self.view.lines
        ]

    @property
    def subscriptions(self) -> list[str]:
        return list(dict.fromkeys(each["id"] for each in self.view.billed.values()))

    @property
    def pdf(self) -> str:
        row = self.document
        if row.pdf_id is not None:
            return "ready"
        if row.state == "draft" or row.kind == "opening":
            return "none"
        return "failed" if row.pdf_problem else "pending"


@dataclass(frozen=True, slots=True)
class GivenDraft:
    """What a draft of the content would be."""

    content: DraftContent
    totals: Totals

    @property
    def lines(self) -> list[GivenLine]:
        code = self.content.customer.currency
        return [given_line(each, n, each.amount_minor, code) for n, each in enumerate(self.content.lines, 1)]


def given_line(
    line: Line | LineDraft, position: int, left: int, currency: str, subscription: str | None = None
) -> GivenLine:
    """The line as it is given; `subscription` is the public id of the one that it bills."""
    return GivenLine(line, position, left, steps(line.why, Money(line.amount_minor, currency)), subscription)


def given(rows: Sequence[Document], *, today: date | None = None) -> list[Given]:
    """Documents as they are given, in a constant number of queries. Inside work()."""
    today = today or business_today()
    return [Given(each, each.states(today)[0]) for each in views(rows, billing=True)]


def one(public_id: str) -> Given:
    """The document as it is given; raises NotFound. Inside work()."""
    (found,) = given([document(public_id)])
    return found


class WhyOut(Out):
    """One step of how an amount came about, in words."""

    label = serializers.CharField()  # type: ignore[assignment]
    value = serializers.CharField(help_text="The figure of the step; empty where it has none.")


class InvoiceLineOut(Out):
    """One line of an invoice or credit note."""

    position = serializers.IntegerField(help_text="From 1; a credit names lines by it.")
    description = serializers.CharField(source="line.description")
    detail = serializers.CharField(source="line.detail")
    quantity = Exact(max_digits=28, source="line.quantity")
    unit_price = Exact(max_digits=28, source="line.unit_price", help_text="In major units.")
    amount_minor = serializers.IntegerField(source="line.amount_minor", help_text="Net.")
    left_minor = serializers.IntegerField(help_text="Of the amount, what no credit note took back.")
    tax_category = serializers.CharField(source="line.tax_category")
    tax_percent = Exact(max_digits=7, decimal_places=4, source="line.tax_percent")
    service_start = serializers.DateField(
        source="line.service_start", allow_null=True, help_text="First day that the line is for."
    )
    service_end = serializers.DateField(
        source="line.service_end", allow_null=True, help_text="First day that it is not for."
    )
    subscription = serializers.CharField(
        allow_null=True,
        help_text="The subscription that it bills, or takes back the bill of; null where it is none's.",
    )
    why = WhyOut(many=True)


class TaxLineOut(Out):
    """Tax of one category and rate on the sum of its lines."""

    category = serializers.CharField()
    percent = Exact(max_digits=7, decimal_places=4)
    base_minor = serializers.IntegerField()
    tax_minor = serializers.IntegerField()


class InvoiceOut(Out):
    """An invoice, or a credit note. The amounts of a credit note are what it takes back, and positive."""

    object = Word(("invoice", "credit_note"))
    id = serializers.CharField(
        source="document.public_id", help_text="Prefixed, sortable, the only id there is."
    )
    version = serializers.IntegerField(
        source="document.version", help_text="Grows with every change; the number in the ETag."
    )
    created_at = serializers.DateTimeField(source="document.created_at")
    updated_at = serializers.DateTimeField(source="document.updated_at")
    kind = Word(KINDS, source="document.kind", help_text="`opening`: issued by another system.")
    number = serializers.CharField(source="document.number", help_text="Empty while it is a draft.")
    state = Word(STATES, help_text="The most urgent word for how it stands.")
    customer = Ref("customers.api.outputs.CustomerOut", source="document.customer")
    currency = serializers.CharField(source="document.currency")
    issued_on = serializers.DateField(source="document.issued_on", allow_null=True)
    due_on = serializers.DateField(source="document.due_on", allow_null=True)
    terms_days = serializers.IntegerField(source="document.terms_days")
    deposit_percent = serializers.IntegerField(source="document.deposit_percent")
    deposit_minor = serializers.IntegerField(
        source="document.deposit_minor",
        help_text="Due on the day of issue, what is left of the total on `due_on`; 0 where all is due on one day.",
    )
    lines = InvoiceLineOut(many=True)
    taxes = TaxLineOut(many=True, source="view.taxes")
    net_minor = serializers.IntegerField(source="document.net_minor")
    tax_minor = serializers.IntegerField(source="document.tax_minor")
    total_minor = serializers.IntegerField(source="document.total_minor")
    open_minor = serializers.IntegerField(source="view.open_minor", help_text="Nothing of a draft is open.")
    paid_minor = serializers.IntegerField(
        source="view.paid_minor", help_text="What is not open any more: paid, credited or written off."
    )
    memo = serializers.CharField(source="document.memo")
    autopay = serializers.BooleanField(source="document.autopay")
    subscriptions = serializers.ListField(
        child=serializers.CharField(),
        help_text="Those that its lines bill or take back the bill of, all of one customer; empty where there is none.",
    )
    credits = Id(
        source="document.credits", allow_null=True, help_text="The invoice that a credit note is over."
    )
    pdf = Word(("none", "pending", "ready", "failed"), help_text="Whether its PDF can be fetched.")
    external_id = serializers.CharField(source="document.external_id")
    metadata = serializers.DictField(child=serializers.CharField(), source="document.metadata")


class InvoicePreviewOut(Out):
    """What an invoice would come to."""

    OBJECT = "invoice_preview"

    customer = Id(source="content.customer")
    currency = serializers.CharField(source="content.customer.currency")
    terms_days = serializers.IntegerField(source="content.terms_days")
    deposit_percent = serializers.IntegerField(source="content.deposit_percent")
    lines = InvoiceLineOut(many=True)
    taxes = TaxLineOut(many=True, source="totals.taxes")
    net_minor = serializers.IntegerField(source="totals.net_minor")
    tax_minor = serializers.IntegerField(source="totals.tax_minor")
    total_minor = serializers.IntegerField(source="totals.total_minor")


class SendingOut(Out):
    """Mails that were queued; the messages themselves say what became of them."""

    OBJECT = "sending"

    invoice = Id()
    queued = serializers.IntegerField(
        help_text="Mails: one to each address that gets the customer's invoices."
    )


class BulkItemOut(Out):
    """What became of one."""

    id = serializers.CharField()
    done = serializers.BooleanField()
    code = serializers.CharField(help_text="Why not, for programs; empty when it was done.")
    detail = serializers.CharField(help_text="Why not, for people.")


class BulkOut(Out):
    """What became of each, in the order they were named."""

    OBJECT = "bulk"

    act = serializers.CharField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    items = BulkItemOut(many=True)


def bulk_of(act: str, ids: Sequence[str], left_out: dict[str, Any]) -> dict[str, Any]:
    """The report over each of the ids."""
    items = [
        {
            "id": each,
            "done": each not in left_out,
            "code": left_out[each].code if each in left_out else "",
            "detail": left_out[each].message if each in left_out else "",
        }
        for each in ids
    ]
    failed = sum(not each["done"] for each in items)
    return {"act": act, "done": len(items) - failed, "failed": failed, "items": items}

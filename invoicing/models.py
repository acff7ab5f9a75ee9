"""Documents and what hangs on them. Issued rows never change: the database refuses it."""

from django.db import models

from core import clock
from core.base import Record, TenantForeignKey, TenantRow
from core.constraints import Trigger, append_only, tallied
from invoicing.domain.prepaid import Gone
from invoicing.domain.states import State
from invoicing.domain.terms import deposit_of

_CHILD_FROZEN = "invoicing_child_frozen()"


def frozen_with_document(table: str) -> list[models.BaseConstraint]:
    """Triggers that refuse to write a child row of a document that is no longer a draft."""
    moments = {
        "insert": ("INSERT", "NEW"),
        "update": ("UPDATE", "OLD"),
        "moved": ("UPDATE", "NEW"),  # into an issued document from a draft
        "delete": ("DELETE", "OLD"),
    }
    return [
        Trigger(
            name=f"{table}_frozen_{name}",
            when=f"AFTER {event} ON {{table}} REFERENCING {side} TABLE AS changed FOR EACH STATEMENT",
            function=_CHILD_FROZEN,
        )
        for name, (event, side) in moments.items()
    ]


class Document(Record):
    """An invoice or a credit note. A draft has no number; an issued one has its seal and never changes.

    An opening invoice was issued by another system and is brought in with its own number, without lines; once it is
    void, its number may be brought in again. `deposit_percent` of an invoice are due on the day it is issued. One that
    `prepays` is booked against what is owed to the customer, not as
    revenue: it makes a top-up, or takes it back.
    """

    PREFIX = "doc"

    kind = models.CharField(max_length=20)
    state = models.CharField(max_length=10, default=State.DRAFT)
    entity = TenantForeignKey("tenants.LegalEntity")
    customer = TenantForeignKey("customers.Customer")
    number = models.CharField(max_length=40, blank=True, default="")
    currency = models.CharField(max_length=3)
    issued_on = models.DateField(null=True, blank=True)
    due_on = models.DateField(null=True, blank=True)
    terms_days = models.PositiveSmallIntegerField(default=0)
    deposit_percent = models.PositiveSmallIntegerField(default=0, db_default=0)
    net_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()
    total_minor = models.BigIntegerField()
    memo = models.TextField(blank=True, default="")
    source = models.CharField(max_length=120)
    autopay = models.BooleanField(default=False)
    prepays = models.BooleanField(default=False)
    credits = TenantForeignKey("self", null=True, blank=True)
    seal = models.CharField(max_length=64, blank=True, default="")
    pdf = TenantForeignKey("core.StoredFile", null=True, blank=True)
    pdf_problem = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "entity", "kind", "number"],
                name="document_number",
                condition=~models.Q(number="") & ~models.Q(kind="opening", state="void"),
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=("invoice", "credit_note", "opening")), name="document_kind"
            ),
            models.UniqueConstraint(fields=["organization", "source"], name="document_source"),
            models.UniqueConstraint(
                fields=["organization", "kind", "external_id"],
                name="document_external_id",
                condition=~models.Q(external_id="") & ~models.Q(kind="opening") & ~models.Q(state="void"),
            ),
            models.CheckConstraint(
                condition=models.Q(
                    total_minor=models.F("net_minor") + models.F("tax_minor"), total_minor__gte=0
                ),
                name="document_total",
            ),
            models.CheckConstraint(
                condition=models.Q(deposit_percent=0)
                | models.Q(deposit_percent__lte=100, kind="invoice", prepays=False),
                name="document_deposit",
            ),
            models.CheckConstraint(
                condition=models.Q(state="draft", number="", seal="")
                | (
                    ~models.Q(state="draft")
                    & ~models.Q(number="")
                    & ~models.Q(seal="")
                    & models.Q(issued_on__isnull=False)
                ),
                name="document_numbered_when_issued",
            ),
            Trigger(
                name="invoicing_document_frozen",
                when="BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW",
                function="invoicing_document_frozen()",
            ),
            *tallied("invoicing_document", "invoicing_tally_documents()"),
        ]
        indexes = [
            models.Index(fields=["organization", "-id"], name="document_newest"),
            models.Index(fields=["organization", "customer", "-id"], name="document_customer"),
            models.Index(fields=["organization", "number"], name="document_by_number"),
            models.Index(fields=["organization", "total_minor"], name="document_by_total"),
            models.Index(fields=["organization", "due_on"], name="document_by_due"),
            models.Index(fields=["organization", "issued_on"], name="document_by_issue"),
            models.Index(
                fields=["organization", "state", "-id"],
                name="document_not_issued",
                condition=~models.Q(state=State.ISSUED),
            ),
            models.Index(
                fields=["organization", "-id"],
                name="document_credit_notes",
                condition=models.Q(kind="credit_note"),
            ),
            models.Index(
                fields=["organization", "credits"],
                name="document_by_credited",
                condition=models.Q(credits__isnull=False),
            ),
        ]

    @property
    def deposit_minor(self) -> int:
        """What is due on the day of issue, where the rest is due later; minor units."""
        return deposit_of(self.total_minor, self.deposit_percent, self.terms_days)


class Line(TenantRow):
    """One line of a document; `why` is how the amount came about, step by step."""

    document = TenantForeignKey(Document)
    position = models.PositiveSmallIntegerField()
    description = models.CharField(max_length=500)
    detail = models.CharField(max_length=500, blank=True, default="")
    quantity = models.DecimalField(max_digits=28, decimal_places=12)
    unit_price = models.DecimalField(max_digits=28, decimal_places=12)
    amount_minor = models.BigIntegerField()
    tax_category = models.CharField(max_length=2)
    tax_percent = models.DecimalField(max_digits=7, decimal_places=4)
    service_start = models.DateField(null=True, blank=True)
    service_end = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=120, blank=True, default="")
    why = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "document", "position"], name="line_position"),
            *frozen_with_document("invoicing_line"),
        ]


class TaxLine(TenantRow):
    """Tax of one category and rate on the sum of its lines."""

    document = TenantForeignKey(Document)
    category = models.CharField(max_length=2)
    percent = models.DecimalField(max_digits=7, decimal_places=4)
    base_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "document", "category", "percent"], name="taxline_once"
            ),
            *frozen_with_document("invoicing_taxline"),
        ]


class Party(TenantRow):
    """Who sold to whom, as it was at issue; a row of its own so that a person can be erased from it."""

    document = TenantForeignKey(Document)
    seller = models.JSONField()
    buyer = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "document"], name="party_once"),
            *frozen_with_document("invoicing_party"),
        ]


class NumberSeries(TenantRow):
    """The next counter of a legal entity's documents of one kind in one year; taken last in a transaction."""

    entity = TenantForeignKey("tenants.LegalEntity")
    kind = models.CharField(max_length=20)
    year = models.PositiveSmallIntegerField()
    next_counter = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "entity", "kind", "year"], name="numberseries_once"
            )
        ]


class TopUp(Record):
    """What a customer pays in advance, by an invoice that is no revenue yet: its balance pays for what meters count.

    `left_minor` is moved by the database alone, from the moves written; the app's role may not update it. It may be
    drawn as far as the invoice is paid, and before `expires_on`, a local date of the legal entity.
    """

    PREFIX = "topup"

    customer = TenantForeignKey("customers.Customer")
    entity = TenantForeignKey("tenants.LegalEntity")
    document = TenantForeignKey(Document)
    currency = models.CharField(max_length=3)
    total_minor = models.BigIntegerField()
    left_minor = models.BigIntegerField()
    expires_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "document"], name="topup_document"),
            models.CheckConstraint(
                condition=models.Q(
                    left_minor__gte=0, left_minor__lte=models.F("total_minor"), total_minor__gt=0
                ),
                name="topup_left_within_total",
            ),
            Trigger(
                name="invoicing_topup_whole",
                when="AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT",
                function="invoicing_topup_whole()",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "customer"], name="topup_left", condition=models.Q(left_minor__gt=0)
            ),
            models.Index(fields=["organization", "customer", "-id"], name="topup_customer"),
        ]


class TopUpMove(TenantRow):
    """A part of a top-up that is gone: drawn for an invoice, taken back by a credit note or a void, or expired."""

    top_up = TenantForeignKey(TopUp)
    kind = models.CharField(max_length=10)
    minor = models.BigIntegerField()
    on = models.DateField()
    document = TenantForeignKey(Document, null=True, blank=True)
    recorded_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "top_up", "kind", "document"],
                name="topupmove_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(minor__gt=0)
                & (
                    models.Q(kind__in=(Gone.DRAWN, Gone.CREDITED), document__isnull=False)
                    | models.Q(kind__in=(Gone.EXPIRED, Gone.VOIDED), document=None)
                ),
                name="topupmove_sane",
            ),
            *append_only("invoicing_topupmove"),
            Trigger(
                name="invoicing_topupmove_takes",
                when="AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT",
                function="invoicing_take_of_topups()",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "document"], name="topupmove_document"),
        ]

"""Open items and the allocations between them: what is owed, what was paid, and what was put against what."""

from django.db import models

from core import clock
from core.base import Record, TenantForeignKey, TenantRow
from core.constraints import Trigger, append_only, tallied
from receivables.domain.items import SIDES, Side
from receivables.domain.references import LENGTH

LABEL = 80
"""Longest label of an item, in characters."""


_REST = models.F("total_minor") - models.F("deposit_minor")


def _kinds_of(side: Side) -> list[str]:
    return sorted(str(kind) for kind, its in SIDES.items() if its is side)


class OpenItem(Record):
    """What is still open of a document, fee, payment or credit.

    `open_minor` is moved by the database alone, from the allocations written; the app's role may not update it.
    `reserved_minor` is promised to payment attempts under way. `reference` is the label as payments are matched by it.

    `due_on` is the day on which something of it is due next. Where a part is due sooner, `deposit_minor` on
    `deposit_due_on` and the rest on `rest_due_on`, the database moves it to the rest's day once as much as the deposit
    is settled, and back when that is undone: whatever is put against an item counts for its deposit first.
    `later_minor` is what is due on the rest's day only, while the deposit is open.
    """

    PREFIX = "item"

    customer = TenantForeignKey("customers.Customer")
    entity = TenantForeignKey("tenants.LegalEntity")
    kind = models.CharField(max_length=20)
    side = models.CharField(max_length=6)
    label = models.CharField(max_length=LABEL)
    reference = models.CharField(max_length=LENGTH, blank=True, default="")
    source = models.CharField(max_length=80)
    currency = models.CharField(max_length=3)
    total_minor = models.BigIntegerField()
    open_minor = models.BigIntegerField()
    reserved_minor = models.BigIntegerField(default=0)
    effective_on = models.DateField()
    due_on = models.DateField()
    deposit_minor = models.BigIntegerField(default=0, db_default=0)
    deposit_due_on = models.DateField(null=True, blank=True)
    rest_due_on = models.DateField(null=True, blank=True)
    later_minor = models.GeneratedField(
        expression=models.Case(
            models.When(
                deposit_minor__gt=0,
                due_on=models.F("deposit_due_on"),
                then=models.F("total_minor") - models.F("deposit_minor"),
            ),
            default=0,
        ),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )
    settled_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "source"], name="openitem_source"),
            models.CheckConstraint(
                condition=models.Q(
                    open_minor__gte=0, open_minor__lte=models.F("total_minor"), total_minor__gt=0
                ),
                name="openitem_open_within_total",
            ),
            models.CheckConstraint(
                condition=models.Q(reserved_minor__gte=0, reserved_minor__lte=models.F("open_minor")),
                name="openitem_reserved_within_open",
            ),
            models.CheckConstraint(
                condition=models.Q(side=Side.DEBIT, kind__in=_kinds_of(Side.DEBIT))
                | models.Q(side=Side.CREDIT, kind__in=_kinds_of(Side.CREDIT)),
                name="openitem_kind_has_its_side",
            ),
            models.CheckConstraint(
                condition=models.Q(deposit_minor=0, deposit_due_on=None, rest_due_on=None)
                | models.Q(
                    models.Q(open_minor__gt=_REST, due_on=models.F("deposit_due_on"))
                    | models.Q(open_minor__lte=_REST, due_on=models.F("rest_due_on")),
                    deposit_minor__gt=0,
                    deposit_minor__lt=models.F("total_minor"),
                    deposit_due_on__isnull=False,
                    rest_due_on__isnull=False,
                    deposit_due_on__lt=models.F("rest_due_on"),
                    side=Side.DEBIT,
                ),
                name="openitem_deposit",
            ),
            Trigger(
                name="receivables_openitem_whole",
                when="AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT",
                function="receivables_item_whole()",
            ),
            *tallied("receivables_openitem", "receivables_tally_items()"),
        ]
        indexes = [
            models.Index(
                fields=["organization", "customer", "due_on"],
                name="openitem_open",
                condition=models.Q(open_minor__gt=0),
                include=[
                    "currency",
                    "side",
                    "open_minor",
                    "later_minor",
                    "rest_due_on",
                    "effective_on",
                    "id",
                ],
            ),
            models.Index(fields=["organization", "customer", "id"], name="openitem_customer"),
            models.Index(
                fields=["organization", "reference"],
                name="openitem_reference",
                condition=models.Q(open_minor__gt=0, side=Side.DEBIT),
            ),
            models.Index(
                fields=["organization", "currency", "open_minor"],
                name="openitem_amount",
                condition=models.Q(open_minor__gt=0, side=Side.DEBIT),
            ),
            models.Index(fields=["organization", "kind", "effective_on"], name="openitem_kind_day"),
            models.Index(
                fields=["organization", "effective_on"],
                name="openitem_with_deposit",
                condition=models.Q(deposit_minor__gt=0),
            ),
        ]


class Reference(TenantRow):
    """A further number by which a payer may mean an item: an order's, an assignment's, another system's."""

    item = TenantForeignKey(OpenItem)
    text = models.CharField(max_length=LABEL)
    key = models.CharField(max_length=LENGTH)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "item", "key"], name="reference_once"),
            *append_only("receivables_reference"),
        ]
        indexes = [models.Index(fields=["organization", "key"], name="reference_key")]


class Allocation(TenantRow):
    """A part of a credit item put against a debit item; negative when it undoes another. Never changed."""

    key = models.CharField(max_length=120)
    debit_item = TenantForeignKey(OpenItem)
    credit_item = TenantForeignKey(OpenItem)
    minor = models.BigIntegerField()
    effective_on = models.DateField()
    posted_on = models.DateField()
    recorded_at = models.DateTimeField(default=clock.now)
    reason = models.CharField(max_length=300, blank=True, default="")
    reverses = TenantForeignKey("self", null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "key"], name="allocation_once"),
            models.UniqueConstraint(
                fields=["organization", "reverses"],
                name="allocation_undone_once",
                condition=models.Q(reverses__isnull=False),
            ),
            models.CheckConstraint(
                condition=models.Q(minor__gt=0, reverses=None)
                | models.Q(minor__lt=0, reverses__isnull=False),
                name="allocation_sign",
            ),
            *append_only("receivables_allocation"),
            Trigger(
                name="receivables_allocation_moves_items",
                when="AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT",
                function="receivables_move_items()",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "debit_item"], name="allocation_debit"),
            models.Index(fields=["organization", "credit_item"], name="allocation_credit"),
            models.Index(
                fields=["organization", "effective_on"],
                name="allocation_day",
                include=["debit_item", "credit_item", "minor"],
            ),
        ]

"""What is sold on subscription, who bought it, and which periods were billed."""

from django.db import models

from core import clock
from core.base import Record, TenantForeignKey, TenantRow

WHY = 300
"""Longest reason why a run stopped, in characters."""


class Plan(Record):
    """Something sold by the period."""

    PREFIX = "plan"

    name = models.CharField(max_length=200)
    code = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="plan_code")]


class Price(Record):
    """What a plan costs in one currency and interval. A price never changes; it is replaced by another."""

    PREFIX = "price"

    plan = TenantForeignKey(Plan)
    model = models.CharField(max_length=20)
    currency = models.CharField(max_length=3)
    unit_price = models.DecimalField(max_digits=28, decimal_places=12)
    unit = models.CharField(max_length=10)
    every = models.PositiveSmallIntegerField(default=1)
    tax_percent = models.DecimalField(max_digits=7, decimal_places=4)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(unit_price__gte=0, every__gte=1), name="price_not_negative"
            )
        ]


class Subscription(Record):
    """A customer's subscription to a price. `next_index` counts periods from the anchor; the rest follows from it.

    `held_at` is set when a run could not bill it: it waits for a person and stops nothing else.
    """

    PREFIX = "sub"

    customer = TenantForeignKey("customers.Customer")
    price = TenantForeignKey(Price)
    quantity = models.DecimalField(max_digits=28, decimal_places=12, default=1)
    state = models.CharField(max_length=10, default="active")
    anchor = models.DateField()
    zone = models.CharField(max_length=64)
    ends_on = models.DateField(null=True, blank=True)
    autopay = models.BooleanField(default=False)
    next_index = models.PositiveIntegerField(default=0)
    next_bill_on = models.DateField()
    next_bill_at = models.DateTimeField()
    held_at = models.DateTimeField(null=True, blank=True)
    held_reason = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "external_id"],
                name="subscription_external_id",
                condition=~models.Q(external_id=""),
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "next_bill_on", "id"],
                name="subscription_due",
                condition=models.Q(state="active", held_at=None),
            ),
            # The door that finds what is due across organizations reads this one.
            models.Index(
                fields=["next_bill_at"],
                name="subscription_due_anywhere",
                condition=models.Q(state="active", held_at=None),
            ),
            models.Index(fields=["organization", "customer"], name="subscription_customer"),
        ]


class BillingRun(Record):
    """One organization's run for one local date; rejoined, never doubled. Stopped, it says why and can be rejoined."""

    PREFIX = "run"

    as_of = models.DateField()
    state = models.CharField(max_length=10, default="running")
    billed = models.PositiveIntegerField(default=0)
    documents = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0)
    stopped_why = models.CharField(max_length=WHY, blank=True, default="")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "as_of"], name="billingrun_once")]


class BilledPeriod(TenantRow):
    """A subscription was billed for `[period_start, period_end)`: the natural key that no run can pass twice."""

    subscription = TenantForeignKey(Subscription)
    run = TenantForeignKey(BillingRun)
    document = TenantForeignKey("invoicing.Document")
    period_start = models.DateField()
    period_end = models.DateField()
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "subscription", "period_start"], name="billedperiod_once"
            ),
            models.CheckConstraint(
                condition=models.Q(period_end__gt=models.F("period_start")), name="billedperiod_forward"
            ),
        ]
        indexes = [models.Index(fields=["organization", "document"], name="billedperiod_document")]


class HeldSubscription(TenantRow):
    """A subscription that a run put aside, with the reason."""

    run = TenantForeignKey(BillingRun)
    subscription = TenantForeignKey(Subscription)
    reason = models.CharField(max_length=500)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "run", "subscription"], name="heldsubscription_once"
            )
        ]

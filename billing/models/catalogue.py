"""What is sold on subscription, what it costs, and what customers change it to by themselves."""

from django.db import models

from core.base import Record, TenantForeignKey, TenantRow
from core.periods import DATES

ONCE = "once"
"""The interval of a price that is owed one time."""
MOST_EVERY = 120
_LISTED = models.Q(unit=DATES)
MOST_DESCRIPTION = 500
"""Characters."""
MOST_OFFERS = 12
"""Plans that a plan can be changed to by customers: each is billed and taken back to show what it comes to."""
NOW, PERIOD_END = "now", "period_end"
"""When a change or an end by a customer takes effect."""


class Product(Record):
    """What plans belong to. Its code never changes: discounts name it. Archived, its plans are offered no more."""

    PREFIX = "prod"

    name = models.CharField(max_length=200)
    code = models.CharField(max_length=40)
    description = models.CharField(max_length=MOST_DESCRIPTION, blank=True, default="")
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="product_code")]


class Plan(Record):
    """Something sold by the period, or owed once.

    `products_before` are the products that it belonged to while discounts of theirs were given, as codes, "" for none,
    each up to a local day, in order: [{"product": "track", "until": "2026-12-01"}]. See docs/adr/0039.
    `deposit_percent` of an invoice with it are due on the day it is issued, see docs/adr/0046.
    """

    PREFIX = "plan"

    name = models.CharField(max_length=200)
    code = models.CharField(max_length=40)
    product = TenantForeignKey(Product, null=True, blank=True)
    products_before = models.JSONField(default=list, blank=True)
    deposit_percent = models.PositiveSmallIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "code"], name="plan_code"),
            models.CheckConstraint(condition=models.Q(deposit_percent__lte=100), name="plan_deposit"),
        ]
        indexes = [models.Index(fields=["organization", "product"], name="plan_product")]


class PlanOffer(TenantRow):
    """Customers on a plan may change to another by themselves: at once, or at the end of the period under way.

    Natural key: the two plans. See docs/adr/0044.
    """

    plan = TenantForeignKey(Plan)
    to = TenantForeignKey(Plan)
    takes_effect = models.CharField(max_length=10)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "plan", "to"], name="planoffer_once"),
            models.CheckConstraint(condition=~models.Q(plan=models.F("to")), name="planoffer_another"),
            models.CheckConstraint(
                condition=models.Q(takes_effect__in=[NOW, PERIOD_END]), name="planoffer_takes_effect"
            ),
        ]
        indexes = [models.Index(fields=["organization", "to"], name="planoffer_to")]


class Price(Record):
    """What a plan costs in one currency and interval. A price never changes; it is replaced by another.

    Periods are of `every` times `unit`, or from one of the `dates` of each year, as 03-25 and in order, to the next.
    `terms` keeps what the model needs besides `unit_price`, as billing.domain.terms writes it. With a meter, what that
    counts in a period is the quantity. One that `overrides` another was agreed for single subscriptions and is not
    offered: it is the other with another unit price.
    """

    PREFIX = "price"

    plan = TenantForeignKey(Plan)
    model = models.CharField(max_length=20)
    currency = models.CharField(max_length=3)
    unit_price = models.DecimalField(max_digits=28, decimal_places=12)
    terms = models.JSONField(default=dict)
    unit = models.CharField(max_length=10)
    every = models.PositiveSmallIntegerField(default=1)
    dates = models.JSONField(default=list, blank=True)
    timing = models.CharField(max_length=10, default="advance")
    meter = TenantForeignKey("billing.Meter", null=True, blank=True)
    tax_percent = models.DecimalField(max_digits=7, decimal_places=4)
    overrides = TenantForeignKey("self", null=True, blank=True)
    replaced_by = TenantForeignKey("self", null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(unit_price__gte=0, every__gte=1), name="price_not_negative"
            ),
            models.CheckConstraint(
                condition=(_LISTED & models.Q(every=1) & ~models.Q(dates=[]))
                | (~_LISTED & models.Q(dates=[])),
                name="price_listed",
            ),
            models.UniqueConstraint(
                fields=["organization", "overrides", "unit_price"],
                name="price_override_once",
                condition=models.Q(overrides__isnull=False),
            ),
        ]

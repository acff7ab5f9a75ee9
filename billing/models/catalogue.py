"""What is sold on subscription, and what it costs."""

from django.db import models

from core.base import Record, TenantForeignKey


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

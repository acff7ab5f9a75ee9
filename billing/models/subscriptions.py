"""Who bought what."""

from django.db import models

from billing.models.catalogue import Price
from core.base import Record, TenantForeignKey


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

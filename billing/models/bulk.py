"""What is done to many subscriptions at once, and what becomes of each."""

from django.db import models

from billing.models.catalogue import Price
from billing.models.subscriptions import Subscription
from core.base import Record, TenantForeignKey, TenantRow

FITS, UNFIT, DONE, REFUSED = "fits", "unfit", "done", "refused"
"""What becomes of one: it can be done, it cannot be, it was done, or it was refused when it was to be done."""


class BulkChange(Record):
    """One act on many subscriptions: tried on all of them by the job `look`, done by the job `run`, if it is wanted.

    `act` is change, end or pause, the columns below what it takes. `wanted` are the filters of the list that find the
    subscriptions, or their ids. `today` is the local date on which they were looked at, and is done on that day only.
    """

    PREFIX = "bch"

    act = models.CharField(max_length=10)
    price = TenantForeignKey(Price, null=True, blank=True)
    on = models.DateField(null=True, blank=True)
    resumes_on = models.DateField(null=True, blank=True)
    refund = models.BooleanField(default=False)
    today = models.DateField()
    wanted = models.JSONField(default=dict)
    look = TenantForeignKey("core.Job")
    run = TenantForeignKey("core.Job", null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "look"], name="bulkchange_look"),
            models.UniqueConstraint(
                fields=["organization", "run"], name="bulkchange_run", condition=models.Q(run__isnull=False)
            ),
        ]


class BulkChangeItem(TenantRow):
    """One subscription of a bulk change. Natural key: both.

    `price` and `quantity` are what it had, `seen` is all it was as a digest, so that what is another when it is to be
    done is refused. From `day` on it would be another; the next run, as of `bill_on`, would bill and credit so much,
    net. `code` and `reason` say why it cannot be, or why it was refused.
    """

    bulk = TenantForeignKey(BulkChange, related_name="items")
    subscription = TenantForeignKey(Subscription)
    outcome = models.CharField(max_length=10)
    seen = models.CharField(max_length=64)
    price = TenantForeignKey(Price)
    quantity = models.DecimalField(max_digits=28, decimal_places=12)
    currency = models.CharField(max_length=3)
    day = models.DateField(null=True, blank=True)
    bill_on = models.DateField(null=True, blank=True)
    charge_minor = models.BigIntegerField(default=0)
    credit_minor = models.BigIntegerField(default=0)
    code = models.CharField(max_length=60, blank=True, default="")
    reason = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "bulk", "subscription"], name="bulkchangeitem_once"
            ),
            models.CheckConstraint(
                condition=~models.Q(outcome__in=(FITS, DONE)) | models.Q(day__isnull=False),
                name="bulkchangeitem_dated",
            ),
        ]
        indexes = [models.Index(fields=["organization", "bulk", "outcome", "id"], name="bulkchangeitem_of")]

"""Which periods were billed, and what a run put aside."""

from datetime import time

from django.db import models

from billing.models.subscriptions import Subscription, SubscriptionItem
from core import clock
from core.base import Record, TenantForeignKey, TenantRow
from core.constraints import append_only

WHY = 300
"""Longest reason why a run stopped or an event was voided, in characters."""


class BillingRun(Record):
    """One organization's run for one local date; rejoined, never doubled. Stopped, it says why and can be rejoined."""

    PREFIX = "run"

    as_of = models.DateField()
    state = models.CharField(max_length=10, default="running")
    billed = models.PositiveIntegerField(default=0)
    documents = models.PositiveIntegerField(default=0)
    credit_notes = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0)
    stopped_why = models.CharField(max_length=WHY, blank=True, default="")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "as_of"], name="billingrun_once")]


class BilledPeriod(TenantRow):
    """An item was billed for `[period_start, period_end)`: the natural key that no run can pass twice.

    By seconds it goes on to `until` on the day after its last, whatever becomes of what ended there.
    `amount_minor` is net of what discounts took off. `quantity` and `terms` are what it was billed by, as
    billing.domain.gate.kept writes them: the next bill is compared with them. What was billed before they were kept has
    none.
    """

    subscription = TenantForeignKey(Subscription)
    item = TenantForeignKey(SubscriptionItem)
    run = TenantForeignKey(BillingRun)
    document = TenantForeignKey("invoicing.Document")
    period_start = models.DateField()
    period_end = models.DateField()
    until = models.TimeField(default=time.min, db_default=time.min)
    amount_minor = models.BigIntegerField()
    discount_minor = models.BigIntegerField(default=0)
    quantity = models.DecimalField(max_digits=28, decimal_places=12, null=True, blank=True)
    terms = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "item", "period_start"], name="billedperiod_once"
            ),
            models.CheckConstraint(
                condition=models.Q(period_end__gt=models.F("period_start")), name="billedperiod_forward"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "document"], name="billedperiod_document"),
            models.Index(fields=["organization", "subscription"], name="billedperiod_subscription"),
        ]


class CreditedPeriod(TenantRow):
    """The last days `[period_start, period_end)` of a billed period were taken back, because its item ended before.

    By seconds they count from `since` on the first of them on. `unused_minor` is what those days came to,
    `amount_minor` what the credit note gave of it, less where a person had credited the line before; without a note
    there was nothing left to give. An item that was credited is never billed again. Natural key: item and first day.
    """

    subscription = TenantForeignKey(Subscription)
    item = TenantForeignKey(SubscriptionItem)
    run = TenantForeignKey(BillingRun)
    period = TenantForeignKey(BilledPeriod)
    document = TenantForeignKey("invoicing.Document", null=True, blank=True)
    period_start = models.DateField()
    period_end = models.DateField()
    since = models.TimeField(default=time.min, db_default=time.min)
    unused_minor = models.BigIntegerField()
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "item", "period_start"], name="creditedperiod_once"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    period_end__gt=models.F("period_start"),
                    amount_minor__gte=0,
                    amount_minor__lte=models.F("unused_minor"),
                ),
                name="creditedperiod_sane",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "period"], name="creditedperiod_period"),
            models.Index(fields=["organization", "subscription"], name="creditedperiod_subscription"),
        ]


class CorrectedPeriod(TenantRow):
    """A billed period was counted anew after it was billed: `difference_minor` more was billed, or less is owed.

    More stands on an invoice, less on a credit note over the invoice that billed it, which gives `amount_minor`: no
    more than was left there. Less that is of several invoices is several rows. With this one all of the period comes
    to `after_minor`, by `quantity_now`. Natural key: the billed period and its number.
    """

    subscription = TenantForeignKey(Subscription)
    item = TenantForeignKey(SubscriptionItem)
    run = TenantForeignKey(BillingRun)
    period = TenantForeignKey(BilledPeriod)
    nth = models.PositiveSmallIntegerField()
    document = TenantForeignKey("invoicing.Document", null=True, blank=True)
    quantity_before = models.DecimalField(max_digits=28, decimal_places=12, null=True, blank=True)
    quantity_now = models.DecimalField(max_digits=28, decimal_places=12)
    difference_minor = models.BigIntegerField()
    amount_minor = models.BigIntegerField()
    after_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "period", "nth"], name="correctedperiod_once"),
            models.CheckConstraint(
                condition=models.Q(nth__gte=1, after_minor__gte=0)
                & (
                    models.Q(difference_minor__gt=0, amount_minor=models.F("difference_minor"))
                    | models.Q(
                        difference_minor__lt=0,
                        amount_minor__gte=models.F("difference_minor"),
                        amount_minor__lte=0,
                    )
                ),
                name="correctedperiod_sane",
            ),
            *append_only("billing_correctedperiod"),
        ]
        indexes = [
            models.Index(fields=["organization", "subscription"], name="correctedperiod_subscription"),
            models.Index(fields=["organization", "run"], name="correctedperiod_run"),
            models.Index(fields=["organization", "document"], name="correctedperiod_document"),
        ]


class HeldSubscription(TenantRow):
    """A subscription that a run put aside, with the reason, and with what the gate found, if it was the gate.

    A finding is {"kind", "severity", "item", "start", "sentence", "now", "usual", "key"}.
    """

    run = TenantForeignKey(BillingRun)
    subscription = TenantForeignKey(Subscription)
    reason = models.CharField(max_length=500)
    findings = models.JSONField(default=list, blank=True)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "run", "subscription"], name="heldsubscription_once"
            )
        ]


class AcceptedFinding(TenantRow):
    """A person said that a finding's figures are right: this key holds the subscription no more.

    Who and when is in the audit. Natural key: the finding's, of its subscription.
    """

    subscription = TenantForeignKey(Subscription)
    key = models.CharField(max_length=120)
    sentence = models.CharField(max_length=500)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "subscription", "key"], name="acceptedfinding_once"
            )
        ]

"""Money that came or is on its way: payments, attempts to charge, and what gateways told us."""

from django.db import models

from cashapp.domain.states import LineState, State
from core import clock
from core.base import Record, Sealed, TenantForeignKey, TenantRow
from core.vault import reveal

METHOD, CODE, MESSAGE = 80, 60, 300
"""Longest method, code and message of an attempt, in characters."""


class Attempt(Record):
    """One intent to charge. Written before the gateway is asked, so a crash leaves something to ask about.

    `key` is the payer's intent (a form's hidden key) and the gateway's idempotency key: the same intent can be
    sent again and charges once. `saved` is the kept card that is charged with nobody there. `check_at` is when the
    sweeper asks about it next; it and `intended_at` are real time, as the gateway's is.
    """

    PREFIX = "att"

    key = models.CharField(max_length=80)
    customer = TenantForeignKey("customers.Customer")
    entity = TenantForeignKey("tenants.LegalEntity")
    gateway = models.CharField(max_length=20)
    method = models.CharField(max_length=METHOD)
    minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    description = models.CharField(max_length=200)
    state = models.CharField(max_length=20, default=State.CREATED)
    reference = models.CharField(max_length=120, blank=True, default="")
    code = models.CharField(max_length=CODE, blank=True, default="")
    message = models.CharField(max_length=MESSAGE, blank=True, default="")
    saved = TenantForeignKey("customers.PaymentMethod", null=True)
    intended_at = models.DateTimeField(default=clock.wall)
    check_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "key"], name="attempt_once"),
            models.CheckConstraint(condition=models.Q(minor__gt=0), name="attempt_positive"),
        ]
        indexes = [
            models.Index(
                fields=["check_at"], name="attempt_due_anywhere", condition=models.Q(check_at__isnull=False)
            ),
        ]


class AttemptItem(TenantRow):
    """What an attempt is to pay. While it is live its amount is reserved, and no other attempt may have the item."""

    attempt = TenantForeignKey(Attempt)
    item = TenantForeignKey("receivables.OpenItem")
    minor = models.BigIntegerField()
    live = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "item"], name="attemptitem_one_live", condition=models.Q(live=True)
            ),
            models.UniqueConstraint(fields=["organization", "attempt", "item"], name="attemptitem_once"),
            models.CheckConstraint(condition=models.Q(minor__gt=0), name="attemptitem_positive"),
        ]


class Payment(Record):
    """Money received. `(provider, provider_ref)` is its natural key: a gateway's charge, a form's hidden key."""

    PREFIX = "pay"

    customer = TenantForeignKey("customers.Customer")
    entity = TenantForeignKey("tenants.LegalEntity")
    provider = models.CharField(max_length=20)
    provider_ref = models.CharField(max_length=120)
    method = models.CharField(max_length=40)
    minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    received_on = models.DateField()
    memo = models.CharField(max_length=300, blank=True, default="")
    attempt = TenantForeignKey(Attempt, null=True)
    state = models.CharField(max_length=10, default="received")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "provider", "provider_ref"], name="payment_once"),
            models.CheckConstraint(condition=models.Q(minor__gt=0), name="payment_positive"),
        ]
        indexes = [
            models.Index(fields=["organization", "-id"], name="payment_newest"),
            models.Index(fields=["organization", "customer", "-id"], name="payment_customer"),
            models.Index(fields=["organization", "minor"], name="payment_by_amount"),
            models.Index(fields=["organization", "memo"], name="payment_by_memo"),
            models.Index(fields=["organization", "provider_ref"], name="payment_by_reference"),
        ]


class BankLine(Record):
    """Money that came, as a bank or another system tells it. In the books once it is known whose it is.

    `key` is its natural key: the other system's own reference, or a blind index of what the line says with a count of
    lines that say the same. `proposals` are what matching found, best first (see cashapp.services.matching).
    """

    PREFIX = "line"

    key = models.CharField(max_length=80)
    payer = models.CharField(max_length=200, blank=True, default="")
    account = Sealed()
    memo = models.CharField(max_length=500, blank=True, default="")
    currency = models.CharField(max_length=3)
    minor = models.BigIntegerField()
    booked_on = models.DateField()
    customer = TenantForeignKey("customers.Customer", null=True)
    state = models.CharField(max_length=10, default=LineState.OPEN)
    proposals = models.JSONField(default=list)
    payment = TenantForeignKey(Payment, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "key"], name="bankline_once", condition=~models.Q(state="withdrawn")
            ),
            models.UniqueConstraint(
                fields=["organization", "payment"],
                name="bankline_one_payment",
                condition=models.Q(payment__isnull=False),
            ),
            models.CheckConstraint(condition=models.Q(minor__gt=0), name="bankline_positive"),
            models.CheckConstraint(
                condition=models.Q(state="booked", payment__isnull=False)
                | (~models.Q(state="booked") & models.Q(payment=None)),
                name="bankline_booked_with_payment",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "state", "booked_on", "id"], name="bankline_queue"),
        ]

    @property
    def account_number(self) -> str:
        """The payer's account. Inside work()."""
        return reveal(self, "account")


class PayerFact(TenantRow):
    """What a person's decision taught: a name or an account by which a customer pays. The last decision counts.

    `key` is the name in its normal form, or the blind index of the account's.
    """

    kind = models.CharField(max_length=10)
    key = models.CharField(max_length=200)
    customer = TenantForeignKey("customers.Customer")
    times = models.PositiveIntegerField(default=1)
    last_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "kind", "key", "customer"], name="payerfact_once")
        ]


class WebhookEvent(TenantRow):
    """A gateway's message, as JSON, stored before it is believed; handled from here, once per event id."""

    provider = models.CharField(max_length=20)
    event_id = models.CharField(max_length=160)
    payload = Sealed()
    received_at = models.DateTimeField(default=clock.wall)
    handled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "provider", "event_id"], name="webhookevent_once")
        ]

    @property
    def sealed_by(self) -> str:
        return f"{self.provider}:{self.event_id}"


class SandboxCharge(TenantRow):
    """The sandbox gateway's own memory; written by it alone."""

    key = models.CharField(max_length=80)
    reference = models.CharField(max_length=60)
    minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    outcome = models.CharField(max_length=20)
    code = models.CharField(max_length=60, blank=True, default="")
    message = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "key"], name="sandboxcharge_key"),
            models.UniqueConstraint(fields=["organization", "reference"], name="sandboxcharge_reference"),
        ]

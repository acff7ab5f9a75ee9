"""Who owes: customers, their contacts, and the signed links that let a contact pay without an account."""

from django.db import models

from core import clock
from core.base import Record, TenantForeignKey, TenantRow


class Customer(Record):
    """A business or person that owes money to the organization, in one usual currency.

    `deposit_percent` of each new invoice are due on the day it is issued; None: as the plans on it say.
    """

    PREFIX = "cus"

    name = models.CharField(max_length=200)
    name_key = models.CharField(max_length=200, editable=False)
    number = models.CharField(max_length=40)
    entity = TenantForeignKey("tenants.LegalEntity")
    email = models.EmailField(blank=True, default="")
    address = models.TextField(blank=True, default="")
    country = models.CharField(max_length=2, blank=True, default="")
    currency = models.CharField(max_length=3)
    zone = models.CharField(max_length=64)
    terms_days = models.PositiveSmallIntegerField()
    deposit_percent = models.PositiveSmallIntegerField(null=True, blank=True)
    parent = TenantForeignKey("self", null=True, blank=True)
    one_invoice = models.BooleanField(default=False, db_default=False)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "number"], name="customer_number"),
            models.CheckConstraint(
                condition=models.Q(deposit_percent=None) | models.Q(deposit_percent__lte=100),
                name="customer_deposit",
            ),
            models.UniqueConstraint(
                fields=["organization", "external_id"],
                name="customer_external_id",
                condition=~models.Q(external_id=""),
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "name_key", "id"], name="customer_by_name"),
            models.Index(
                fields=["organization", "id"],
                name="customer_archived",
                condition=models.Q(archived_at__isnull=False),
            ),
            models.Index(
                fields=["organization", "parent"],
                name="customer_by_parent",
                condition=models.Q(parent__isnull=False),
            ),
        ]


class NameStart(TenantRow):
    """A customer's name from one of its words on, so that a range over an index finds it by the start of any word."""

    AUDITED = False  # derived from the name, which is audited

    customer = TenantForeignKey(Customer)
    start = models.CharField(max_length=200)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "customer", "start"], name="namestart_once")
        ]
        indexes = [models.Index(fields=["organization", "start", "customer"], name="namestart_by_start")]


class Contact(Record):
    """A person at a customer; gets mail and links, has no account."""

    PREFIX = "con"

    customer = TenantForeignKey(Customer)
    name = models.CharField(max_length=200)
    email = models.EmailField()
    receives_invoices = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "customer", "email"], name="contact_once")
        ]


class Link(TenantRow):
    """A link that was mailed: only its hash is kept. `purpose` bounds what it opens, `target` names the object."""

    digest = models.CharField(max_length=64, unique=True)
    purpose = models.CharField(max_length=20)
    customer = TenantForeignKey(Customer)
    target = models.CharField(max_length=40)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=clock.wall)


class PaymentMethod(Record):
    """A card that its customer keeps with us to be charged by itself: the gateway's token and what may be shown of it,
    never its number.

    One at a time is not removed. `expires_on` is its last good day, `consent` the words that were agreed to,
    `agreed_at` when. `told_at`: that it expires soon.
    """

    PREFIX = "pm"

    customer = TenantForeignKey(Customer)
    gateway = models.CharField(max_length=20)
    token = models.CharField(max_length=80)
    brand = models.CharField(max_length=20)
    last4 = models.CharField(max_length=4)
    expires_on = models.DateField()
    consent = models.CharField(max_length=400)
    agreed_at = models.DateTimeField(default=clock.now)
    removed_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "customer"],
                name="paymentmethod_one_live",
                condition=models.Q(removed_at=None),
            ),
        ]
        indexes = [models.Index(fields=["organization", "customer", "-id"], name="paymentmethod_customer")]

    @property
    def live(self) -> bool:
        """Whether it is kept still."""
        return self.removed_at is None

    @property
    def label(self) -> str:
        """What it is called wherever it is shown."""
        return f"{self.brand} •••• {self.last4}"
